#include "engine/requests/derived_row.h"

#include "engine/text/json_text.h"

namespace reverse_etl {

int DerivedRow::source_of(int column) const {
    return column < columns_ ? column : operation_.derived()[column - columns_].source;
}

void DerivedRow::text(int column, std::string &out) const {
    if (column < columns_) {
        row_.text(column, out);
        return;
    }
    const std::size_t begin = out.size();
    const TextSteps &steps = *operation_.derived()[column - columns_].steps;
    if (steps.takes_json())
        row_.json(source_of(column), out);
    else
        row_.text(source_of(column), out);
    steps.apply(out, begin);
}

void DerivedRow::json(int column, std::string &out) const {
    if (column < columns_) {
        row_.json(column, out);
        return;
    }
    const std::size_t begin = out.size();
    text(column, out);
    if (operation_.derived()[column - columns_].steps->gives_json())
        return;
    const std::string plain = out.substr(begin);
    out.resize(begin);
    append_json_string(out, plain);
}

} // namespace reverse_etl
