#include "engine/manifest/check_reader.h"

#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/headers.h"
#include "engine/text/lower_case.h"

namespace reverse_etl {

namespace {

void read_scopes(const ManifestNode &node, CheckSpec &check) {
    node.only({"header", "at", "needed"});
    if (node.has("header") == node.has("at"))
        node.fail("must have either a \"header\" or a pointer \"at\"");
    if (node.has("header")) {
        check.scopes_header = lower_case(node.at("header").literal());
        if (!is_token(check.scopes_header))
            node.at("header").fail("must be the name of a header");
    } else {
        check.scopes = node.at("at").pointers();
    }
    for (const ManifestNode &scope : node.at("needed").one_or_many()) {
        check.needed.push_back(scope.literal());
        if (check.needed.back().empty() || check.needed.back().find_first_of(" ,") != std::string::npos)
            scope.fail("must be one scope, without blanks and commas");
    }
}

/// It speaks of no row and of no object.
void check_speaks_of_nothing(const ManifestNode &node) {
    for (const char *member : {"request", "query"})
        if (node.has(member)) {
            if (node.at(member).value().is_string())
                node.at(member).template_text({});
            else
                for (const auto &[name, value] : node.at(member).members())
                    value.template_text({});
        }
}

} // namespace

void normalize_check(Json &manifest) {
    if (manifest.is_object() && manifest.contains("check") && manifest["check"].is_string())
        manifest["check"] = Json{{"request", manifest["check"]}};
}

CheckSpec read_check(const ManifestNode &node) {
    node.only({"request", "query", "headers", "format", "body", "errors", "identity", "scopes"});
    node.at("request");
    check_speaks_of_nothing(node);
    Json operation = node.value();
    operation.erase("identity");
    operation.erase("scopes");
    const ManifestNode request(operation, node.pointer(), node.unset());
    check_placeholders_fit(request, OperationKind::list);
    CheckSpec check;
    check.operation = read_operation(request, OperationKind::list);
    if (check.operation.method != "GET" && check.operation.method != "POST")
        node.at("request").fail("its method must be GET or POST, since a check changes nothing");
    if (node.has("identity"))
        check.identity = node.at("identity").pointers();
    if (node.has("scopes"))
        read_scopes(node.at("scopes"), check);
    return check;
}

} // namespace reverse_etl
