#include "engine/manifest/idempotency_reader.h"

#include "engine/manifest/header_reader.h"
#include "engine/text/placeholders.h"

namespace reverse_etl {

namespace {

/// A name that is nothing, or that an option is still to give, is no header yet.
std::string header_name(const ManifestNode &node) {
    const std::string name = node.literal();
    if (!name.empty() && !sole_placeholder(node.text()))
        check_header_name(node, name);
    return name;
}

std::vector<std::string> tokens_of(const std::string &pointer) {
    std::vector<std::string> tokens;
    for (Json::json_pointer rest(pointer); !rest.empty(); rest.pop_back())
        tokens.insert(tokens.begin(), rest.back());
    return tokens;
}

/// Whether the object stands for something else: rows, columns in another shape, a text.
bool is_directive(const Json &object) {
    for (const auto &[name, value] : object.items())
        if (name.starts_with("$") && !name.starts_with("$$") &&
            !(name == "$columns" && !(value.is_object() && value.contains("as"))))
            return true;
    return false;
}

/// Adds the key to a body's template. What is missing on the way to it are objects.
void put_key(const ManifestNode &node, const std::vector<std::string> &tokens, Json &body) {
    Json *place = &body;
    for (const std::string &token : tokens) {
        if (place->is_null())
            *place = Json::object();
        if (!place->is_object() || is_directive(*place) || token.starts_with("$"))
            node.fail("leads to nothing that could be a member of an object of the body");
        place = &(*place)[with_braces_twice(token)];
    }
    if (!place->is_null())
        node.fail("leads to a member that the body has already");
    *place = "{request.id}";
}

} // namespace

void read_idempotency_key(const ManifestNode &node, OperationSpec &spec) {
    if (!node.value().is_object()) {
        spec.idempotency_header = header_name(node);
        return;
    }
    node.only({"body"});
    std::vector<std::string> tokens;
    try {
        tokens = tokens_of(node.at("body").json_pointer());
    } catch (const Json::exception &) {
        node.at("body").fail("must be a JSON pointer, in which \"~\" is written \"~0\"");
    }
    if (tokens.empty())
        node.at("body").fail("must name a member of the body");
    spec.idempotency_in_body = !is_read_only(spec.kind);
    if (spec.body == nullptr || is_read_only(spec.kind))
        return;
    Json body = *spec.body;
    put_key(node.at("body"), tokens, body);
    spec.body = std::make_shared<const Json>(std::move(body));
}

} // namespace reverse_etl
