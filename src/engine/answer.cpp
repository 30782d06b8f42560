#include "engine/answer.h"

namespace reverse_etl {

using simdjson::dom::element;
using simdjson::dom::element_type;

bool Answer::is_json() {
    if (!parsed_) {
        parsed_ = true;
        error_ = parser_.parse(response_.body).get(root_);
    }
    return error_ == simdjson::SUCCESS;
}

std::optional<element> Answer::at(const std::string &pointer) {
    if (!is_json())
        return std::nullopt;
    return reverse_etl::at(root_, pointer);
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
    if (value.get(text) == simdjson::SUCCESS)
        return std::string(text);
    return simdjson::minify(value);
}

std::string first_text(element value, const Pointers &pointers) {
    for (const std::string &pointer : pointers)
        if (auto found = at(value, pointer); found && !found->is_null())
            return text_of(*found);
    return "";
}

std::string reason_at(element value, const Pointers &pointers) {
    constexpr std::size_t longest_reason = 500;
    return beginning(first_text(value, pointers), longest_reason);
}

std::string beginning(std::string text, std::size_t most_bytes) {
    if (text.size() <= most_bytes)
        return text;
    auto continues = [](char c) { return (c & 0xc0) == 0x80; };
    while (most_bytes > 0 && continues(text[most_bytes]))
        most_bytes--;
    text.resize(most_bytes);
    return text;
}

namespace {

bool equals(element value, const Scalar &wanted) {
    switch (value.type()) {
    case element_type::STRING: {
        const auto *text = std::get_if<std::string>(&wanted);
        return text != nullptr && *text == value.get_string().value_unsafe();
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
