#include "engine/requests/answer.h"

#include "engine/text/exact_json.h"
#include "engine/text/json_text.h"

#include <algorithm>
#include <cstdlib>

namespace reverse_etl {

using simdjson::dom::element;
using simdjson::dom::element_type;

namespace {

/// The parser bounds how deep values lie within each other.
void append_json(std::string &out, element value) {
    char separator = 0;
    const auto separate = [&](char opening) { out += std::exchange(separator, ',') == 0 ? opening : ','; };
    switch (value.type()) {
    case element_type::STRING: {
        const std::string_view text = value.get_string().value_unsafe();
        const std::string_view number = exact_number(text);
        if (number.empty())
            append_json_string(out, text);
        else
            out += number;
        return;
    }
    case element_type::ARRAY:
        for (element one : simdjson::dom::array(value.get_array().value_unsafe())) {
            separate('[');
            append_json(out, one);
        }
        out += separator == 0 ? "[]" : "]";
        return;
    case element_type::OBJECT:
        for (const auto member : simdjson::dom::object(value.get_object().value_unsafe())) {
            separate('{');
            append_json_string(out, member.key);
            out += ':';
            append_json(out, member.value);
        }
        out += separator == 0 ? "{}" : "}";
        return;
    default:
        out += simdjson::minify(value);
    }
}

} // namespace

bool Answer::is_json() {
    if (!parsed_) {
        parsed_ = true;
        error_ =
            exact_ ? parser_.parse(exact_json(response_.body)).get(root_) : parser_.parse(response_.body).get(root_);
        // One value that the parser does not take must not cost all others.
        if (error_ != simdjson::SUCCESS && !exact_)
            error_ = parser_.parse(exact_json(response_.body)).get(root_);
    }
    return error_ == simdjson::SUCCESS;
}

std::optional<element> Answer::at(const std::string &pointer) {
    if (!is_json())
        return std::nullopt;
    return reverse_etl::at(root_, pointer);
}

std::optional<std::string> Answer::plain_text_at(const std::string &pointer) {
    const auto found = at(pointer);
    return found && (found->is_string() || found->is_number()) ? std::optional(text_of(*found)) : std::nullopt;
}

std::optional<element> Answer::at(const Pointers &pointers) {
    for (const std::string &pointer : pointers)
        if (auto found = at(pointer))
            return found;
    return std::nullopt;
}

std::string Answer::words_at(element value, const Pointers &pointers) const {
    return words_.of(first_text(value, pointers));
}

std::string Answer::reason_at(std::optional<element> value, const ReasonSpec &reason, std::string_view name) const {
    std::string text = value ? words_at(*value, reason.at) : "";
    if (!text.empty())
        return text;
    for (const TextPart &part : reason.text)
        text += part.is_placeholder ? name : part.text;
    return words_.of(text);
}

std::optional<element> at(element value, const std::string &pointer) {
    if (pointer.empty())
        return value;
    if (!value.is_object() && !value.is_array())
        return std::nullopt;
    element found;
    if (value.at_pointer(pointer).get(found) != simdjson::SUCCESS)
        return std::nullopt;
    return found;
}

std::string text_of(element value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS)
        return json_of(value);
    const std::string_view number = exact_number(text);
    return std::string(number.empty() ? text : number);
}

std::string json_of(element value) {
    std::string json;
    append_json(json, value);
    return json;
}

std::string first_text(element value, const Pointers &pointers) {
    for (const std::string &pointer : pointers)
        if (auto found = at(value, pointer); found && !found->is_null())
            return text_of(*found);
    return "";
}

namespace {

bool equals(element value, const Scalar &wanted) {
    switch (value.type()) {
    case element_type::STRING: {
        const std::string_view found = value.get_string().value_unsafe();
        const double *number = std::get_if<double>(&wanted);
        if (const std::string_view digits = exact_number(found); !digits.empty())
            return number != nullptr && *number == std::strtod(std::string(digits).c_str(), nullptr);
        const auto *text = std::get_if<std::string>(&wanted);
        return text != nullptr && *text == found;
    }
    case element_type::BOOL: {
        const bool *flag = std::get_if<bool>(&wanted);
        return flag != nullptr && *flag == value.get_bool().value_unsafe();
    }
    case element_type::NULL_VALUE:
        return std::holds_alternative<std::nullptr_t>(wanted);
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: {
        const double *number = std::get_if<double>(&wanted);
        return number != nullptr && *number == value.get_double().value_unsafe();
    }
    default:
        return false;
    }
}

bool is_empty(element value) {
    switch (value.type()) {
    case element_type::STRING:
        return value.get_string().value_unsafe().empty();
    case element_type::ARRAY:
        return value.get_array().value_unsafe().size() == 0;
    case element_type::OBJECT:
        return value.get_object().value_unsafe().size() == 0;
    default:
        return false;
    }
}

bool has_content(element value) {
    return (value.is_string() || value.is_array() || value.is_object()) && !is_empty(value);
}

/// Nothing for what is no number.
std::optional<double> number_of(element value) {
    double number = 0;
    if (value.get(number) == simdjson::SUCCESS)
        return number;
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS || exact_number(text).empty())
        return std::nullopt;
    return std::strtod(std::string(exact_number(text)).c_str(), nullptr);
}

/// Longer texts look like nothing: an answer chooses how long they are, and each byte takes a step for each of a
/// pattern.
constexpr std::size_t longest_matched = 10000;

bool matches(const TextPattern &pattern, element value) {
    if (!value.is_string() && !value.is_number())
        return false;
    const std::string text = text_of(value);
    return text.size() <= longest_matched && pattern.matches(text);
}

/// `value`: nothing where nothing stands.
bool meets(const Demand &demand, const std::optional<element> &value) {
    const bool exists = value && !value->is_null();
    if (demand.exists && *demand.exists != exists)
        return false;
    if (demand.empty && !(exists && (*demand.empty ? is_empty(*value) : has_content(*value))))
        return false;
    if (demand.below) {
        const auto number = exists ? number_of(*value) : std::nullopt;
        if (!number || *number >= *demand.below)
            return false;
    }
    if (demand.matches && !(exists && matches(*demand.matches, *value)))
        return false;
    const auto is_it = [&](const Scalar &one) { return value && equals(*value, one); };
    if (!demand.in.empty() && std::none_of(demand.in.begin(), demand.in.end(), is_it))
        return false;
    return std::none_of(demand.none.begin(), demand.none.end(), [&](const Demand &one) { return meets(one, value); });
}

} // namespace

std::optional<std::string> next_of(const std::optional<element> &found) {
    if (!found || found->is_null() || is_empty(*found))
        return "";
    return found->is_string() || found->is_number() ? std::optional(text_of(*found)) : std::nullopt;
}

bool holds(const Condition &condition, element value) {
    return std::all_of(condition.begin(), condition.end(), [&](const Requirement &requirement) {
        return meets(requirement.demand, at(value, requirement.pointer));
    });
}

bool lacks_what_is_asked(const Condition &condition, element value) {
    return std::all_of(condition.begin(), condition.end(), [&](const Requirement &requirement) {
        const auto found = at(value, requirement.pointer);
        const bool is_there = found && !found->is_null();
        return meets(requirement.demand, found) || (!is_there && !requirement.demand.exists);
    });
}

} // namespace reverse_etl
