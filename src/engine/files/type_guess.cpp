#include "engine/files/type_guess.h"

#include <cstddef>

namespace reverse_etl {

namespace {

/// Takes a text apart from its beginning on.
class Taker {
  public:
    explicit Taker(std::string_view text) : text_(text) {}

    bool is_empty() const { return text_.empty(); }
    bool takes(char sign) {
        const bool is_there = !text_.empty() && text_.front() == sign;
        if (is_there)
            text_.remove_prefix(1);
        return is_there;
    }
    /// How many digits were taken, `most` at most.
    std::size_t digits(std::size_t most = std::string_view::npos) {
        std::size_t count = 0;
        for (; count < most && !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; count++)
            text_.remove_prefix(1);
        return count;
    }
    /// A number of two digits, if it is one from `lowest` to `highest`.
    bool two_digits(int lowest, int highest) {
        const std::string_view before = text_;
        if (digits(2) != 2)
            return false;
        const int number = (before[0] - '0') * 10 + before[1] - '0';
        return number >= lowest && number <= highest;
    }

  private:
    std::string_view text_;
};

bool takes_zone(Taker &taker) {
    if (taker.takes('Z'))
        return true;
    if (!taker.takes('+') && !taker.takes('-'))
        return false;
    if (!taker.two_digits(0, 15))
        return false;
    const bool has_colon = taker.takes(':');
    return (taker.is_empty() && !has_colon) || taker.two_digits(0, 59);
}

} // namespace

/// 0 for what is none.
unsigned TypeGuess::kind_of_number(std::string_view digits) {
    constexpr std::size_t digits_of_bigint = 18; // all of them
    Taker taker(digits);
    taker.takes('-');
    const bool begins_with_zero = taker.takes('0');
    const std::size_t whole = (begins_with_zero ? 1 : 0) + taker.digits();
    if (whole == 0 || (begins_with_zero && whole > 1))
        return 0;
    if (taker.is_empty())
        return whole <= digits_of_bigint ? bigint : numeric;
    if (taker.takes('.') && taker.digits() == 0)
        return 0;
    if (taker.takes('e') || taker.takes('E')) {
        if (!taker.takes('-'))
            taker.takes('+');
        const std::size_t exponent = taker.digits();
        if (exponent == 0 || exponent > 3)
            return 0;
    }
    return taker.is_empty() ? numeric : 0;
}

unsigned TypeGuess::kind_of_moment(std::string_view written) {
    Taker taker(written);
    if (taker.digits(4) != 4 || !taker.takes('-') || !taker.two_digits(1, 12) || !taker.takes('-') ||
        !taker.two_digits(1, 31))
        return 0;
    if (taker.is_empty())
        return date;
    if ((!taker.takes('T') && !taker.takes(' ')) || !taker.two_digits(0, 23) || !taker.takes(':') ||
        !taker.two_digits(0, 59))
        return 0;
    if (taker.takes(':') && (!taker.two_digits(0, 59) || (taker.takes('.') && taker.digits() == 0)))
        return 0;
    if (taker.is_empty())
        return timestamp;
    return takes_zone(taker) && taker.is_empty() ? timestamptz : 0;
}

void TypeGuess::see_cell(std::string_view written) {
    const unsigned number = kind_of_number(written);
    if (written == "true" || written == "false")
        seen_ |= boolean;
    else if (number != 0)
        seen_ |= number;
    else
        see_text(written);
}

void TypeGuess::see_text(std::string_view written) {
    const unsigned moment = kind_of_moment(written);
    seen_ |= moment == 0 ? text : moment;
}

void TypeGuess::see_number(std::string_view digits) {
    const unsigned number = kind_of_number(digits);
    seen_ |= number == 0 ? text : number;
}

std::string TypeGuess::type() const {
    if ((seen_ & structure) != 0)
        return "jsonb";
    switch (seen_) {
    case boolean:
        return "boolean";
    case bigint:
        return "bigint";
    case numeric:
    case bigint | numeric:
        return "numeric";
    case date:
        return "date";
    case timestamp:
    case date | timestamp:
        return "timestamp";
    case timestamptz:
        return "timestamptz";
    default:
        return "text";
    }
}

} // namespace reverse_etl
