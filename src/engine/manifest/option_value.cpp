#include "engine/manifest/option_value.h"

#include "engine/text/errors.h"
#include "engine/text/json.h"
#include "engine/text/one_query.h"
#include "engine/text/text_pattern.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace reverse_etl {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view of_label = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

bool is_all_of(std::string_view text, std::string_view characters) {
    return !text.empty() && text.find_first_not_of(characters) == text.npos;
}

/// RFC 1123 section 2.1
bool is_label(std::string_view text) {
    return is_all_of(text, of_label) && text.size() <= 63 && !text.starts_with('-') && !text.ends_with('-');
}

bool is_host(std::string_view text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (colon < text.size() && (!is_all_of(text.substr(colon + 1), digits) || text.size() - colon > 6))
        return false;
    std::string_view name = text.substr(0, colon);
    if (name.empty() || name.size() > 253)
        return false;
    for (;;) {
        const std::size_t dot = name.find('.');
        if (!is_label(name.substr(0, dot)))
            return false;
        if (dot == name.npos)
            return true;
        name.remove_prefix(dot + 1);
    }
}

bool is_integer(const std::string &value) {
    long long number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc() && end == value.data() + value.size();
}

std::string needs_of_query(const std::string &value) {
    try {
        one_query(value);
        return "";
    } catch (const SettingError &) {
        return "must be one statement, without \";\" in it: where a literal holds one, write it by its number, as in "
               "chr(59)";
    }
}

std::string needs_of_type(OptionSpec::Type type, const std::string &value) {
    switch (type) {
    case OptionSpec::Type::integer:
        return is_integer(value) ? "" : "must be an integer";
    case OptionSpec::Type::boolean:
        return value == "true" || value == "false" ? "" : "must be true or false";
    case OptionSpec::Type::json:
        // A word such as status may stand without its quotes.
        return Json::accept(value) || value.find_first_of("{[\"") == std::string::npos ? "" : "must be JSON";
    case OptionSpec::Type::host:
        return is_host(value) ? "" : "must be the name of a host";
    case OptionSpec::Type::label:
        return is_label(value)
                   ? ""
                   : "must be one part of a host's name: at most 63 letters, digits and \"-\", and no \"-\" at an "
                     "end";
    case OptionSpec::Type::url:
        return is_base_url(value) ? ""
                                  : "must be a URL such as https://api.example.com, without user, password, query and "
                                    "fragment";
    case OptionSpec::Type::query:
        return needs_of_query(value);
    case OptionSpec::Type::text:
    case OptionSpec::Type::path:
        break;
    }
    return value.find_first_of("\r\n") == std::string::npos ? "" : "must not hold a line break";
}

} // namespace

bool is_base_url(std::string_view value) {
    const bool begins = value.starts_with("http://") || value.starts_with("https://");
    return begins && value.find_first_of("@?#{}\\ \r\n\t") == value.npos && value.find("://") + 3 < value.size();
}

std::string needs_of_option(const OptionSpec &option, const std::string &value) {
    if (std::string needs = needs_of_type(option.type, value); !needs.empty())
        return needs;
    if (!option.one_of.empty() && std::find(option.one_of.begin(), option.one_of.end(), value) == option.one_of.end()) {
        std::string list;
        for (const std::string &word : option.one_of)
            list += (list.empty() ? "" : ", ") + word;
        return "must be one of " + list;
    }
    if (!option.pattern.empty() && !TextPattern::parse(option.pattern)->matches(value))
        return "must match the pattern " + option.pattern;
    return "";
}

} // namespace reverse_etl
