#pragma once

/// Two encodings, two types. A std::string is UTF-8, everywhere: that is what manifests, requests and answers are. What
/// Postgres holds is in the encoding of the database, and is a ServerText. Each is made of the other by name only, at
/// the border.

#include "postgres/border/postgres.h"

#include <string>
#include <string_view>
#include <type_traits>

extern "C" {
#include "executor/executor.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace reverse_etl {

/// Text in the encoding of the database. It belongs to whom it was taken from, or to a memory context.
class ServerText {
  public:
    ServerText() = default;
    explicit ServerText(const char *text) : ServerText(text, text == nullptr ? 0 : std::string_view(text).size()) {}
    ServerText(const char *text, std::size_t size) : text_(text), size_(size) {}
    explicit ServerText(const NameData &name) : ServerText(name.data) {}
    /// A text, or what is stored as one is.
    explicit ServerText(Datum value);

    bool is_null() const { return text_ == nullptr; }
    std::string_view bytes() const { return {text_, size_}; }
    /// Only of what ends with a zero: all but values as they are stored.
    const char *c_str() const { return text_; }

    /// "" for NULL. Throws an Error where a character has no form in UTF-8.
    std::string utf8() const;
    /// With "?" for such characters: for messages.
    std::string legible() const;

  private:
    const char *text_ = nullptr;
    std::size_t size_ = 0;
};

/// UTF-8 as this database takes it: the same bytes, or new ones in the current memory context. Throws an Error where a
/// character has no form in the database's encoding. May be called inside pg_call.
ServerText to_server(std::string_view utf8);
/// With "?" for such characters: for messages.
ServerText to_server_legible(std::string_view utf8);

/// The text, in UTF-8, with an escape such as "\u20ac" in place of every character that has no form in the database's
/// encoding: it can be stored. Never fails.
std::string storable(const std::string &utf8);

/// A text value of the database. May be called inside pg_call.
Datum text_datum(std::string_view utf8);
Datum text_datum(ServerText text);

/// The text of a value or of an argument that is one, in UTF-8; "" for an argument that is NULL.
std::string text_value(Datum value);
std::string text_argument(FunctionCallInfo call, int number);

/// What the output function of its type makes of a value. Call inside pg_call.
ServerText printed_value(Oid type, Datum value);

/// The same by the function itself.
ServerText output_value(const FmgrInfo &output, Datum value);
/// What the input function of a type makes of a text. Call inside pg_call.
Datum input_value(FmgrInfo *input, ServerText text, Oid io_parameter, int32 typmod);

/// What a text is in UTF-8: the same bytes, or new ones in the current memory context; where a character has no such
/// form, nothing. Call inside pg_call.
bool find_utf8(std::string_view server, std::string_view &utf8);
/// The same, but throws an Error where a character has no such form.
std::string_view utf8_of(std::string_view server);

/// Looks up how this database's encoding is converted, once a process. Conversions themselves read no catalog, so that
/// they can be had where no transaction is, and after an error; where this was never called, only ASCII can be
/// converted.
void prepare_conversions();

} // namespace reverse_etl

/// Messages: what stands for a %s is a std::string or a ServerText, never a char pointer, which tells nothing.
namespace reverse_etl::message {

template <class Value>
auto argument(const Value &value) {
    if constexpr (std::is_arithmetic_v<Value>) {
        return value;
    } else if constexpr (std::is_same_v<Value, ServerText>) {
        return value.c_str();
    } else {
        static_assert(std::is_same_v<Value, std::string>, "say in which encoding it is");
        return to_server_legible(value).c_str();
    }
}

#define REVERSE_ETL_PART(part)                                                                                         \
    template <class... Arguments>                                                                                      \
    int part##_of(const char *text, const Arguments &...arguments) {                                                   \
        if constexpr (sizeof...(arguments) == 0)                                                                       \
            return part("%s", text);                                                                                   \
        else                                                                                                           \
            return part(text, argument(arguments)...);                                                                 \
    }
REVERSE_ETL_PART(errmsg)
REVERSE_ETL_PART(errmsg_internal)
REVERSE_ETL_PART(errdetail)
REVERSE_ETL_PART(errdetail_internal)
REVERSE_ETL_PART(errdetail_log)
REVERSE_ETL_PART(errhint)
#undef REVERSE_ETL_PART

template <class... Arguments>
int errmsg_plural_of(const char *one, const char *many, unsigned long n, const Arguments &...arguments) {
    return errmsg_plural(one, many, n, argument(arguments)...);
}

} // namespace reverse_etl::message

#ifndef REVERSE_ETL_RAW_TEXT
// Only those for whom the Makefile defines that call what takes and gives text of no type: all others would not
// compile.
#define errmsg(...) reverse_etl::message::errmsg_of(__VA_ARGS__)
#define errmsg_internal(...) reverse_etl::message::errmsg_internal_of(__VA_ARGS__)
#define errmsg_plural(...) reverse_etl::message::errmsg_plural_of(__VA_ARGS__)
#define errdetail(...) reverse_etl::message::errdetail_of(__VA_ARGS__)
#define errdetail_internal(...) reverse_etl::message::errdetail_internal_of(__VA_ARGS__)
#define errdetail_log(...) reverse_etl::message::errdetail_log_of(__VA_ARGS__)
#define errhint(...) reverse_etl::message::errhint_of(__VA_ARGS__)
#undef NameStr
#undef RelationGetRelationName
#undef strVal
#undef TextDatumGetCString
#undef CStringGetTextDatum
#pragma GCC poison NameStr RelationGetRelationName get_rel_name get_namespace_name GetUserNameFromId
#pragma GCC poison format_type_be format_type_be_qualified format_type_with_typemod format_type_extended strVal
#pragma GCC poison quote_identifier quote_qualified_identifier quote_literal_cstr
#pragma GCC poison text_to_cstring TextDatumGetCString cstring_to_text cstring_to_text_with_len CStringGetTextDatum
#pragma GCC poison InputFunctionCall OutputFunctionCall OidInputFunctionCall OidOutputFunctionCall
#pragma GCC poison SPI_getvalue SPI_fname SPI_prepare SPI_prepare_cursor SPI_execute
#pragma GCC poison pg_any_to_server pg_server_to_any
#endif
