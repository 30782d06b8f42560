#include "engine/manifest/rate_limit_reader.h"

#include "engine/manifest/header_spec_reader.h"

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_bucket = {"{key}", "{row.FIELD}"};

RateLimitSpec read_rate_limit(const ManifestNode &node) {
    RateLimitSpec limit;
    limit.name = node.at("name").plain_name();
    if (node.has("for_each"))
        limit.for_each = node.at("for_each").template_text(of_bucket);
    if (node.has("concurrent")) {
        node.only({"name", "concurrent", "for_each"});
        limit.concurrent = node.at("concurrent").positive_integer();
        return limit;
    }
    node.only({"name", "requests", "seconds", "concurrent", "for_each", "limit", "used", "remaining", "reset"});
    limit.requests = node.at("requests").positive_integer();
    limit.seconds = node.at("seconds").positive_integer();
    limit.limit_header = read_told_number(node, "limit");
    limit.used_header = read_told_number(node, "used");
    limit.remaining_header = read_told_number(node, "remaining");
    if (node.has("reset"))
        limit.reset_header = read_told_time(node.at("reset"));
    return limit;
}

} // namespace

std::vector<RateLimitSpec> read_rate_limits(const ManifestNode &node) {
    std::vector<RateLimitSpec> limits;
    for (const ManifestNode &limit : node.elements())
        limits.push_back(read_rate_limit(limit));
    return limits;
}

} // namespace reverse_etl
