#include "json.h"

namespace reverse_etl::sandbox {

using simdjson::ondemand::json_type;

simdjson::ondemand::document JsonBody::parse(std::string_view padded) {
    return parser_.iterate(padded.data(), padded.size(), padded.size() + simdjson::SIMDJSON_PADDING);
}

std::string JsonBody::compact(std::string_view padded) {
    if (padded.empty())
        return "{}";
    std::string out;
    simdjson::ondemand::document document = parse(padded);
    append_compact(out, document.get_value());
    require_end(document);
    return out;
}

void require_end(simdjson::ondemand::document &document) {
    if (!document.current_location().error())
        throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
}

namespace {

std::string_view trimmed(std::string_view token) {
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ')
        token.remove_suffix(1);
    return token;
}

// JSON's grammar of numbers. simdjson would refuse numbers beyond 64 bits, which are valid and must arrive as sent.
bool is_number(std::string_view text) {
    std::size_t at = 0;
    auto digits = [&] {
        std::size_t from = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9')
            ++at;
        return at - from;
    };
    auto skip = [&](std::string_view any) {
        bool found = at < text.size() && any.find(text[at]) != any.npos;
        at += found;
        return found;
    };
    skip("-");
    std::size_t integer_at = at;
    std::size_t length = digits();
    if (length == 0 || (length > 1 && text[integer_at] == '0'))
        return false;
    if (skip(".") && digits() == 0)
        return false;
    if (skip("eE")) {
        skip("+-");
        if (digits() == 0)
            return false;
    }
    return at == text.size();
}

void append_escape(std::string &out, char c) {
    switch (c) {
    case '"':
        out += "\\\"";
        break;
    case '\\':
        out += "\\\\";
        break;
    case '\n':
        out += "\\n";
        break;
    case '\r':
        out += "\\r";
        break;
    case '\t':
        out += "\\t";
        break;
    default:
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += escaped;
    }
}

void append_string(std::string &out, simdjson::ondemand::value value) {
    std::string_view token = trimmed(value.raw_json_token());
    if (std::memchr(token.data(), '\\', token.size()))
        append_quoted(out, value.get_string());
    else
        out += token;
}

} // namespace

void append_name(std::string &out, simdjson::ondemand::field &field) {
    const char *begin = field.key().raw();
    const char *end = begin;
    while (*end != '"' && *end != '\\')
        ++end;
    if (*end == '\\') {
        append_quoted(out, field.unescaped_key());
        return;
    }
    out.append(begin - 1, end - begin + 2);
}

void append_compact(std::string &out, simdjson::ondemand::value value) {
    bool first = true;
    switch (value.type()) {
    case json_type::object:
        out += '{';
        for (simdjson::ondemand::field field : value.get_object()) {
            if (!std::exchange(first, false))
                out += ',';
            append_name(out, field);
            out += ':';
            append_compact(out, field.value());
        }
        out += '}';
        break;
    case json_type::array:
        out += '[';
        for (simdjson::ondemand::value element : value.get_array()) {
            if (!std::exchange(first, false))
                out += ',';
            append_compact(out, element);
        }
        out += ']';
        break;
    case json_type::string:
        append_string(out, value);
        break;
    case json_type::number: {
        std::string_view token = trimmed(value.raw_json_token());
        if (!is_number(token))
            throw simdjson::simdjson_error(simdjson::NUMBER_ERROR);
        out += token;
        break;
    }
    case json_type::boolean:
        out += value.get_bool() ? "true" : "false";
        break;
    case json_type::null:
        if (trimmed(value.raw_json_token()) != "null")
            throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
        out += "null";
        break;
    }
}

void append_quoted(std::string &out, std::string_view text) {
    out += '"';
    std::size_t plain_from = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20)
            continue;
        out.append(text, plain_from, at - plain_from);
        plain_from = at + 1;
        append_escape(out, c);
    }
    out.append(text, plain_from);
    out += '"';
}

std::string in_quotes(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

std::string plain(std::string_view raw) {
    std::string_view text = inner(raw);
    if (text.find('\\') == text.npos)
        return std::string(text);
    simdjson::ondemand::parser parser;
    simdjson::padded_string copy(raw);
    return std::string(std::string_view(parser.iterate(copy).get_string()));
}

const char *end_of_value(const char *begin, const char *end) {
    auto end_of_string = [&](const char *at) {
        for (++at; at < end && *at != '"'; ++at)
            at += *at == '\\';
        return at + 1;
    };
    if (*begin == '"')
        return end_of_string(begin);
    int depth = 0;
    for (const char *at = begin; at < end; ++at) {
        if (*at == '"')
            at = end_of_string(at) - 1;
        else if (*at == '{' || *at == '[')
            ++depth;
        else if ((*at == '}' || *at == ']') && depth-- == 0)
            return at;
        else if (*at == ',' && depth == 0)
            return at;
    }
    return end;
}

std::string_view member(std::string_view object, std::string_view name) {
    const char *at = object.data() + 1, *end = object.data() + object.size() - 1;
    while (at < end) {
        const char *name_end = end_of_value(at, end);
        const char *value_end = end_of_value(name_end + 1, end);
        if (std::string_view(at + 1, name_end - at - 2) == name)
            return {name_end + 1, static_cast<std::size_t>(value_end - name_end - 1)};
        at = value_end + 1;
    }
    return {};
}

std::string merged(std::string_view base, std::string_view changes, bool drop_empty) {
    std::string out = "{";
    auto set = [&](std::string_view name, std::string_view value) {
        if (drop_empty && is_empty_value(value))
            return;
        if (out.size() > 1)
            out += ',';
        out.append("\"").append(name).append("\":").append(value);
    };
    for_each_member(base, [&](std::string_view name, std::string_view value) {
        std::string_view changed = member(changes, name);
        set(name, changed.empty() ? value : changed);
    });
    for_each_member(changes, [&](std::string_view name, std::string_view value) {
        if (member(base, name).empty())
            set(name, value);
    });
    return out += '}';
}

} // namespace reverse_etl::sandbox
