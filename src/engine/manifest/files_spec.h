#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/request_template.h"

#include <string>

namespace reverse_etl {

/// How a connector finds files and reads their bytes: the member "files" of a manifest.
struct FilesSpec {
    bool is_folder = false; ///< they lie in the folder of the server that its option "folder" names; else:
    RequestTemplate list;   ///< one page of the files whose names begin with {files.prefix}
    bool is_xml = false;    ///< the answer to it; else it is JSON
    Condition valid_when;   ///< of an answer that is a list; of any other nothing is believed
    std::string files;      ///< pointer, to one file or an array of them
    std::string name, size; ///< pointers within a file
    std::string version;    ///< what changes with its content; "": nothing is told
    std::string folders;    ///< pointer to what the names go on to, where {files.delimiter} was asked for; "": nothing
    std::string folder;     ///< pointer within one of them
    std::string next;       ///< pointer to {files.page} of the next page
    RequestTemplate read;   ///< the bytes of a file from {files.first} to {files.last}
};

/// What the requests may name: {files.NAME}. "path" is the name of a file as a part of a path, whose slashes stand; all
/// others are values.
inline constexpr const char *files_names[] = {"prefix", "delimiter", "page", "name", "version", "first", "last"};
inline constexpr const char *of_files = "files.";

/// How the rows of files are written, where their table says so.
struct FilesFormat {
    enum class Kind { by_name, csv, ndjson } kind = Kind::by_name; ///< by_name: as the name of the file ends
    char delimiter = '\0'; ///< '\0': a tab where the name says tsv, and else a comma
    bool has_header = true;
    std::string null_text; ///< what an unquoted cell of NULL holds
};

/// The options that tables have of a connector with "files", with what is told of them.
inline constexpr const char *files_options[] = {"files", "format", "delimiter", "header", "null_text"};

} // namespace reverse_etl
