#include "engine/manifest/notes.h"

namespace reverse_etl {

void remove_notes(Json &value) {
    if (value.is_object())
        value.erase("$note");
    if (value.is_structured())
        for (auto &member : value)
            remove_notes(member);
}

} // namespace reverse_etl
