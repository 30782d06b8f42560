#include "engine/requests/answer.h"

#include "engine/text/exact_json.h"
#include "engine/text/json_text.h"

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

std::optional<element> Answer::at(const Pointers &pointers) {
    for (const std::string &pointer : pointers)
        if (auto found = at(pointer))
            return found;
    return std::nullopt;
}

std::string Answer::words_at(element value, const Pointers &pointers) const {
    return words_.of(first_text(value, pointers));
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

} // namespace

bool holds(const Condition &condition, element value) {
    for (const auto &[pointer, wanted] : condition) {
        auto found = at(value, pointer);
        bool matches = false;
        for (const Scalar &one : wanted)
            matches |= found && equals(*found, one);
        if (!matches)
            return false;
    }
    return true;
}

} // namespace reverse_etl
