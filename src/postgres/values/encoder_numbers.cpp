#include <cmath>

#include "postgres/values/writers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
}

namespace reverse_etl {
namespace {

void write_int2(const EncodedType &, Datum value, std::string &out) {
    append_integer(DatumGetInt16(value), out);
}

void write_int4(const EncodedType &, Datum value, std::string &out) {
    append_integer(DatumGetInt32(value), out);
}

void write_int8(const EncodedType &, Datum value, std::string &out) {
    append_integer(DatumGetInt64(value), out);
}

void write_oid(const EncodedType &, Datum value, std::string &out) {
    append_integer(DatumGetObjectId(value), out);
}

void write_bool(const EncodedType &, Datum value, std::string &out) {
    out += DatumGetBool(value) ? "true" : "false";
}

// The shortest digits that read back as the same value, as Postgres prints them whatever extra_float_digits says.

void write_float4(const EncodedType &, Datum value, std::string &out) {
    float4 number = DatumGetFloat4(value);
    if (!std::isfinite(number))
        throw ValueRefused("value of type real is infinite or NaN, which JSON cannot express");
    char digits[FLOAT_SHORTEST_DECIMAL_LEN];
    out.append(digits, float_to_shortest_decimal_bufn(number, digits));
}

void write_float8(const EncodedType &, Datum value, std::string &out) {
    float8 number = DatumGetFloat8(value);
    if (!std::isfinite(number))
        throw ValueRefused("value of type double precision is infinite or NaN, which JSON cannot express");
    char digits[DOUBLE_SHORTEST_DECIMAL_LEN];
    out.append(digits, double_to_shortest_decimal_bufn(number, digits));
}

/// numeric_out never uses an exponent and never leaves out the zero before the point: its digits are a JSON number.
void write_numeric(const EncodedType &, Datum value, std::string &out) {
    const char *digits = DatumGetCString(DirectFunctionCall1(numeric_out, value));
    if (digits[0] == 'N' || digits[0] == 'I' || (digits[0] == '-' && digits[1] == 'I'))
        throw ValueRefused("value of type numeric is infinite or NaN, which JSON cannot express");
    out += digits;
}

} // namespace

ValueWriters number_writers(Oid type) {
    switch (type) {
    case INT2OID:
        return {write_int2, write_int2};
    case INT4OID:
        return {write_int4, write_int4};
    case INT8OID:
        return {write_int8, write_int8};
    case OIDOID:
        return {write_oid, write_oid};
    case FLOAT4OID:
        return {write_float4, write_float4};
    case FLOAT8OID:
        return {write_float8, write_float8};
    case NUMERICOID:
        return {write_numeric, write_numeric};
    case BOOLOID:
        return {write_bool, write_bool};
    default:
        return {};
    }
}

} // namespace reverse_etl
