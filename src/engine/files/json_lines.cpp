#include "engine/files/json_lines.h"

#include "engine/files/file_format.h"
#include "engine/files/file_rows.h"
#include "engine/requests/answer.h"
#include "engine/text/exact_json.h"

namespace reverse_etl {

std::size_t JsonLine::read(std::string_view text, bool is_end) {
    object_.reset();
    const std::size_t end = text.find('\n');
    if (end == text.npos && !is_end)
        return 0;
    const std::string_view line = text.substr(0, end);
    const std::size_t taken = end == text.npos ? text.size() : end + 1;
    if (line.find_first_not_of(" \t\r") == line.npos)
        return taken;
    if (!simdjson::validate_utf8(line.data(), line.size()))
        throw FileFault("it is not UTF-8");
    simdjson::dom::element value;
    if (const auto error = parser_.parse(exact_json(line)).get(value); error != simdjson::SUCCESS)
        throw FileFault(std::string("it is not JSON: ") + simdjson::error_message(error));
    if (!value.is_object())
        throw FileFault("it is no JSON object; each line has to be one");
    object_ = value;
    return taken;
}

namespace {

class JsonRecords : public FileRecords {
  public:
    JsonRecords(const FileRowsSpec &spec, const PathValues &values) : spec_(spec), values_(values) {
        for (const FileColumn &column : spec_.columns)
            pointers_.push_back(pointer_to_member(column.field));
    }

    std::size_t read(std::string_view text, bool is_end, FilePage &page, std::uint64_t line) override {
        const std::size_t taken = line_.read(text, is_end);
        if (taken == 0 || !line_.object())
            return taken;
        page.lines.push_back(line);
        if (spec_.columns.empty())
            page.cells.add_null();
        for (std::size_t i = 0; i < spec_.columns.size(); i++)
            add(spec_.columns[i], pointers_[i], page.cells);
        return taken;
    }

  private:
    void add(const FileColumn &column, const std::string &pointer, ResultPage &page) const {
        if (column.value >= 0) {
            const auto &value = values_[static_cast<std::size_t>(column.value)];
            value ? page.add(CellForm::text, *value) : page.add_null();
            return;
        }
        const auto found = at(*line_.object(), pointer);
        if (!found || found->is_null())
            page.add_null();
        else
            page.add(CellForm::text, column.is_json ? json_of(*found) : text_of(*found));
    }

    const FileRowsSpec &spec_;
    const PathValues &values_;
    JsonLine line_;
    std::vector<std::string> pointers_;
};

} // namespace

std::unique_ptr<FileRecords> json_records(const FileRowsSpec &spec, const PathValues &values) {
    return std::make_unique<JsonRecords>(spec, values);
}

} // namespace reverse_etl
