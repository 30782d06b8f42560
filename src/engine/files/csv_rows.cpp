#include "engine/files/csv_record.h"
#include "engine/files/file_rows.h"

#include <algorithm>

namespace reverse_etl {

namespace {

class CsvRecords : public FileRecords {
  public:
    CsvRecords(const FileRowsSpec &spec, const FilesFormat &format, const PathValues &values)
        : spec_(spec), format_(format), values_(values) {
        if (format_.has_header)
            return;
        cells_of_record_ = spec_.columns_of_file;
        for (const FileColumn &column : spec_.columns)
            cells_.push_back(column.position);
    }

    std::size_t read(std::string_view text, bool is_end, FilePage &page, std::uint64_t line) override {
        const std::size_t taken = record_.read(text, is_end, format_.delimiter);
        if (taken == 0)
            return 0;
        if (format_.has_header && !has_names_) {
            find_columns();
            return taken;
        }
        if (record_.is_blank() && cells_of_record_ != 1)
            return taken;
        if (record_.cells().size() != cells_of_record_)
            throw FileFault("it has " + std::to_string(record_.cells().size()) + " cells, and " +
                            (has_names_ ? "the first line" : "the table") + " has " + std::to_string(cells_of_record_));
        page.lines.push_back(line);
        add_cells(page.cells);
        return taken;
    }

  private:
    void find_columns() {
        has_names_ = true;
        cells_of_record_ = record_.cells().size();
        for (const FileColumn &column : spec_.columns) {
            const auto is_it = [&](const CsvRecord::Cell &cell) { return cell.text == column.field; };
            const auto &cells = record_.cells();
            const auto found = std::find_if(cells.begin(), cells.end(), is_it);
            if (column.value < 0 && found == cells.end())
                throw FileFault("no column is called \"" + column.field + "\"");
            if (column.value < 0 && std::find_if(found + 1, cells.end(), is_it) != cells.end())
                throw FileFault("several columns are called \"" + column.field + "\"");
            cells_.push_back(static_cast<std::size_t>(found - cells.begin()));
        }
    }

    void add_cells(ResultPage &page) const {
        if (spec_.columns.empty())
            page.add_null();
        for (std::size_t i = 0; i < spec_.columns.size(); i++) {
            const int value = spec_.columns[i].value;
            if (value >= 0) {
                add_value(page, values_[static_cast<std::size_t>(value)]);
                continue;
            }
            const CsvRecord::Cell &cell = record_.cells()[cells_[i]];
            if (!cell.is_quoted && cell.text == format_.null_text)
                page.add_null();
            else
                page.add(CellForm::text, cell.text);
        }
    }

    static void add_value(ResultPage &page, const std::optional<std::string> &value) {
        if (value)
            page.add(CellForm::text, *value);
        else
            page.add_null();
    }

    const FileRowsSpec &spec_;
    const FilesFormat format_;
    const PathValues &values_;
    CsvRecord record_;
    bool has_names_ = false;
    std::size_t cells_of_record_ = 0;
    std::vector<std::size_t> cells_; ///< of a record, by the wanted column
};

} // namespace

std::unique_ptr<FileRecords> csv_records(const FileRowsSpec &spec, const FilesFormat &format,
                                         const PathValues &values) {
    return std::make_unique<CsvRecords>(spec, format, values);
}

} // namespace reverse_etl
