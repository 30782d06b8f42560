#include "engine/manifest/limit_text.h"

namespace reverse_etl {

std::string described(const RateLimitSpec &limit) {
    std::string scope = limit.for_each.empty() ? "" : " for each " + limit.for_each;
    if (limit.concurrent > 0)
        return std::to_string(limit.concurrent) + (limit.concurrent == 1 ? " request" : " requests") + " at once" +
               scope;
    std::string seconds = limit.seconds == 1 ? "second" : std::to_string(limit.seconds) + " seconds";
    if (limit.seconds == 86400)
        seconds = "day";
    return std::to_string(limit.requests) + " " + limit.unit + (limit.requests == 1 ? " per " : "s per ") + seconds +
           scope;
}

} // namespace reverse_etl
