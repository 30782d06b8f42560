#pragma once

#include "engine/files/file_search.h"
#include "engine/files/file_text.h"
#include "engine/manifest/files_spec.h"
#include "engine/sources/result_page.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// A column that is wanted of files.
struct FileColumn {
    std::string field;        ///< in CSV what the first line calls it, in JSON a member or a pointer
    int value = -1;           ///< the position among the pattern's names; -1: it stands in the file
    std::size_t position = 0; ///< in CSV without a first line that names them
    bool is_json = false;     ///< wanted as JSON, whatever it is
};

/// Rows of one file.
struct FilePage {
    ResultPage cells;
    std::string file;                 ///< where it is, for people
    std::vector<std::uint64_t> lines; ///< on which each row begins, counted from 1
};

/// What all rows are made by.
struct FileRowsSpec {
    PathPattern pattern;
    FilesFormat format;
    std::size_t columns_of_file = 0; ///< that each line of CSV has where no line names them
    std::vector<FileColumn> columns; ///< none: rows are only counted
};

/// Reads a record of a file into a page.
class FileRecords {
  public:
    virtual ~FileRecords() = default;
    /// As FileText::next() wants it. A line on which nothing stands adds no row.
    virtual std::size_t read(std::string_view text, bool is_end, FilePage &page, std::uint64_t line) = 0;
};

/// `values`: of the file's name. What is passed by reference must stay as long as this does.
std::unique_ptr<FileRecords> csv_records(const FileRowsSpec &spec, const FilesFormat &format, const PathValues &values);
std::unique_ptr<FileRecords> json_records(const FileRowsSpec &spec, const PathValues &values);

/// The rows of all files that a pattern names, file by file. What comes next is on its way while a page is used. Throws
/// DestinationError, which names the file and the line.
class FileRows {
  public:
    /// All must stay as long as this does. `pause` is called now and then; it may throw.
    FileRows(FileStore &store, const FileRowsSpec &spec, const PathFilter &filter, std::function<void()> pause);

    /// False behind the last. A page may have no rows, so that whoever waits is never away for long.
    bool next_page(FilePage &page);

  private:
    struct Open {
        Open(FoundFile found, FileStore &store)
            : found(std::move(found)), text(store.open(this->found.file), store.address(this->found.file.name)) {}

        FoundFile found;
        FileText text;
        std::unique_ptr<FileRecords> records;
    };

    bool open_next();
    void open_ahead();

    FileStore &store_;
    const FileRowsSpec &spec_;
    const std::function<void()> pause_;
    FileSearch search_;
    bool is_search_over_ = false;
    std::unique_ptr<Open> current_;
    std::deque<std::unique_ptr<Open>> ahead_;
};

} // namespace reverse_etl
