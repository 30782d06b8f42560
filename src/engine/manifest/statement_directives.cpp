#include "engine/manifest/statement_directives.h"

#include "engine/manifest/statement_spec.h"
#include "engine/text/placeholders.h"

#include <charconv>
#include <optional>

namespace reverse_etl {

namespace {

struct Parameters {
    const std::vector<StatementParameter> &list;
    const RequestValues &values;
};

/// A value as a text that is read as a template once more.
std::string filled(const std::string &text, const StatementParameter &parameter, std::size_t number) {
    std::string result;
    for (const TextPart &part : split_as_written(text)) {
        if (!part.is_placeholder)
            result += part.text;
        else if (part.text == "parameter.number")
            result += std::to_string(number);
        else if (part.text == "parameter.type")
            result += with_braces_twice(parameter.type);
        else if (part.text == "parameter.value")
            result += with_braces_twice(parameter.value);
        else
            result += "{" + part.text + "}";
    }
    return result;
}

Json filled(const Json &value, const StatementParameter &parameter, std::size_t number) {
    if (value.is_string())
        return filled(value.get<std::string>(), parameter, number);
    Json made = value;
    if (made.is_structured())
        for (Json &member : made)
            member = filled(member, parameter, number);
    return made;
}

/// Nothing where there are none.
std::optional<Json> written_out(const Json &directive, const Parameters &parameters) {
    if (parameters.list.empty())
        return std::nullopt;
    const bool is_map = directive.is_object() && directive.contains("name");
    const Json &element = directive.is_array() ? directive.at(0) : directive;
    Json made = is_map ? Json::object() : Json::array();
    for (std::size_t i = 0; i < parameters.list.size(); i++) {
        if (is_map)
            made[filled(directive.at("name").get<std::string>(), parameters.list[i], i + 1)] =
                filled(directive.at("value"), parameters.list[i], i + 1);
        else
            made.push_back(filled(element, parameters.list[i], i + 1));
    }
    return made;
}

Json number_of(const std::string &written, const RequestValues &values) {
    const std::string name = sole_placeholder(written).value_or("");
    const std::string prefix = of_statement;
    const auto found = values.find(name.substr(std::min(name.size(), prefix.size())));
    const std::string text = found == values.end() ? "0" : found->second;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// The first page has no name, and what would hold it is left out.
bool names_first_page(const Json &value, const RequestValues &values) {
    const auto page = values.find("page");
    return value == "{statement.page}" && page != values.end() && page->second.empty();
}

std::optional<Json> expanded(const Json &value, const Parameters &parameters) {
    if (names_first_page(value, parameters.values))
        return std::nullopt;
    if (!value.is_structured())
        return value;
    if (value.is_object() && value.contains("$parameters"))
        return written_out(value.at("$parameters"), parameters);
    if (value.is_object() && value.contains("$number"))
        return number_of(value.at("$number").get<std::string>(), parameters.values);
    if (value.is_object() && value.contains("$given"))
        return value.at("$given") == "" ? std::nullopt : std::optional<Json>(value.at("$given"));
    Json made = value;
    made.clear();
    for (const auto &[name, member] : value.items()) {
        std::optional<Json> one = expanded(member, parameters);
        if (one && value.is_object())
            made[name] = std::move(*one);
        else if (one)
            made.push_back(std::move(*one));
    }
    return made;
}

void check_directive(const ManifestNode &object, const std::string &name, const ManifestNode &member) {
    if (object.value().size() != 1)
        member.fail("must be the only member of its object");
    if (name == "$number") {
        if (!sole_placeholder(member.text()).value_or("").starts_with(of_statement))
            member.fail("must be \"{statement.NAME}\"");
    } else if (name == "$parameters") {
        if (member.value().is_array() && member.value().size() != 1)
            member.fail("must hold one element, which is made for each");
        if (member.has("name") != member.has("value"))
            member.fail("must have \"name\" and \"value\", or be an element");
        if (member.has("name")) {
            member.only({"name", "value"});
            member.at("name").text_of_something();
        }
    } else if (name == "$given") {
        member.text();
    } else {
        member.fail("is no directive; those of a statement's body are \"$parameters\", \"$number\" and \"$given\"");
    }
}

} // namespace

Json with_parameters(const Json &request, const std::vector<StatementParameter> &parameters,
                     const RequestValues &values) {
    Json made = request;
    if (request.contains("query"))
        for (const auto &[name, value] : request.at("query").items()) {
            if (names_first_page(value, values) || name == "$parameters")
                made["query"].erase(name);
            if (name == "$parameters")
                made["query"].update(written_out(value, {parameters, values}).value_or(Json::object()));
        }
    if (request.contains("body"))
        made["body"] = expanded(request.at("body"), {parameters, values}).value_or(Json::object());
    return made;
}

void check_directives_of_query(const ManifestNode &query) {
    if (!query.has("$parameters"))
        return;
    const ManifestNode directive = query.at("$parameters");
    directive.only({"name", "value"});
    directive.at("name").text_of_something();
    directive.at("value").text();
}

void check_directives(const ManifestNode &node) {
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_directives(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name.starts_with("$"))
                check_directive(node, name, member);
            check_directives(member);
        }
}

} // namespace reverse_etl
