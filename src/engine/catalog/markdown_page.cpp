#include "engine/catalog/page.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

namespace reverse_etl {

namespace {

bool is_word(char sign) {
    return std::isalnum(static_cast<unsigned char>(sign)) != 0;
}

/// The URL that a text begins with; empty for none. What ends the sentence does not belong to it.
std::string_view url_at(std::string_view text) {
    if (!text.starts_with("https://") && !text.starts_with("http://"))
        return {};
    std::size_t end = 0;
    while (end < text.size() && (is_word(text[end]) || std::strchr("-._~:/?#@!$&'*+,;=%", text[end]) != nullptr))
        end++;
    while (std::strchr(".,;:!?'", text[end - 1]) != nullptr)
        end--;
    return text.substr(0, end);
}

/// What a manifest says stays text: signs that Markdown takes for its own are escaped, but for those between backticks.
std::string escaped(std::string_view text, bool in_table = false) {
    std::string result;
    bool is_code = false;
    for (std::size_t i = 0; i < text.size(); i++) {
        const char sign = text[i];
        if (const std::string_view url = is_code ? "" : url_at(text.substr(i)); !url.empty()) {
            result.append("<").append(url).append(">");
            i += url.size() - 1;
            continue;
        }
        if (sign == '`')
            is_code = !is_code;
        const bool within_word = i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
        if ((sign == '|' && in_table) ||
            (!is_code && (std::strchr("\\*[]<", sign) != nullptr || (sign == '_' && !within_word))))
            result += '\\';
        result += sign;
    }
    return result;
}

std::string table_row(const std::vector<std::string> &cells) {
    std::string row = "|";
    for (const std::string &cell : cells)
        row += cell.empty() ? " |" : " " + escaped(cell, true) + " |";
    return row;
}

/// Columns in which no row has anything are left out.
void add_table(const PagePart &part, std::vector<std::string> &lines) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < part.titles.size(); i++)
        if (std::any_of(part.rows.begin(), part.rows.end(), [&](const auto &row) { return !row[i].empty(); }))
            columns.push_back(i);
    const auto chosen = [&](const std::vector<std::string> &row) {
        std::vector<std::string> cells;
        for (const std::size_t column : columns)
            cells.push_back(row[column]);
        return cells;
    };
    lines.push_back(table_row(chosen(part.titles)));
    std::string rule = "|";
    for (std::size_t i = 0; i < columns.size(); i++)
        rule += "---|";
    lines.push_back(rule);
    for (const std::vector<std::string> &row : part.rows)
        lines.push_back(table_row(chosen(row)));
}

} // namespace

std::vector<std::string> markdown_lines(const Page &page) {
    std::vector<std::string> lines;
    for (const PagePart &part : page.parts()) {
        if (!lines.empty())
            lines.emplace_back();
        switch (part.kind) {
        case PagePart::Kind::title:
            lines.push_back("# " + escaped(part.lines.front()));
            break;
        case PagePart::Kind::heading:
            lines.push_back("## " + escaped(part.lines.front()));
            break;
        case PagePart::Kind::paragraph:
            lines.push_back(escaped(part.lines.front()));
            break;
        case PagePart::Kind::statements:
            lines.emplace_back("```sql");
            lines.insert(lines.end(), part.lines.begin(), part.lines.end());
            lines.emplace_back("```");
            break;
        case PagePart::Kind::entries:
            add_table(part, lines);
            break;
        }
    }
    return lines;
}

} // namespace reverse_etl
