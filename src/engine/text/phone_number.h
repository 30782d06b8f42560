#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// How numbers are dialled in a country.
struct DiallingPlan {
    const char *country; ///< two letters, ISO 3166
    const char *code;    ///< what stands behind the "+" of its numbers
    const char *trunk;   ///< what is dialled before a number within the country, and is no part of it
    const char *abroad;  ///< what is dialled in place of a "+"
};

/// Nothing for a country that is not known, or whose numbers this cannot tell from what is dialled before them.
const DiallingPlan *dialling_plan(std::string_view country);

/// The telephone number as ITU-T E.164 writes it, "+4915112345678", for one that is written as in that country or with
/// its country's code. Nothing if it is none.
std::optional<std::string> e164_number(std::string_view text, const DiallingPlan &plan);

} // namespace reverse_etl
