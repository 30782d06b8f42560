#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "http.h"

namespace reverse_etl::sandbox {

struct World;

// method "*" is any; in a pattern {name} is one segment and {name...} all the rest, of one segment at least.
struct Route {
    std::string_view method;
    std::string_view pattern;
    void (*handle)(World &, const Request &, Answer &);
    bool open = false; // asks for no credentials
};

// One stand-in API. What all its answers share stands here, what they do in its routes.
struct Connector {
    std::string_view name;
    std::string_view prefix;
    std::span<const Route> routes;
    bool (*authorize)(World &, const Request &, Answer &);            // false: the answer says why not
    void (*not_found)(const Request &, Answer &);                     // no such path
    void (*fail)(Failure, const FaultRule &, std::int64_t, Answer &); // rate limited, unavailable, broken
    void (*finish)(World &, Answer &);                                // headers on every answer
};

extern const Connector hubspot, hubspot_schemas, hubspot_account, hubspot_oauth, salesforce, slack, generic, control;

// The id that HubSpot gives to the record at a position.
std::string hubspot_id(std::size_t position);

const Connector *connector_of(std::string_view path);
const Route *route_of(const Connector &connector, Request &request); // fills request.parameters

} // namespace reverse_etl::sandbox
