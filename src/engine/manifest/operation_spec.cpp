#include "engine/manifest/operation_spec.h"

#include <algorithm>

namespace reverse_etl {

bool is_read_only(OperationKind kind) {
    return kind == OperationKind::lookup || kind == OperationKind::list;
}

const char *operation_name(OperationKind kind) {
    for (const auto &[name, named] : operation_names)
        if (named == kind)
            return name;
    return "";
}

double OperationSpec::shortest_seconds(std::int64_t requests) const {
    double seconds = 0;
    for (const RateLimitSpec &limit : rate_limits)
        if (limit.for_each.empty() && limit.unit == "request" && limit.requests > 0 && requests > 0)
            seconds = std::max(seconds, static_cast<double>((requests - 1) / limit.requests) * limit.seconds);
    return seconds;
}

bool OperationSpec::needs_content() const {
    return std::any_of(results.begin(), results.end(),
                       [](const ResultSpec &result) { return result.has_entries() || !result.always_accepts(); });
}

bool OperationSpec::needs_json() const {
    return is_read_only(kind) ||
           std::any_of(results.begin(), results.end(), [](const ResultSpec &result) { return !result.id_header; }) ||
           needs_content();
}

} // namespace reverse_etl
