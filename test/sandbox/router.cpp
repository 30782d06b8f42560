#include "router.h"

#include "text.h"

namespace reverse_etl::sandbox {

namespace {

// The one list of what this server stands in for. The first whose prefix fits has the request.
const Connector *const connectors[] = {&control,       &hubspot,    &hubspot_schemas, &hubspot_account,
                                       &hubspot_oauth, &salesforce, &slack,           &generic};

std::string_view next_segment(std::string_view &path) {
    path.remove_prefix(1);
    std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string> &parameters) {
    parameters.clear();
    while (!pattern.empty()) {
        std::string_view expected = next_segment(pattern);
        if (path.size() < 2)
            return false;
        if (expected.ends_with("...}")) {
            parameters.push_back(percent_decoded(path.substr(1), false));
            return true;
        }
        std::string_view got = next_segment(path);
        if (expected.starts_with('{'))
            parameters.push_back(percent_decoded(got, false));
        else if (expected != got)
            return false;
    }
    return path.empty() || path == "/";
}

} // namespace

const Connector *connector_of(std::string_view path) {
    for (const Connector *connector : connectors)
        if (path.starts_with(connector->prefix))
            return connector;
    return nullptr;
}

const Route *route_of(const Connector &connector, Request &request) {
    for (const Route &route : connector.routes)
        if ((route.method == request.method || route.method == "*") &&
            matches(route.pattern, request.path, request.parameters))
            return &route;
    return nullptr;
}

} // namespace reverse_etl::sandbox
