#pragma once

#include "engine/text/headers.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/world/clock.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace reverse_etl {

/// A request as a destination of a test got it.
struct Received {
    std::string method, target, body;
    Clock::time_point at;
    Headers headers; ///< names as they were spelled

    bool has(std::string_view name) const {
        return std::any_of(headers.begin(), headers.end(),
                           [&](const auto &header) { return lower_case(header.first) == lower_case(name); });
    }

    /// All values of a header, with " and " between them: "" if it did not come.
    std::string all_of(std::string_view name) const {
        std::string values;
        for (const auto &[other, value] : headers)
            if (lower_case(other) == lower_case(name))
                values += (values.empty() ? "" : " and ") + value;
        return values;
    }

    std::string authorization() const { return all_of("Authorization"); }
    std::string idempotency_key() const { return all_of("Idempotency-Key"); }

    /// A member of the body.
    Json member(const char *name) const { return Json::parse(body).at(name); }
};

} // namespace reverse_etl
