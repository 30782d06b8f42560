#include "engine/requests/json_row.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace reverse_etl {

namespace {

std::string_view raw(simdjson::ondemand::value value) {
    switch (value.type().value()) {
    case simdjson::ondemand::json_type::object:
        return value.get_object().value().raw_json().value();
    case simdjson::ondemand::json_type::array:
        return value.get_array().value().raw_json().value();
    default:
        break;
    }
    std::string_view token = value.raw_json_token();
    std::size_t end = token.find_last_not_of(" \t\r\n");
    return token.substr(0, end + 1);
}

/// Where the string ends that begins here; npos if it does not.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
    for (std::size_t quote = begin;;) {
        quote = text.find('"', quote + 1);
        if (quote == std::string_view::npos)
            return quote;
        std::size_t backslashes = 0;
        while (text[quote - 1 - backslashes] == '\\')
            backslashes++;
        if (backslashes % 2 == 0)
            return quote + 1;
    }
}

/// Where the object or array ends that begins here; npos if it does not.
std::size_t end_of_nested(std::string_view text, std::size_t begin) {
    std::size_t depth = 0;
    for (std::size_t at = begin; at < text.size();) {
        const char c = text[at];
        at = c == '"' ? end_of_string(text, at) : at + 1;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return std::string_view::npos;
}

bool is_of_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '+' || c == 'E';
}

/// Where the value ends that begins here, in a text that Postgres took as JSON; npos if it is none.
std::size_t end_of_value(std::string_view text, std::size_t begin) {
    if (begin >= text.size())
        return std::string_view::npos;
    if (text[begin] == '"')
        return end_of_string(text, begin);
    if (text[begin] == '{' || text[begin] == '[')
        return end_of_nested(text, begin);
    std::size_t end = begin;
    while (end < text.size() && is_of_word(text[end]))
        end++;
    return end > begin ? end : std::string_view::npos;
}

} // namespace

void append_as_text(std::string_view json, std::string &out) {
    if (json.front() != '"')
        out += json;
    else if (json.find('\\') == std::string_view::npos)
        out += json.substr(1, json.size() - 2);
    else
        out += nlohmann::json::parse(json).get_ref<const std::string &>();
}

void JsonRow::read(std::string_view row, std::string_view key) {
    values_.clear();
    was_told_places_ = false;
    is_like_before_ = knows_members_ && read_like_before(row_, row) && read_like_before(key_, key);
    if (is_like_before_)
        return;
    knows_members_ = false;
    names_.clear();
    values_.clear();
    parse(row_, row);
    of_row_ = names_.size();
    parse(key_, key);
    knows_members_ = true;
}

void JsonRow::read_at(std::string_view row, std::string_view key, const std::vector<ValuePlace> &places) {
    values_.clear();
    for (std::size_t i = 0; i < places.size(); i++)
        values_.push_back((i < of_row_ ? row : key).substr(places[i].begin, places[i].end - places[i].begin));
}

void JsonRow::read_next(std::string_view row, std::string_view key, const std::vector<ValuePlace> &places) {
    read_at(row, key, places);
    is_like_before_ = was_told_places_ = true;
}

void JsonRow::tell_places(std::vector<ValuePlace> &places) const {
    places.clear();
    for (std::size_t i = 0; i < values_.size(); i++) {
        const char *text = (i < of_row_ ? row_ : key_).text.data();
        const auto begin = static_cast<std::uint32_t>(values_[i].data() - text);
        places.push_back({begin, begin + static_cast<std::uint32_t>(values_[i].size())});
    }
}

bool JsonRow::read_like_before(Part &part, std::string_view text) {
    if (part.openings.empty() || text.empty())
        return part.openings.empty() && text.empty();
    if (!simdjson::validate_utf8(text.data(), text.size()))
        return false;
    part.text.assign(text);
    const std::string_view all = part.text;
    std::size_t at = 0;
    for (const std::string &opening : part.openings) {
        if (all.compare(at, opening.size(), opening) != 0)
            return false;
        at += opening.size();
        const std::size_t end = end_of_value(all, at);
        if (end == std::string_view::npos)
            return false;
        values_.push_back(all.substr(at, end - at));
        at = end;
    }
    return all.substr(at) == part.closing;
}

void JsonRow::parse(Part &part, std::string_view text) {
    part.openings.clear();
    if (text.empty())
        return;
    part.text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    part.text.assign(text);
    const char *at = part.text.data();
    try {
        auto document = parser_.iterate(part.text.data(), part.text.size(), part.text.capacity());
        for (auto field : document.get_object()) {
            names_.emplace_back(field.unescaped_key().value());
            values_.push_back(raw(field.value()));
            part.openings.emplace_back(at, values_.back().data());
            at = values_.back().data() + values_.back().size();
        }
    } catch (const simdjson::simdjson_error &error) {
        throw std::runtime_error(std::string("a row of the outbox is not a JSON object: ") + error.what());
    }
    part.closing.assign(at, part.text.data() + part.text.size() - at);
}

} // namespace reverse_etl
