#pragma once

#include <map>
#include <string>

namespace reverse_etl {

/// How a body is written.
enum class BodyKind { json, form, ndjson, csv, multipart, text };

/// What a table of lines with separators looks like.
struct CsvFormat {
    bool header = true;  ///< the first line names the fields
    std::string null;    ///< what stands for a NULL that is sent
    std::string omitted; ///< what stands for one that is left out
    char separator = ',';
    const char *line_end = "\n";
};

/// Replaces characters that would be syntax where a value stands.
using Escapes = std::map<char, std::string>;

struct BodyFormat {
    enum class Arrays { json, indexed, brackets, repeated };

    BodyKind kind = BodyKind::json;
    Arrays arrays = Arrays::json;   ///< form: how arrays are written, and whether objects within values are members
    CsvFormat csv;                  ///< of the body, or of the file in a form of several parts
    BodyKind file = BodyKind::json; ///< multipart: how its file is written
    Escapes escape, quoted;         ///< text: of a value, and of one between quotation marks
    bool gzip = false;              ///< compressed when it is sent
    bool omit_null = false;         ///< a member that names a NULL is left out, where else the row is refused
};

} // namespace reverse_etl
