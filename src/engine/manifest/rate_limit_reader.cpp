#include "engine/manifest/rate_limit_reader.h"

#include "engine/manifest/header_spec_reader.h"

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_bucket = {"{key}", "{row.FIELD}"};

/// What a request takes of a limit of points.
void read_cost(const ManifestNode &node, RateLimitSpec &limit) {
    limit.each_request = 0;
    if (node.value().is_number()) {
        limit.each_request = node.positive_integer();
        return;
    }
    node.only({"request", "row", "told"});
    if (!node.has("request") && !node.has("row"))
        node.fail("must say what a \"request\" or a \"row\" of it takes, which counts until an answer tells better");
    if (node.has("request"))
        limit.each_request = node.at("request").positive_integer();
    if (node.has("row"))
        limit.each_row = node.at("row").positive_integer();
    limit.cost = read_told_number(node, "told");
}

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
    if (node.has("points")) {
        node.only({"name", "points", "seconds", "cost", "for_each", "limit", "used", "remaining", "reset"});
        limit.unit = "point";
        limit.requests = node.at("points").positive_integer();
        read_cost(node.at("cost"), limit);
    } else if (node.has("rows")) {
        node.only({"name", "rows", "seconds", "for_each", "limit", "used", "remaining", "reset"});
        limit.unit = "row";
        limit.requests = node.at("rows").positive_integer();
        limit.each_request = 0;
        limit.each_row = 1;
    } else {
        node.only({"name", "requests", "seconds", "concurrent", "rows", "points", "for_each", "limit", "used",
                   "remaining", "reset"});
        limit.requests = node.at("requests").positive_integer();
    }
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
