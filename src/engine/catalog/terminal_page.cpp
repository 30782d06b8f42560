#include "engine/catalog/page.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// How many characters a text in UTF-8 has.
std::size_t width_of(const std::string &text) {
    return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; });
}

class TerminalPage {
  public:
    explicit TerminalPage(std::size_t width) : width_(width) {}

    void add(const PagePart &part) {
        if (!lines_.empty())
            lines_.emplace_back();
        switch (part.kind) {
        case PagePart::Kind::title:
            return add_text(part.lines.front(), "", "");
        case PagePart::Kind::heading:
            lines_.push_back(part.lines.front());
            lines_.emplace_back(width_of(part.lines.front()), '-');
            return;
        case PagePart::Kind::paragraph:
            return add_text(part.lines.front(), "", "");
        case PagePart::Kind::statements:
            for (const std::string &line : part.lines)
                lines_.push_back("  " + line);
            return;
        case PagePart::Kind::entries:
            for (const std::vector<std::string> &row : part.rows)
                add_entry(part.titles, row);
        }
    }

    std::vector<std::string> lines() { return std::move(lines_); }

  private:
    void add_entry(const std::vector<std::string> &titles, const std::vector<std::string> &row) {
        add_text(row.front(), "  ", "  ");
        for (std::size_t i = 1; i < row.size(); i++)
            if (!row[i].empty())
                add_text(titles[i].empty() ? row[i] : titles[i] + ": " + row[i], "      ", "        ");
    }

    /// Words, as many as fit on a line. What needs marks elsewhere needs none here.
    void add_text(std::string text, const std::string &first_indent, const std::string &indent) {
        std::erase(text, '`');
        std::string line = first_indent;
        bool is_empty = true;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find(' ', begin), text.size());
            const std::string word = text.substr(begin, end - begin);
            if (!is_empty && width_of(line) + 1 + width_of(word) > width_) {
                lines_.push_back(line);
                line = indent;
                is_empty = true;
            }
            line += (is_empty ? "" : " ") + word;
            is_empty = false;
            begin = end + 1;
        }
        lines_.push_back(line);
    }

    const std::size_t width_;
    std::vector<std::string> lines_;
};

} // namespace

std::vector<std::string> terminal_lines(const Page &page, std::size_t width) {
    TerminalPage text(width);
    for (const PagePart &part : page.parts())
        text.add(part);
    return text.lines();
}

} // namespace reverse_etl
