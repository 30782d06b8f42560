#include "postgres/values/encoder.h"

#include "engine/text/json_text.h"
#include "postgres/border/names.h"
#include "postgres/border/server_text.h"
#include "postgres/values/writers.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "common/sha2.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {
namespace {

/// Appends the plain text as a JSON string: written to the end of the buffer first, then rewritten in place.
void write_text_quoted(ValueWriter text, const EncodedType &type, Datum value, std::string &out) {
    size_t start = out.size();
    text(type, value, out);
    const char *copy = pnstrdup(out.data() + start, out.size() - start);
    out.resize(start);
    append_json_string(out, copy);
}

void write_quoted(const EncodedType &type, Datum value, std::string &out) {
    write_text_quoted(type.text, type, value, out);
}

void write_semicolon_list(const EncodedType &type, Datum value, std::string &out) {
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(DatumGetArrayTypeP(value), type.element_oid, type.element_length, type.element_by_value,
                      type.element_alignment, &elements, &nulls, &count);

    bool first = true;
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            continue;
        if (!first)
            out += ';';
        first = false;

        size_t start = out.size();
        type.element->text(elements[i], out);
        if (out.find(';', start) != std::string::npos)
            throw ValueRefused("array element contains \";\", which separates the elements of the list");
    }
}

void write_quoted_semicolon_list(const EncodedType &type, Datum value, std::string &out) {
    write_text_quoted(write_semicolon_list, type, value, out);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Writes the hash in place of what was written from `start` on. It is over UTF-8: the way through the server's
/// encoding and back changes nothing where that is UTF-8.
void hash_from(size_t start, ServerText text, std::string &out) {
    std::string_view utf8 = to_utf8(text.bytes());
    Datum utf8_text = text_datum(ServerText(utf8.data(), utf8.size())); // hashed as bytes
    bytea *digest = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, utf8_text));

    char hex[2 * PG_SHA256_DIGEST_LENGTH];
    char *end = hex;
    for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
        end = hex_digits(end, static_cast<uint8>(VARDATA_ANY(digest)[i]));
    out.resize(start);
    out.append(hex, end);
}

void write_sha256(const EncodedType &type, Datum value, std::string &out) {
    size_t start = out.size();
    type.text(type, value, out);
    hash_from(start, ServerText(text_datum(std::string_view(out).substr(start))), out);
}

/// Lower case is that of the database's default collation; in a database with the C collation only ASCII has one.
void write_trim_lower_sha256(const EncodedType &type, Datum value, std::string &out) {
    size_t start = out.size();
    type.text(type, value, out);
    std::string_view plain = trimmed(std::string_view(out).substr(start));
    hash_from(start, ServerText(DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, text_datum(plain))), out);
}

template <ValueWriter write>
void write_in_quotes(const EncodedType &type, Datum value, std::string &out) {
    // Hex digits need no escapes.
    out += '"';
    write(type, value, out);
    out += '"';
}

[[noreturn]] void encoding_does_not_fit(const std::string &encoding, const std::string &fitting_types, Oid type) {
    throw Error(ERRCODE_FDW_INVALID_DATA_TYPE, "encoding \"" + encoding + "\" does not fit type " + type_name(type), "",
                "It fits " + fitting_types + ".");
}

ValueWriters native_writers(EncodedType &type, int32 typmod) {
    if (ValueWriters writers = number_writers(type.oid); writers.json)
        return writers;
    if (ValueWriters writers = datetime_writers(type.oid); writers.json)
        return writers;
    if (ValueWriters writers = nested_writers(type, typmod); writers.json)
        return writers;
    return string_writers(type);
}

ValueWriters epoch_writers(ValueWriter writer, const char *encoding, Oid type) {
    if (!writer)
        encoding_does_not_fit(encoding, "date, timestamp and timestamp with time zone", type);
    return {writer, writer};
}

ValueWriters writers_of(const EncodedType &type, ValueWriters native, ValueEncoding encoding) {
    switch (encoding) {
    case ValueEncoding::native:
        return native;
    case ValueEncoding::string:
        return {native.json == native.text ? write_quoted : native.json, native.text};
    case ValueEncoding::epoch_s:
        return epoch_writers(epoch_s_writer(type.oid), "epoch_s", type.oid);
    case ValueEncoding::epoch_ms:
        return epoch_writers(epoch_ms_writer(type.oid), "epoch_ms", type.oid);
    case ValueEncoding::semicolon_list:
        if (!type.element)
            encoding_does_not_fit("semicolon_list", "arrays", type.oid);
        return {write_quoted_semicolon_list, write_semicolon_list};
    case ValueEncoding::sha256:
        return {write_in_quotes<write_sha256>, write_sha256};
    case ValueEncoding::trim_lower_sha256:
        return {write_in_quotes<write_trim_lower_sha256>, write_trim_lower_sha256};
    }
    pg_unreachable();
}

} // namespace

ValueEncoder ValueEncoder::make(Oid type_oid, int32 typmod, ValueEncoding encoding) {
    auto *type = static_cast<EncodedType *>(palloc0(sizeof(EncodedType)));
    type->oid = getBaseTypeAndTypmod(type_oid, &typmod);

    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type->oid, &output, &is_varlena);
    fmgr_info(output, &type->output);

    ValueWriters native = native_writers(*type, typmod);
    type->text = native.text;
    ValueWriters writers = writers_of(*type, native, encoding);

    ValueEncoder encoder;
    encoder.json_ = writers.json;
    encoder.text_ = writers.text;
    encoder.type_ = type;
    return encoder;
}

} // namespace reverse_etl
