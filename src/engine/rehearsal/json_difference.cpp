#include "engine/rehearsal/json_difference.h"

#include "engine/requests/words.h"
#include "engine/text/json_pointer.h"

namespace reverse_etl {

namespace {

constexpr std::size_t most_bytes = 200;

std::string difference(const std::string &pointer, const std::string &expected, const std::string &found) {
    return "\"" + pointer + "\" is " + expected + ", but the connector makes " + found;
}

std::string count(std::size_t entries) {
    return std::to_string(entries) + (entries == 1 ? " entry" : " entries");
}

} // namespace

std::string shown_json(const Json &value) {
    return beginning(value.dump(-1, ' ', false, Json::error_handler_t::replace), most_bytes);
}

std::optional<std::string> json_difference(const Json &expected, const Json &found, const std::string &pointer) {
    if (expected.is_object() && found.is_object()) {
        for (const auto &[name, value] : expected.items()) {
            const std::string at = pointer + "/" + pointer_token(name);
            if (!found.contains(name))
                return difference(at, shown_json(value), "nothing");
            if (auto inner = json_difference(value, found.at(name), at))
                return inner;
        }
        for (const auto &[name, value] : found.items())
            if (!expected.contains(name))
                return difference(pointer + "/" + pointer_token(name), "missing", shown_json(value));
        return std::nullopt;
    }
    if (expected.is_array() && found.is_array()) {
        for (std::size_t i = 0; i < expected.size() && i < found.size(); i++)
            if (auto inner = json_difference(expected[i], found[i], pointer + "/" + std::to_string(i)))
                return inner;
        if (expected.size() != found.size())
            return difference(pointer, "a list of " + count(expected.size()), count(found.size()));
        return std::nullopt;
    }
    if (expected == found)
        return std::nullopt;
    return difference(pointer, shown_json(expected), shown_json(found));
}

} // namespace reverse_etl
