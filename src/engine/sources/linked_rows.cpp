#include "engine/sources/linked_rows.h"

#include "engine/http/url_reference.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/placeholders.h"

#include <stdexcept>
#include <utility>

namespace reverse_etl {

namespace {

/// A GET with the headers that the page asks for.
Json request_of(const ResultLink &link, Answer &page) {
    Json written = {{"request", "GET /"}, {"errors", {{{"status", {400, 401, 403, 404, 410}}, {"then", "reject"}}}}};
    const auto headers = page.at(link.headers);
    simdjson::dom::object members;
    if (headers && headers->get(members) == simdjson::SUCCESS)
        for (const auto &[name, value] : members)
            written["headers"][std::string(name)] = with_braces_twice(text_of(value));
    return written;
}

} // namespace

std::unique_ptr<StatementStep> linked_rows(const StatementContext &context, Answer &page) {
    const Object &home = context.source.object;
    const ResultLink &link = *context.source.spec.result.link;
    const auto address = page.at(link.at);
    if (!address || address->is_null())
        return nullptr;
    const std::string url = text_of(*address);
    if (!have_one_origin(url, home.base_url) &&
        !goes_to(url, link.hosts, home.base_url.substr(0, home.base_url.find(':'))))
        context.fail(Fault::unintelligible,
                     "the rows of the result are said to be at a host that the connector does not allow");
    const Json written = request_of(link, page);
    UnsetOptions none;
    try {
        auto step = std::make_unique<StatementStep>(
            context, read_operation(ManifestNode(written, "", &none), OperationKind::list),
            std::make_unique<const Elsewhere>(home, context.authenticator, url));
        step->submit(url);
        return step;
    } catch (const std::runtime_error &) {
        context.fail(Fault::unintelligible, "the rows of the result cannot be fetched by what the answer says of them");
    }
}

} // namespace reverse_etl
