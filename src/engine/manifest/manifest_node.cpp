#include "engine/manifest/manifest_node.h"

#include "engine/manifest/condition_reader.h"
#include "engine/manifest/known_names.h"
#include "engine/text/json_pointer.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

std::string token(const std::string &name) {
    return "/" + pointer_token(name);
}

} // namespace

std::string ManifestNode::pointer() const {
    std::string pointer;
    for (const Place *place = place_.get(); place != nullptr; place = place->within.get())
        pointer.insert(0, place->token);
    return pointer;
}

ManifestNode ManifestNode::at(const std::string &member) const {
    if (!value_.is_object())
        fail("must be an object");
    if (!value_.contains(member))
        fail("lacks the member \"" + member + "\"");
    return {value_.at(member), *this, token(member)};
}

std::vector<std::pair<std::string, ManifestNode>> ManifestNode::members() const {
    if (!value_.is_object())
        fail("must be an object");
    std::vector<std::pair<std::string, ManifestNode>> result;
    for (const auto &[name, value] : value_.items())
        result.emplace_back(name, ManifestNode(value, *this, token(name)));
    return result;
}

std::vector<ManifestNode> ManifestNode::elements() const {
    if (!value_.is_array())
        fail("must be an array");
    std::vector<ManifestNode> result;
    for (std::size_t i = 0; i < value_.size(); i++)
        result.push_back(ManifestNode(value_[i], *this, "/" + std::to_string(i)));
    return result;
}

std::vector<ManifestNode> ManifestNode::one_or_many() const {
    if (!value_.is_array())
        return {*this};
    if (value_.empty())
        fail("must not be empty");
    return elements();
}

void ManifestNode::only(std::initializer_list<const char *> names) const {
    for (const auto &[name, node] : members())
        if (name != "note" && std::find(names.begin(), names.end(), name) == names.end())
            node.fail("is not known here" + perhaps_meant(name, names) + "; the members are " + listed(names));
}

std::string ManifestNode::text() const {
    if (!value_.is_string())
        fail("must be a string");
    return value_.get<std::string>();
}

std::string ManifestNode::text_of_something() const {
    if (text().empty())
        fail("must not be empty");
    return text();
}

std::string ManifestNode::plain_name() const {
    const std::string name = text();
    if (name.empty() || name[0] < 'a' || name[0] > 'z' ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != name.npos)
        fail("must be a name of lower-case letters, digits and \"_\" that begins with a letter");
    return name;
}

std::string ManifestNode::text(const std::string &member, const std::string &fallback) const {
    return has(member) ? at(member).text() : fallback;
}

bool ManifestNode::may_be_set_later(const std::string &name) const {
    return unset_ != nullptr && unset_->types.contains(name);
}

bool ManifestNode::may_be_set_later(const std::string &name, std::initializer_list<OptionSpec::Type> types) const {
    return may_be_set_later(name) && std::find(types.begin(), types.end(), unset_->types.at(name)) != types.end();
}

std::string ManifestNode::template_text(PlaceholderNames names) const {
    const std::string text = this->text();
    if (has_lone_brace(text))
        fail("holds a brace that belongs to no placeholder; a brace of the text itself is written twice: \"{{\", "
             "\"}}\"");
    for (const TextPart &part : split_placeholders(text)) {
        const std::string name = part.text.starts_with("row.") ? "{row.FIELD}" : "{" + part.text + "}";
        if (!part.is_placeholder || std::find(names.begin(), names.end(), name) != names.end() ||
            may_be_set_later(part.text))
            continue;
        std::string known;
        for (const char *one : names)
            known += std::string(known.empty() ? "" : ", ") + one;
        fail("\"{" + part.text + "}\" is " +
             (known.empty() ? "no option of the connector, and no other placeholder may stand here"
                            : "neither an option of the connector nor one of those that may stand here: " + known));
    }
    return text;
}

std::string ManifestNode::literal() const {
    return substitute(template_text({}), [&](const std::string &name) -> std::optional<std::string> {
        unset_->met.insert(name);
        return std::nullopt;
    });
}

std::string ManifestNode::literal(const std::string &member, const std::string &fallback) const {
    return has(member) ? at(member).literal() : fallback;
}

std::string ManifestNode::literal_name(const std::string &name) const {
    if (has_lone_brace(name))
        fail("has a brace in its name that is not written twice: \"{{\", \"}}\"");
    return substitute(name, [&](const std::string &placeholder) -> std::optional<std::string> {
        fail("has a placeholder in its name, \"{" + placeholder + "}\"; a brace of the name itself is written twice");
    });
}

bool ManifestNode::flag(const std::string &member, bool fallback) const {
    if (!has(member))
        return fallback;
    if (!at(member).value().is_boolean())
        at(member).fail("must be true or false");
    return at(member).value().get<bool>();
}

int ManifestNode::positive_integer() const {
    if (!value_.is_number_integer() || value_ < 1 || value_ > 1000000000)
        fail("must be a positive integer");
    return value_.get<int>();
}

int ManifestNode::integer_from(int lowest) const {
    if (!value_.is_number_integer() || value_ < lowest || value_ > 1000000000)
        fail("must be an integer from " + std::to_string(lowest) + " on");
    return value_.get<int>();
}

std::string ManifestNode::json_pointer() const {
    std::string pointer = literal();
    check_pointer(pointer);
    return pointer;
}

std::string ManifestNode::json_pointer(PlaceholderNames names) const {
    std::string pointer = template_text(names);
    check_pointer(pointer);
    return pointer;
}

void ManifestNode::check_pointer(const std::string &pointer) const {
    if (!pointer.empty() && pointer[0] != '/')
        fail("must be a JSON pointer: \"\" or a path that begins with \"/\"");
}

Pointers ManifestNode::pointers() const {
    Pointers result;
    for (const ManifestNode &node : one_or_many())
        result.push_back(node.json_pointer());
    return result;
}

Scalar ManifestNode::scalar() const {
    if (value_.is_null())
        return nullptr;
    if (value_.is_boolean())
        return value_.get<bool>();
    if (value_.is_number())
        return value_.get<double>();
    if (value_.is_string())
        return literal();
    fail("must be a string, a number, true, false or null");
}

Condition ManifestNode::condition() const {
    return read_condition(*this);
}

std::size_t ManifestNode::one_of(std::initializer_list<const char *> names) const {
    auto found = std::find(names.begin(), names.end(), text());
    if (found == names.end())
        fail("must be one of " + listed(names) + perhaps_meant(text(), names));
    return found - names.begin();
}

} // namespace reverse_etl
