#include "engine/files/csv_record.h"

#include "engine/files/plain_bytes.h"

#include <algorithm>
#include <simdjson.h>

namespace reverse_etl {

namespace {

/// A table of Postgres has far fewer; what has more is no table.
constexpr std::size_t most_cells = 100'000;

/// The first sign from `at` on that ends an unquoted cell.
std::size_t end_of_cell(std::string_view text, std::size_t at, char delimiter) {
    while (at < text.size() && text[at] != delimiter && text[at] != '\n' && text[at] != '\r')
        at++;
    return at;
}

} // namespace

/// The quoted cell that begins at `at`; false where it does not end in the text.
bool CsvRecord::read_quoted(std::string_view text, std::size_t &at, bool is_end) {
    const std::size_t begin = ++at;
    std::size_t from = begin, unescaped_from = unescaped_.size();
    bool is_unescaped = false;
    while (true) {
        const std::size_t quote = text.find('"', from);
        if (quote == text.npos) {
            if (is_end)
                throw FileFault("a quote does not end");
            return false;
        }
        // Whether it is written twice can only be told by what follows.
        if (quote + 1 == text.size() && !is_end)
            return false;
        if (quote + 1 == text.size() || text[quote + 1] != '"') {
            if (is_unescaped)
                unescaped_.append(text, from, quote - from);
            written_.push_back({is_unescaped ? unescaped_from : begin,
                                is_unescaped ? unescaped_.size() - unescaped_from : quote - begin, true, is_unescaped});
            at = quote + 1;
            return true;
        }
        is_unescaped = true;
        unescaped_.append(text, from, quote + 1 - from);
        from = quote + 2;
    }
}

std::size_t CsvRecord::read(std::string_view text, bool is_end, char delimiter) {
    written_.clear();
    unescaped_.clear();
    std::size_t at = 0;
    while (true) {
        if (written_.size() == most_cells)
            throw FileFault("it has more than " + std::to_string(most_cells) + " cells");
        if (at < text.size() && text[at] == '"') {
            if (!read_quoted(text, at, is_end))
                return 0;
            if (at < text.size() && text[at] != delimiter && text[at] != '\n' && text[at] != '\r')
                throw FileFault("a value goes on behind its quotes");
        } else {
            const std::size_t end = end_of_cell(text, at, delimiter);
            written_.push_back({at, end - at, false, false});
            at = end;
        }
        if (at == text.size()) {
            if (!is_end)
                return 0;
            break;
        }
        if (text[at] == delimiter) {
            at++;
            continue;
        }
        // CR and LF are one end of a line.
        if (text[at] == '\r' && at + 1 == text.size() && !is_end)
            return 0;
        at += text.substr(at).starts_with("\r\n") ? 2 : 1;
        break;
    }
    const std::string_view record = text.substr(0, at);
    if (!simdjson::validate_utf8(record.data(), record.size()))
        throw FileFault("it is not UTF-8");
    if (record.find('\0') != record.npos)
        throw FileFault("it holds a byte that is zero, so it is no text");
    cells_.clear();
    for (const Written &one : written_)
        cells_.push_back(
            {(one.is_unescaped ? std::string_view(unescaped_) : text).substr(one.begin, one.length), one.is_quoted});
    return at;
}

} // namespace reverse_etl
