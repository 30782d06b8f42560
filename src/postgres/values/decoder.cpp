#include "postgres/values/decoder.h"

#include "engine/requests/answer.h"
#include "engine/text/base64.h"
#include "engine/text/hex.h"
#include "engine/text/json_text.h"
#include "postgres/border/border.h"

#include <algorithm>
#include <optional>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Adds an element to the text of a Postgres array, quoted.
void add_array_element(std::string &array, std::string_view element) {
    array += array.size() > 1 ? ",\"" : "\"";
    for (char c : element) {
        if (c == '"' || c == '\\')
            array += '\\';
        array += c;
    }
    array += '"';
}

std::string array_text(std::string_view list, const std::string &separator) {
    std::string array = "{";
    for (std::size_t begin = 0; begin < list.size();) {
        std::size_t end = std::min(list.find(separator, begin), list.size());
        add_array_element(array, list.substr(begin, end - begin));
        begin = end + separator.size();
    }
    return array + "}";
}

/// Bytes leave as base64 and come back as such; what is none is left to the type's input function.
std::string bytea_text(const std::string &text) {
    const std::optional<std::string> bytes = from_base64(text);
    if (!bytes)
        return text;
    std::string hex = "\\x";
    for (const char c : *bytes)
        append_hex(hex, static_cast<unsigned char>(c));
    return hex;
}

std::string array_text(simdjson::dom::array elements, bool of_bytea) {
    std::string array = "{";
    for (simdjson::dom::element element : elements) {
        if (element.is_null())
            array += array.size() > 1 ? ",NULL" : "NULL";
        else
            add_array_element(array, of_bytea ? bytea_text(text_of(element)) : text_of(element));
    }
    return array + "}";
}

/// ISO 8601 for a moment given in seconds or milliseconds since 1970.
std::string moment_text(const std::string &digits, bool milliseconds) {
    const long long unit = milliseconds ? 1000 : 1, most = 200'000LL * 366 * 86400 * unit;
    const long long count = std::clamp(std::strtoll(digits.c_str(), nullptr, 10), -most, most);
    TimestampTz moment =
        (count - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 86400LL * unit) * (milliseconds ? 1000 : USECS_PER_SEC);
    return pg_call([&] { return std::string(timestamptz_to_str(moment)); });
}

} // namespace

ValueDecoder::ValueDecoder(Column column, const Words &words, MemoryContext context)
    : column_(std::move(column)), separator_(column_.encoding.separator()), words_(words) {
    pg_call([&] {
        Oid type = getBaseType(column_.type), input;
        getTypeInputInfo(column_.type, &input, &io_parameter_);
        fmgr_info_cxt(input, &input_, context);
        char category;
        bool preferred;
        get_type_category_preferred(type, &category, &preferred);
        is_string_ = category == TYPCATEGORY_STRING;
        is_json_ = type == JSONOID || type == JSONBOID;
        is_bytea_ = type == BYTEAOID;
        Oid element = get_element_type(type);
        is_array_ = OidIsValid(element);
        is_array_of_bytea_ = is_array_ && getBaseType(element) == BYTEAOID;
    });
}

std::string ValueDecoder::text_of_value(simdjson::dom::element value) const {
    simdjson::dom::array elements;
    if (is_json_)
        return without_nul(json_of(value));
    std::string text = is_array_ && value.get(elements) == simdjson::SUCCESS ? array_text(elements, is_array_of_bytea_)
                                                                             : reverse_etl::text_of(value);
    if (is_bytea_)
        return bytea_text(text);
    for (std::size_t at = text.find('\0'); at != text.npos; at = text.find('\0', at))
        text.replace(at, 1, "\xef\xbf\xbd");
    return text;
}

Datum ValueDecoder::decode(simdjson::dom::element value, bool &is_null) {
    is_null = value.is_null();
    if (is_null)
        return static_cast<Datum>(0);
    text_ = text_of_value(value);
    if (text_.empty() && !is_string_) {
        is_null = true;
        return static_cast<Datum>(0);
    }
    if (is_array_ && !separator_.empty())
        text_ = array_text(text_, separator_);
    if (column_.encoding.is(ValueForm::epoch_s) || column_.encoding.is(ValueForm::epoch_ms))
        text_ = moment_text(text_, column_.encoding.is(ValueForm::epoch_ms));
    try {
        return pg_call([&] { return input_value(&input_, to_server(text_), io_parameter_, column_.modifier); });
    } catch (const std::runtime_error &error) {
        // Of Postgres or, where a character has no form in the database's encoding, ours. What the value is like is
        // left out: it may hold a secret.
        throw Error(ERRCODE_FDW_INVALID_DATA_TYPE,
                    "could not read column \"" + column_.name + "\" from the destination",
                    words_.secrets().hide(error.what()),
                    "Give the column a type that holds what the destination answers, such as text.");
    }
}

} // namespace reverse_etl
