#include "engine/requests/list_filter.h"

#include "engine/text/json.h"
#include "engine/text/json_text.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <optional>

namespace reverse_etl {

namespace {

/// What servers take of a URL, a parameter's share of it.
constexpr std::size_t most_parameter_bytes = 2000;

/// Whether a number is still the one that was written.
bool keeps_digits(const Json &value, const std::string &written) {
    return !value.is_number() || value.dump() == written;
}

std::string with_commas(const std::vector<std::string> &texts) {
    std::string joined;
    for (const std::string &text : texts)
        joined += (joined.empty() ? "" : ",") + text;
    return joined;
}

/// The name of a member, in which braces are written twice.
std::string name_of(const std::string &written) {
    return substitute(written, [](const std::string &) { return std::nullopt; });
}

Json values_of(const AppliedFilter &filter) {
    if (!filter.is_list)
        return Json::parse(filter.values.front());
    Json all = Json::array();
    for (const std::string &value : filter.values)
        all.push_back(Json::parse(value));
    return all;
}

Json element_of(const Json &written, const AppliedFilter &filter) {
    if (written == "{value}")
        return values_of(filter);
    if (written.is_string())
        return substitute(written.get<std::string>(), [&](const std::string &name) {
            return name == "value" ? std::optional(with_commas(filter.texts)) : std::nullopt;
        });
    if (written.is_object()) {
        Json made = Json::object();
        for (const auto &[name, member] : written.items())
            made[name_of(name)] = element_of(member, filter);
        return made;
    }
    Json made = written;
    if (written.is_array())
        for (Json &element : made)
            element = element_of(element, filter);
    return made;
}

/// The array that stands for {"$filters": "all"}; nothing where there are no filters.
std::optional<Json> elements_of(const ListFilter &filter) {
    Json elements = Json::array();
    for (const AppliedFilter &one : filter)
        if (one.spec->element != nullptr)
            elements.push_back(element_of(*one.spec->element, one));
    return elements.empty() ? std::nullopt : std::optional(std::move(elements));
}

bool names_cursor(const Json &value) {
    return value.is_string() ? value.get<std::string>().find("{cursor}") != std::string::npos
                             : value.is_object() && value.contains("$number");
}

/// Whether something stands in it that may be left out; then so is what holds nothing else.
bool may_be_left_out(const Json &value) {
    return names_cursor(value) || (value.is_structured() && ((value.is_object() && value.contains("$filters")) ||
                                                             std::any_of(value.begin(), value.end(), may_be_left_out)));
}

struct Page {
    const std::vector<std::string> &fields;
    const std::string &cursor;
    const ListFilter &filter;
};

/// A cursor that is a number; another is a string, as it came.
Json number_of(const std::string &cursor) {
    const Json number = Json::parse(cursor, nullptr, false);
    return number.is_number() && keeps_digits(number, cursor) ? number : Json(cursor);
}

/// Nothing: it is left out.
std::optional<Json> filled(const Json &value, const Page &page) {
    if (names_cursor(value) && page.cursor.empty())
        return std::nullopt;
    if (value == "{fields}")
        return page.fields;
    if (value.is_string())
        return substitute(value.get<std::string>(), [&](const std::string &name) {
            return name == "cursor" ? std::optional(page.cursor) : std::nullopt;
        });
    if (!value.is_structured())
        return value;
    if (value.is_object() && value.contains("$filters"))
        return elements_of(page.filter);
    if (value.is_object() && value.contains("$number"))
        return number_of(page.cursor);
    Json made = value;
    made.clear();
    for (const auto &[name, member] : value.items()) {
        std::optional<Json> one = filled(member, page);
        if (one && value.is_object())
            made[name_of(name)] = std::move(*one);
        else if (one)
            made.push_back(std::move(*one));
    }
    return made.empty() && may_be_left_out(value) ? std::nullopt : std::optional(std::move(made));
}

} // namespace

bool AppliedFilter::can_be_said() const {
    std::size_t bytes = 0;
    for (const std::string &text : texts) {
        bytes += text.size() + spec->parameter.size();
        const bool would_be_two = is_list && !spec->is_repeated && text.find(',') != text.npos;
        if (spec->element == nullptr && (text.empty() || would_be_two))
            return false;
    }
    if (spec->element == nullptr)
        return bytes <= most_parameter_bytes;
    return std::all_of(values.begin(), values.end(),
                       [](const std::string &value) { return keeps_digits(Json::parse(value), value); });
}

std::string with_filter(std::string url, const ListFilter &filter) {
    for (const AppliedFilter &one : filter) {
        if (one.spec->element != nullptr)
            continue;
        const std::vector<std::string> values =
            one.spec->is_repeated ? one.texts : std::vector<std::string>{with_commas(one.texts)};
        for (const std::string &value : values) {
            url += url.find('?') == std::string::npos ? '?' : '&';
            append_percent_encoded(url, one.spec->parameter);
            url += '=';
            append_percent_encoded(url, value);
        }
    }
    return url;
}

Json page_body_of(const Json &body, const std::vector<std::string> &fields, const std::string &cursor,
                  const ListFilter &filter) {
    return filled(body, {fields, cursor, filter}).value_or(Json::object());
}

} // namespace reverse_etl
