#include "engine/files/file_sample.h"

#include "engine/files/csv_record.h"
#include "engine/files/file_format.h"
#include "engine/files/file_text.h"
#include "engine/files/json_lines.h"
#include "engine/files/type_guess.h"
#include "engine/requests/answer.h"

#include <algorithm>
#include <map>

namespace reverse_etl {

namespace {

constexpr std::size_t most_names = 1000, most_files = 8, rows_of_file = 1000;
/// A table of Postgres takes fewer.
constexpr std::size_t most_columns = 10'000;

/// Guesses the types of columns, in the order in which they are met.
class Columns {
  public:
    TypeGuess &of(const std::string &field) {
        const auto [found, is_new] = positions_.emplace(field, guesses_.size());
        if (is_new) {
            if (guesses_.size() == most_columns)
                throw FileFault("the files have more than " + std::to_string(most_columns) + " columns");
            guesses_.emplace_back(field, TypeGuess());
        }
        return guesses_[found->second].second;
    }

    void add_to(std::vector<SampledColumn> &columns, bool are_of_name) const {
        for (const auto &[field, guess] : guesses_)
            columns.push_back({field, guess.type(), are_of_name});
    }

  private:
    std::map<std::string, std::size_t> positions_;
    std::vector<std::pair<std::string, TypeGuess>> guesses_;
};

/// Reads the first rows of a CSV file.
void sample_csv(FileText &text, const FilesFormat &format, Columns &columns) {
    CsvRecord record;
    std::vector<std::string> fields;
    for (std::size_t row = 0; row < rows_of_file; row++) {
        const bool is_there = text.next([&](std::string_view rest, bool is_end) {
            const std::size_t taken = record.read(rest, is_end, format.delimiter);
            if (taken == 0)
                return taken;
            const auto &cells = record.cells();
            if (fields.empty()) {
                for (std::size_t i = 0; i < cells.size(); i++)
                    fields.push_back(format.has_header ? std::string(cells[i].text) : "column" + std::to_string(i + 1));
                for (const std::string &field : fields)
                    columns.of(field);
                if (format.has_header)
                    return taken;
            }
            for (std::size_t i = 0; i < std::min(fields.size(), cells.size()); i++)
                if (cells[i].is_quoted || cells[i].text != format.null_text)
                    columns.of(fields[i]).see_cell(cells[i].text);
            return taken;
        });
        if (!is_there)
            return;
    }
}

void see(TypeGuess &guess, simdjson::dom::element value) {
    std::string_view text;
    if (value.is_null())
        return;
    if (value.is_bool())
        guess.see_boolean();
    else if (value.is_array() || value.is_object())
        guess.see_structure();
    else if (value.get(text) == simdjson::SUCCESS && !text.starts_with('\0'))
        guess.see_text(text);
    else
        guess.see_number(text_of(value)); // its digits
}

/// Reads the first rows of a file of JSON lines.
void sample_json(FileText &text, Columns &columns) {
    JsonLine line;
    for (std::size_t row = 0; row < rows_of_file; row++) {
        const bool is_there = text.next([&](std::string_view rest, bool is_end) {
            const std::size_t taken = line.read(rest, is_end);
            if (taken > 0 && line.object())
                for (const auto &[name, value] : simdjson::dom::object(line.object()->get_object().value_unsafe()))
                    see(columns.of(std::string(name)), value);
            return taken;
        });
        if (!is_there)
            return;
    }
}

} // namespace

std::vector<SampledColumn> sample_files(FileStore &store, const PathPattern &pattern, const FilesFormat &format,
                                        const std::function<void()> &pause) {
    const PathFilter all;
    FileSearch search(store, pattern, all, pause);
    std::vector<FoundFile> files;
    Columns of_names, of_files;
    while (files.size() < most_names) {
        std::optional<FoundFile> found = search.next();
        if (!found)
            break;
        for (std::size_t i = 0; i < pattern.names().size(); i++)
            if (TypeGuess &guess = of_names.of(pattern.names()[i]); found->values[i])
                guess.see_cell(*found->values[i]);
        files.push_back(std::move(*found));
    }
    const std::size_t sampled = std::min(files.size(), most_files);
    for (std::size_t i = 0; i < sampled; i++) {
        pause();
        // The first, the last, and some between them.
        const FileEntry &file = files[sampled == 1 ? 0 : i * (files.size() - 1) / (sampled - 1)].file;
        const std::string address = store.address(file.name);
        const FilesFormat own = format_of_file(format, file.name, address);
        FileText text(store.open(file), address);
        if (own.kind == FilesFormat::Kind::csv)
            sample_csv(text, own, of_files);
        else
            sample_json(text, of_files);
    }
    std::vector<SampledColumn> columns;
    of_files.add_to(columns, false);
    of_names.add_to(columns, true);
    return columns;
}

} // namespace reverse_etl
