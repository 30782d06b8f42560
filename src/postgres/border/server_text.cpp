#include "postgres/border/server_text.h"

#include "engine/text/utf8.h"
#include "postgres/border/border.h"

#include <algorithm>
#include <cstdio>

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

namespace reverse_etl {

namespace {

enum class Direction { to_utf8, to_server };

/// The database's own conversions; unset where none is needed or none was found.
FmgrInfo to_utf8_function, to_server_function;

bool is_same_as_utf8() {
    return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
}

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return IS_HIGHBIT_SET(c) || c == '\0'; });
}

/// Whether a text is already what is asked for. UTF-8 is trusted where the database is in UTF-8, since Postgres has
/// looked at what it stores; a database in SQL_ASCII stores anything.
bool needs_nothing(std::string_view text, Direction direction) {
    if (GetDatabaseEncoding() == PG_UTF8)
        return true;
    if (GetDatabaseEncoding() == PG_SQL_ASCII)
        return direction == Direction::to_server ||
               pg_encoding_verifymbstr(PG_UTF8, text.data(), static_cast<int>(text.size())) ==
                   static_cast<int>(text.size());
    return is_ascii(text);
}

constexpr std::size_t piece = 1024; ///< bytes that are converted at once

/// U+FFFD, which itself stands for a character that is lost.
constexpr std::string_view lost_character = "\xef\xbf\xbd";

/// Converts as much of the piece as can be, into a buffer of enough room; how much of it.
std::size_t convert_piece(std::string_view text, Direction direction, char *converted, std::size_t &size) {
    int length = static_cast<int>(text.size());
    if (is_same_as_utf8()) {
        int valid = pg_encoding_verifymbstr(PG_UTF8, text.data(), length);
        size = std::copy_n(text.data(), valid, converted) - converted;
        return valid;
    }
    int from = GetDatabaseEncoding(), to = PG_UTF8;
    FmgrInfo &function = direction == Direction::to_utf8 ? to_utf8_function : to_server_function;
    if (direction == Direction::to_server)
        std::swap(from, to);
    if (!OidIsValid(function.fn_oid)) {
        size = std::find_if(text.begin(), text.end(), [](char c) { return IS_HIGHBIT_SET(c) || c == '\0'; }) -
               text.begin();
        std::copy_n(text.data(), size, converted);
        return size;
    }
    converted[0] = '\0';
    int done =
        DatumGetInt32(FunctionCall6(&function, Int32GetDatum(from), Int32GetDatum(to), CStringGetDatum(text.data()),
                                    CStringGetDatum(converted), Int32GetDatum(length), BoolGetDatum(true)));
    size = std::char_traits<char>::length(converted);
    return done;
}

/// Hands the converted text to `add`, piece by piece. A character that has no other form is a "?", or ends it with
/// false; U+FFFD, which says that a character was lost, is a "?" in any case.
template <class Add>
bool convert(std::string_view text, Direction direction, bool legible, Add &&add) {
    char converted[piece * MAX_CONVERSION_GROWTH + 1];
    while (!text.empty()) {
        std::size_t size;
        // A character that the piece's end cuts is the beginning of the next.
        std::size_t done = convert_piece(text.substr(0, piece), direction, converted, size);
        add(converted, size);
        text.remove_prefix(done);
        if (done > 0 || text.empty())
            continue;
        if (!legible && !(direction == Direction::to_server && text.starts_with(lost_character)))
            return false;
        add("?", 1);
        int encoding = direction == Direction::to_utf8 && !is_same_as_utf8() ? GetDatabaseEncoding() : PG_UTF8;
        text.remove_prefix(std::clamp<std::size_t>(pg_encoding_mblen(encoding, text.data()), 1, text.size()));
    }
    return true;
}

[[noreturn]] void has_no_form(std::string_view text, Direction direction) {
    std::string shown;
    auto show = [&](const char *bytes, std::size_t size) { shown.append(bytes, size); };
    if (direction == Direction::to_utf8)
        convert(text.substr(0, 200), direction, true, show);
    else
        shown = text.substr(0, 200);
    throw Error(ERRCODE_UNTRANSLATABLE_CHARACTER,
                std::string("text has a character without equivalent in encoding ") +
                    (direction == Direction::to_utf8 ? "UTF8" : GetDatabaseEncodingName()),
                "The text is \"" + shown + "\".");
}

std::string in_utf8(std::string_view text, bool legible) {
    std::string utf8;
    if (!convert(text, Direction::to_utf8, legible,
                 [&](const char *bytes, std::size_t size) { utf8.append(bytes, size); }))
        has_no_form(text, Direction::to_utf8);
    return utf8;
}

/// The text in the current memory context; a null text if it could not be converted.
ServerText allocated(std::string_view text, Direction direction, bool legible) {
    StringInfoData buffer;
    initStringInfo(&buffer);
    bool whole = convert(text, direction, legible, [&](const char *bytes, std::size_t size) {
        appendBinaryStringInfo(&buffer, bytes, static_cast<int>(size));
    });
    return whole ? ServerText(buffer.data, buffer.len) : ServerText();
}

/// The bytes with the zero that c_str() promises.
ServerText terminated(std::string_view text) {
    return {pnstrdup(text.data(), text.size()), text.size()};
}

/// Looks for a conversion that the database has. A function of none is called never.
void look_up(int from, int to, FmgrInfo &function) {
    Oid conversion = FindDefaultConversionProc(from, to);
    if (OidIsValid(conversion))
        fmgr_info_cxt(conversion, &function, TopMemoryContext);
}

} // namespace

ServerText::ServerText(Datum value) {
    struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
    text_ = VARDATA_ANY(packed);
    size_ = VARSIZE_ANY_EXHDR(packed);
}

std::string ServerText::utf8() const {
    return needs_nothing(bytes(), Direction::to_utf8) ? std::string(bytes()) : in_utf8(bytes(), false);
}

std::string ServerText::legible() const {
    return is_ascii(bytes()) ? std::string(bytes()) : in_utf8(bytes(), true);
}

ServerText to_server(std::string_view utf8) {
    if (needs_nothing(utf8, Direction::to_server))
        return terminated(utf8);
    ServerText text = allocated(utf8, Direction::to_server, false);
    if (text.is_null())
        has_no_form(utf8, Direction::to_server);
    return text;
}

ServerText to_server_legible(std::string_view utf8) {
    return is_ascii(utf8) ? terminated(utf8) : allocated(utf8, Direction::to_server, true);
}

std::string storable(const std::string &utf8) {
    if (needs_nothing(utf8, Direction::to_server))
        return utf8;
    std::string text;
    for (std::string_view rest = utf8; !rest.empty();) {
        const auto [point, bytes] = utf8_character(rest);
        const std::string_view character = rest.substr(0, std::max<std::size_t>(bytes, 1));
        char converted[MAX_CONVERSION_GROWTH * 4 + 1], escape[16];
        std::size_t size;
        if (convert_piece(character, Direction::to_server, converted, size) == character.size()) {
            text += character;
        } else {
            std::snprintf(escape, sizeof(escape), point < 0x10000 ? "\\u%04x" : "\\U%08x",
                          static_cast<unsigned>(point));
            text += escape;
        }
        rest.remove_prefix(character.size());
    }
    return text;
}

Datum text_datum(ServerText text) {
    return PointerGetDatum(cstring_to_text_with_len(text.bytes().data(), static_cast<int>(text.bytes().size())));
}

Datum text_datum(std::string_view utf8) {
    if (needs_nothing(utf8, Direction::to_server))
        return text_datum(ServerText(utf8.data(), utf8.size()));
    return text_datum(to_server(utf8));
}

std::string text_value(Datum value) {
    return pg_call([&] { return ServerText(value); }).utf8();
}

std::string text_argument(FunctionCallInfo call, int number) {
    return call->args[number].isnull ? "" : text_value(call->args[number].value);
}

ServerText printed_value(Oid type, Datum value) {
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    return ServerText(OidOutputFunctionCall(output, value));
}

ServerText output_value(const FmgrInfo &output, Datum value) {
    return ServerText(OutputFunctionCall(const_cast<FmgrInfo *>(&output), value));
}

Datum input_value(FmgrInfo *input, ServerText text, Oid io_parameter, int32 typmod) {
    return InputFunctionCall(input, const_cast<char *>(text.c_str()), io_parameter, typmod);
}

bool find_utf8(std::string_view server, std::string_view &utf8) {
    if (needs_nothing(server, Direction::to_utf8)) {
        utf8 = server;
        return true;
    }
    ServerText text = allocated(server, Direction::to_utf8, false);
    utf8 = text.bytes();
    return !text.is_null();
}

std::string_view utf8_of(std::string_view server) {
    std::string_view utf8;
    if (!find_utf8(server, utf8))
        has_no_form(server, Direction::to_utf8);
    return utf8;
}

void prepare_conversions() {
    static bool prepared = false;
    if (prepared || is_same_as_utf8() || !IsTransactionState())
        return;
    pg_call([] {
        look_up(GetDatabaseEncoding(), PG_UTF8, to_utf8_function);
        look_up(PG_UTF8, GetDatabaseEncoding(), to_server_function);
    });
    prepared = true;
}

} // namespace reverse_etl
