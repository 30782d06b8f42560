#include "engine/requests/csv_cell.h"

namespace reverse_etl {

void append_csv_cell(std::string &out, std::string_view value, const CsvFormat &csv) {
    const char syntax[] = {csv.separator, '"', '\r', '\n'};
    const bool is_word = value.empty() || value == csv.null || value == csv.omitted;
    // Readers may take away what stands around a value.
    const bool has_edges = !value.empty() && (value.front() <= ' ' || value.back() <= ' ');
    if (!is_word && !has_edges && value.find_first_of(std::string_view(syntax, sizeof(syntax))) == value.npos) {
        out += value;
        return;
    }
    out += '"';
    for (const char c : value)
        out.append(c == '"' ? 2 : 1, c);
    out += '"';
}

} // namespace reverse_etl
