#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// Guesses the Postgres type of a column by values of it: the narrowest that takes all of them. A number with a zero at
/// its beginning is a text, for it is a code of some kind.
class TypeGuess {
  public:
    /// A value of which nothing but its text is known, as in CSV.
    void see_cell(std::string_view text);
    /// A text, be it one of digits.
    void see_text(std::string_view text);
    void see_number(std::string_view digits);
    void see_boolean() { seen_ |= boolean; }
    /// More than one value.
    void see_structure() { seen_ |= structure; }

    /// "text" where nothing was seen.
    std::string type() const;

  private:
    static constexpr unsigned boolean = 1, bigint = 2, numeric = 4, date = 8, timestamp = 16, timestamptz = 32,
                              text = 64, structure = 128;

    static unsigned kind_of_number(std::string_view digits);
    static unsigned kind_of_moment(std::string_view text);

    unsigned seen_ = 0;
};

} // namespace reverse_etl
