#pragma once

#include <bitset>
#include <optional>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A pattern for whole texts: characters, classes as [a-z0-9-], "." for any of them, "\" before a sign that stands for
/// itself, each with "?", "*", "+", {2} or {2,5} behind it if it may repeat, and "|" between patterns. There are no
/// groups, so whatever a pattern and a text are, matching takes no more steps than their lengths multiplied.
class TextPattern {
  public:
    /// Nothing if it is none.
    static std::optional<TextPattern> parse(std::string_view pattern);

    bool matches(std::string_view text) const;

  private:
    struct Step {
        std::bitset<256> bytes;
        bool may_be_left_out = false;
        bool may_repeat = false;
    };
    using Steps = std::vector<Step>;

    static bool add_steps(std::string_view pattern, Steps &steps);
    static bool follows(const Steps &steps, std::string_view text);

    std::vector<Steps> alternatives_;
};

} // namespace reverse_etl
