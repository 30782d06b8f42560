#include "engine/files/file_format.h"

#include "engine/text/errors.h"
#include "engine/text/lower_case.h"

#include <string_view>

namespace reverse_etl {

FilesFormat format_of_file(const FilesFormat &of_table, const std::string &name, const std::string &address) {
    FilesFormat format = of_table;
    const std::string lower = lower_case(name);
    std::string_view written = lower;
    if (written.ends_with(".gz"))
        written.remove_suffix(3);
    const bool is_tsv = written.ends_with(".tsv");
    if (format.kind == FilesFormat::Kind::by_name) {
        if (is_tsv || written.ends_with(".csv"))
            format.kind = FilesFormat::Kind::csv;
        else if (written.ends_with(".ndjson") || written.ends_with(".jsonl") || written.ends_with(".json"))
            format.kind = FilesFormat::Kind::ndjson;
        else
            throw DestinationError(Fault::stopped, address + ": its name does not say how it is written", "",
                                   "Say it by the table's option \"format\": csv or ndjson.");
    }
    if (format.delimiter == '\0')
        format.delimiter = is_tsv ? '\t' : ',';
    return format;
}

std::string pointer_to_member(const std::string &field) {
    if (field.starts_with('/'))
        return field;
    std::string pointer = "/";
    for (const char sign : field)
        pointer += sign == '~' ? "~0" : sign == '/' ? "~1" : std::string(1, sign);
    return pointer;
}

} // namespace reverse_etl
