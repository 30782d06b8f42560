#include "engine/manifest/manifest_filling.h"

#include "engine/text/errors.h"
#include "engine/text/placeholders.h"

#include <optional>
#include <vector>

namespace reverse_etl {

namespace {

constexpr std::size_t most_text_bytes = 1 << 20;
constexpr std::size_t most_filled_bytes = 4 << 20;
/// Of one object: they are looked for one after the other.
constexpr std::size_t most_members = 5000;
/// Nesting without end would overflow the stack of all that walks through it.
constexpr int deepest = 64;
/// An option's value may name another option, as a default of item_path names path; no deeper.
constexpr int most_options_within = 2;
/// What a value takes at least.
constexpr std::size_t bytes_of_value = 16;

std::size_t bytes_of(const Json &value) {
    if (value.is_string())
        return bytes_of_value + value.get_ref<const std::string &>().size();
    std::size_t bytes = bytes_of_value;
    for (const auto &[name, member] : value.items())
        bytes += value.is_structured() ? name.size() + bytes_of(member) : 0;
    return bytes;
}

/// Appends a part of a path; where both bring a slash, one is enough.
void append_to_path(std::string &path, std::string_view more) {
    if (path.ends_with('/') && more.starts_with('/'))
        more.remove_prefix(1);
    path += more;
}

} // namespace

Json parse_json(std::string_view text, Pause pause) {
    if (text.size() > most_text_bytes)
        throw ManifestError("", "is larger than " + std::to_string(most_text_bytes) + " bytes");
    std::vector<std::size_t> members(deepest + 2);
    std::size_t events = 0;
    const auto check = [&](int depth, Json::parse_event_t event, const Json &) {
        if (depth > deepest)
            throw ManifestError("", "is nested too deeply");
        if (event == Json::parse_event_t::object_start)
            members[depth + 1] = 0;
        if (event == Json::parse_event_t::key && ++members[depth] > most_members)
            throw ManifestError("", "has an object with more than " + std::to_string(most_members) + " members");
        if (pause != nullptr && ++events % 1000 == 0)
            pause();
        return true;
    };
    try {
        return Json::parse(text, check);
    } catch (const Json::out_of_range &) {
        throw ManifestError("", "holds a number that is too large");
    }
}

void ManifestFilling::count(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > most_filled_bytes)
        throw ManifestError("", "is larger than " + std::to_string(most_filled_bytes) +
                                    " bytes once its options are filled in");
}

void ManifestFilling::fill_in(Json &value) {
    if (pause_ != nullptr)
        pause_();
    if (value.is_string()) {
        const std::string text = value.get<std::string>();
        if (auto sole = sole_placeholder(text))
            if (auto json = jsons.find(*sole); json != jsons.end()) {
                count(bytes_of(json->second));
                value = json->second;
                return;
            }
        value = filled(text);
    } else if (value.is_object()) {
        for (auto member = value.begin(); member != value.end(); ++member)
            if (member.key() == "request" && member->is_string())
                *member = filled_request(member->get<std::string>());
            else
                fill_in(*member);
    } else if (value.is_array()) {
        for (auto &element : value)
            fill_in(element);
    }
}

std::string ManifestFilling::filled(const std::string &text) {
    std::string result = text;
    for (int depth = 0; depth < most_options_within; depth++)
        result = substitute(result, [&](const std::string &name) -> std::optional<std::string> {
            auto found = texts.find(name);
            if (found == texts.end())
                return std::nullopt;
            count(found->second.size());
            return found->second;
        });
    return result;
}

/// A path that is put together from options stays one: a query that an option holds goes behind all of the path, and
/// two parts meet in one slash.
std::string ManifestFilling::filled_request(const std::string &text) {
    const Request request = request_of(text, 0);
    return request.query.empty() ? request.path : request.path + "?" + request.query;
}

ManifestFilling::Request ManifestFilling::request_of(const std::string &text, int depth) {
    Request request;
    bool in_query = false;
    for (const TextPart &part : split_placeholders(text)) {
        auto option = part.is_placeholder ? texts.find(part.text) : texts.end();
        if (option != texts.end() && depth < most_options_within) {
            count(option->second.size());
            const Request piece = request_of(option->second, depth + 1);
            append_to_path(in_query ? request.query : request.path, piece.path);
            if (!piece.query.empty())
                request.query += (request.query.empty() ? "" : "&") + piece.query;
            continue;
        }
        const std::string literal = part.is_placeholder ? "{" + part.text + "}" : part.text;
        const std::size_t mark = in_query ? 0 : literal.find('?');
        if (in_query) {
            request.query += literal;
        } else {
            append_to_path(request.path, literal.substr(0, mark));
            in_query = mark != literal.npos;
            if (in_query)
                request.query += (request.query.empty() ? "" : "&") + literal.substr(mark + 1);
        }
    }
    return request;
}

} // namespace reverse_etl
