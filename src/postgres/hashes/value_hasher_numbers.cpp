#include "postgres/hashes/value_hashers.h"

#include <limits>

extern "C" {
#include "catalog/pg_type.h"
}

namespace reverse_etl {
namespace {

void add_boolean(Datum value, HashStream &stream) {
    add_kind(HashKind::boolean, stream);
    stream.add_number(static_cast<std::uint8_t>(DatumGetBool(value)));
}

void add_integer(std::int64_t number, HashStream &stream) {
    add_kind(HashKind::integer, stream);
    stream.add_number(number);
}

void add_int2(Datum value, HashStream &stream) {
    add_integer(DatumGetInt16(value), stream);
}

void add_int4(Datum value, HashStream &stream) {
    add_integer(DatumGetInt32(value), stream);
}

void add_int8(Datum value, HashStream &stream) {
    add_integer(DatumGetInt64(value), stream);
}

void add_oid(Datum value, HashStream &stream) {
    add_integer(DatumGetObjectId(value), stream);
}

/// All NaNs are one, since they are printed alike; -0 is not 0, since it is not. A real is not the double precision of
/// the same value: 0.1::real::float8 is printed, and sent, as 0.10000000149011612.
template <class Bits, class Float>
void add_float(HashKind kind, Float number, HashStream &stream) {
    if (number != number)
        number = std::numeric_limits<Float>::quiet_NaN();
    add_kind(kind, stream);
    stream.add_number(std::bit_cast<Bits>(number));
}

void add_float4(Datum value, HashStream &stream) {
    add_float<std::uint32_t>(HashKind::float4, DatumGetFloat4(value), stream);
}

void add_float8(Datum value, HashStream &stream) {
    add_float<std::uint64_t>(HashKind::float8, DatumGetFloat8(value), stream);
}

// numeric, read as it is stored, which Postgres keeps to itself but cannot change: pg_upgrade takes tables over as they
// are. Its own functions that tell the same make a new value for each one. The first word of the content says which
// form it has; sign, scale and weight share that word in the short form and have two in the long one. Then come the
// digits, to the base of 10,000, without zeros at either end.
constexpr unsigned special_form = 0xC000, short_form = 0x8000, negative = 0x4000, short_negative = 0x2000;

unsigned word(std::string_view content, std::size_t number) {
    std::uint16_t word;
    std::memcpy(&word, content.data() + number * sizeof(word), sizeof(word));
    return word;
}

/// The value and how many decimal places it is printed with: 1.0 is not 1.00.
void add_numeric_content(std::string_view content, HashStream &stream) {
    unsigned first = word(content, 0), form = first & special_form, words = 1;
    std::uint16_t sign = form, scale = 0;
    std::int16_t weight = 0;
    if (form == special_form) {
        sign = first; // NaN, Infinity or -Infinity
    } else if (form == short_form) {
        sign = (first & short_negative) != 0 ? negative : 0;
        scale = (first & 0x1F80) >> 7;
        weight = static_cast<std::int16_t>((first & 0x3F) - (first & 0x40));
    } else {
        scale = first & 0x3FFF;
        weight = static_cast<std::int16_t>(word(content, 1));
        words = 2;
    }
    content.remove_prefix(words * sizeof(std::uint16_t));

    add_kind(HashKind::numeric, stream);
    stream.add_number(sign);
    stream.add_number(scale);
    stream.add_number(weight);
    stream.add_number(static_cast<std::uint32_t>(content.size()));
    if constexpr (std::endian::native == std::endian::little)
        stream.add(content.data(), content.size());
    else
        for (std::size_t i = 0; i < content.size() / sizeof(std::uint16_t); i++)
            stream.add_number(static_cast<std::uint16_t>(word(content, i)));
}

void add_numeric(Datum value, HashStream &stream) {
    with_content(value, [&](std::string_view content) { add_numeric_content(content, stream); });
}

} // namespace

ValueHasher *number_hasher(Oid type) {
    switch (type) {
    case BOOLOID:
        return hasher_of<add_boolean>();
    case INT2OID:
        return hasher_of<add_int2>();
    case INT4OID:
        return hasher_of<add_int4>();
    case INT8OID:
        return hasher_of<add_int8>();
    case OIDOID:
        return hasher_of<add_oid>();
    case FLOAT4OID:
        return hasher_of<add_float4>();
    case FLOAT8OID:
        return hasher_of<add_float8>();
    case NUMERICOID:
        return hasher_of<add_numeric>();
    default:
        return nullptr;
    }
}

} // namespace reverse_etl
