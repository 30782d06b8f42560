#include "postgres/value_decoder.h"

#include "engine/answer.h"
#include "postgres/border.h"

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

std::string array_text(simdjson::dom::array elements) {
    std::string array = "{";
    for (simdjson::dom::element element : elements) {
        if (element.is_null())
            array += array.size() > 1 ? ",NULL" : "NULL";
        else
            add_array_element(array, text_of(element));
    }
    return array + "}";
}

std::string array_text(std::string_view list) {
    std::string array = "{";
    for (std::size_t begin = 0; begin < list.size();) {
        std::size_t end = std::min(list.find(';', begin), list.size());
        add_array_element(array, list.substr(begin, end - begin));
        begin = end + 1;
    }
    return array + "}";
}

/// ISO 8601 for a moment given in seconds or milliseconds since 1970.
std::string moment_text(const std::string &digits, bool milliseconds) {
    long long count = std::strtoll(digits.c_str(), nullptr, 10);
    TimestampTz moment = (count - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 86400LL * (milliseconds ? 1000 : 1)) *
                         (milliseconds ? 1000 : USECS_PER_SEC);
    return pg_call([&] { return std::string(timestamptz_to_str(moment)); });
}

} // namespace

ValueDecoder::ValueDecoder(const DestinationColumn &column, MemoryContext context) : column_(column) {
    pg_call([&] {
        Oid type = getBaseType(column.type), input;
        getTypeInputInfo(column.type, &input, &io_parameter_);
        fmgr_info_cxt(input, &input_, context);
        char category;
        bool preferred;
        get_type_category_preferred(type, &category, &preferred);
        is_string_ = category == TYPCATEGORY_STRING;
        is_json_ = type == JSONOID || type == JSONBOID;
        is_array_ = OidIsValid(get_element_type(type));
    });
}

Datum ValueDecoder::decode(simdjson::dom::element value, bool &is_null) {
    is_null = value.is_null();
    if (is_null)
        return static_cast<Datum>(0);
    simdjson::dom::array elements;
    if (is_json_)
        text_ = simdjson::minify(value);
    else if (is_array_ && value.get(elements) == simdjson::SUCCESS)
        text_ = array_text(elements);
    else
        text_ = text_of(value);
    if (text_.empty() && !is_string_) {
        is_null = true;
        return static_cast<Datum>(0);
    }
    if (column_.encoding == ValueEncoding::semicolon_list && is_array_)
        text_ = array_text(std::string_view(text_));
    if (column_.encoding == ValueEncoding::epoch_s || column_.encoding == ValueEncoding::epoch_ms)
        text_ = moment_text(text_, column_.encoding == ValueEncoding::epoch_ms);
    try {
        return pg_call([&] { return input_value(&input_, to_server(text_), io_parameter_, column_.typmod); });
    } catch (const PostgresError &error) {
        throw Error(ERRCODE_FDW_INVALID_DATA_TYPE,
                    "could not read column \"" + column_.name + "\" from the destination", error.what(),
                    "Give the column a type that holds what the destination answers, such as text.");
    }
}

} // namespace reverse_etl
