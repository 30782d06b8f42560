#include <algorithm>

#include "engine/text/json_text.h"
#include "postgres/border/server_text.h"
#include "postgres/values/writers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"
}

namespace reverse_etl {
namespace {

std::string_view varlena_bytes(Datum value) {
    struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
    return {VARDATA_ANY(packed), static_cast<size_t>(VARSIZE_ANY_EXHDR(packed))};
}

// text, and every type that is stored and printed as text is.

void write_text_json(const EncodedType &, Datum value, std::string &out) {
    append_json_string(out, to_utf8(varlena_bytes(value)));
}

void write_text(const EncodedType &, Datum value, std::string &out) {
    out += to_utf8(varlena_bytes(value));
}

// uuid

void write_uuid(const EncodedType &, Datum value, std::string &out) {
    const unsigned char *bytes = DatumGetUUIDP(value)->data;
    char text[36];
    char *end = text;
    for (int i = 0; i < UUID_LEN; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *end++ = '-';
        end = hex_digits(end, bytes[i]);
    }
    out.append(text, sizeof(text));
}

void write_uuid_json(const EncodedType &type, Datum value, std::string &out) {
    out += '"';
    write_uuid(type, value, out);
    out += '"';
}

// bytea: base64, which is what JSON APIs take for binary content (OpenAPI's format "byte"); \x hex is Postgres' own.

/// Postgres 18 changed the type of the bytes from char to uint8.
template <typename Byte>
int encode_base64(int (*encode)(const Byte *, int, char *, int), std::string_view bytes, char *to, int capacity) {
    return encode(reinterpret_cast<const Byte *>(bytes.data()), static_cast<int>(bytes.size()), to, capacity);
}

void write_bytea(const EncodedType &, Datum value, std::string &out) {
    std::string_view bytes = varlena_bytes(value);
    int length = pg_b64_enc_len(static_cast<int>(bytes.size()));
    size_t start = out.size();
    out.resize(start + length);
    out.resize(start + encode_base64(pg_b64_encode, bytes, out.data() + start, length));
}

void write_bytea_json(const EncodedType &type, Datum value, std::string &out) {
    out += '"';
    write_bytea(type, value, out);
    out += '"';
}

// json and jsonb: nested as they are.

void write_json(const EncodedType &, Datum value, std::string &out) {
    size_t start = out.size();
    out += to_utf8(varlena_bytes(value));
    // Line breaks stand only between tokens (in strings they are escaped): as blanks they keep a record on one line.
    std::replace_if(
        out.begin() + start, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void write_jsonb(const EncodedType &, Datum value, std::string &out) {
    Jsonb *jsonb = DatumGetJsonbP(value);
    out += to_utf8(JsonbToCString(nullptr, &jsonb->root, VARSIZE(jsonb)));
}

// Everything else.

void write_output_json(const EncodedType &type, Datum value, std::string &out) {
    append_json_string(out, output_text(type, value));
}

void write_output(const EncodedType &type, Datum value, std::string &out) {
    out += output_text(type, value);
}

bool prints_as_text(const FmgrInfo &output) {
    return output.fn_addr == textout || output.fn_addr == varcharout || output.fn_addr == bpcharout;
}

} // namespace

std::string_view to_utf8(std::string_view server_text) {
    std::string_view utf8;
    // This raises nothing: only the row is refused.
    if (!find_utf8(server_text, utf8))
        throw ValueRefused(GetDatabaseEncoding() == PG_SQL_ASCII ? "text of this SQL_ASCII database is not UTF-8"
                                                                 : "text has a character without equivalent in UTF-8");
    return utf8;
}

std::string_view output_text(const EncodedType &type, Datum value) {
    return to_utf8(output_value(type.output, value).bytes());
}

ValueWriters string_writers(const EncodedType &type) {
    switch (type.oid) {
    case UUIDOID:
        return {write_uuid_json, write_uuid};
    case BYTEAOID:
        return {write_bytea_json, write_bytea};
    case JSONOID:
        return {write_json, write_json};
    case JSONBOID:
        return {write_jsonb, write_jsonb};
    }
    // By function and not by type, so that citext is among them.
    if (prints_as_text(type.output))
        return {write_text_json, write_text};
    return {write_output_json, write_output};
}

} // namespace reverse_etl
