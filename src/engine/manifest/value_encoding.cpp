#include "engine/manifest/value_encoding.h"

namespace reverse_etl {

bool ValueEncoding::gives_number() const {
    return is(ValueForm::epoch_s) || is(ValueForm::epoch_ms) || (steps != nullptr && steps->gives_number());
}

std::string ValueEncoding::separator() const {
    if (steps == nullptr)
        return form == ValueForm::semicolon_list ? ";" : "";
    const TextStep &only = steps->steps().front();
    return steps->steps().size() == 1 && only.word == TextStep::Word::join ? only.argument : "";
}

KeyForm ValueEncoding::sends_alike() const {
    KeyForm form;
    if (steps != nullptr)
        for (const TextStep &step : steps->steps()) {
            if (step.word == TextStep::Word::trim)
                form.trimmed = true;
            else if (step.word == TextStep::Word::lower || step.word == TextStep::Word::upper)
                form.case_insensitive = true;
            else
                break; // what comes behind speaks of another text
        }
    return form;
}

} // namespace reverse_etl
