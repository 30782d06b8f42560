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
    names_.clear();
    values_.clear();
    read_members(row_, row);
    of_row_ = names_.size();
    read_members(key_, key);
}

void JsonRow::read_members(std::string &buffer, std::string_view text) {
    if (text.empty())
        return;
    buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    buffer.assign(text);
    try {
        auto document = parser_.iterate(buffer.data(), buffer.size(), buffer.capacity());
        for (auto field : document.get_object()) {
            names_.emplace_back(field.unescaped_key().value());
            values_.push_back(raw(field.value()));
        }
    } catch (const simdjson::simdjson_error &error) {
        throw std::runtime_error(std::string("a row of the outbox is not a JSON object: ") + error.what());
    }
}

} // namespace reverse_etl
