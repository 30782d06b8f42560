#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// What tells people about something, in no format yet. In its texts `names` stand between backticks.
struct PagePart {
    enum class Kind { title, heading, paragraph, statements, entries } kind = Kind::paragraph;
    std::vector<std::string> lines; ///< of statements; else one text
    /// Of entries: what each has, the first of which names it.
    std::vector<std::string> titles;
    std::vector<std::vector<std::string>> rows;
};

class Page {
  public:
    void title(std::string text) { add(PagePart::Kind::title, {std::move(text)}); }
    void heading(std::string text) { add(PagePart::Kind::heading, {std::move(text)}); }
    void paragraph(std::string text) { add(PagePart::Kind::paragraph, {std::move(text)}); }
    /// SQL to type. Statements that need an answer of the destination stand apart from those that need none.
    void statements(std::vector<std::string> lines) { add(PagePart::Kind::statements, std::move(lines)); }
    /// Every row has as many texts as there are titles; those may be empty.
    void entries(std::vector<std::string> titles, std::vector<std::vector<std::string>> rows);

    const std::vector<PagePart> &parts() const { return parts_; }

  private:
    void add(PagePart::Kind kind, std::vector<std::string> lines) {
        parts_.push_back({kind, std::move(lines), {}, {}});
    }

    std::vector<PagePart> parts_;
};

/// A name that stands in a text as it has to be typed.
std::string code(const std::string &name);

/// What a manifest says in words, in one line.
std::string prose(const std::string &text);

/// "a, b and c"
std::string enumerated(const std::vector<std::string> &texts, const char *last = " and ");

/// The page for a terminal: lines of `width` characters at most, but for words that are longer.
std::vector<std::string> terminal_lines(const Page &page, std::size_t width);

/// The page in Markdown.
std::vector<std::string> markdown_lines(const Page &page);

} // namespace reverse_etl
