#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// A moment in UTC as rows write it: "2026-01-31", "2026-01-31T12:34:56.789" or the same with "+00:00".
struct IsoMoment {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;

    static std::optional<IsoMoment> parse(std::string_view text);

    /// Since 1970-01-01, rounded down.
    std::int64_t epoch_ms() const;
    std::int64_t epoch_s() const;
};

/// Whether a format of dates is one: YYYY, YY, MM, DD, HH, MI, SS and MS, and signs that are no letters.
bool is_date_format(std::string_view format);
std::string in_date_format(const IsoMoment &moment, std::string_view format);

} // namespace reverse_etl
