#pragma once

/// What ValueEncoder is built from: one pair of writers per family of types, each family in its own file.
///
/// A writer calls Postgres functions that may raise, which skips destructors: it must hold no C++ object that has one
/// while it does. What needs a scratch buffer builds its text at the end of `out` and rewrites it there.

#include <charconv>
#include <string_view>

#include "engine/text/hex.h"
#include "postgres/values/encoder.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace reverse_etl {

/// What the writers of a column know of its type.
struct EncodedType {
    Oid oid;          ///< a domain's base type
    FmgrInfo output;  ///< the type's output function
    ValueWriter text; ///< the native plain text, from which the other encodings are made

    // Where the encoding has steps: they, and what writes that which they begin with.
    const TextSteps *steps;
    ValueWriter before_steps;

    // An array: its elements.
    Oid element_oid;
    int16 element_length;
    bool element_by_value;
    char element_alignment;
    const ValueEncoder *element;

    // A named composite: its attributes, with an encoder for each (that of a dropped attribute is not used).
    TupleDesc attributes;
    const ValueEncoder *fields;
};

struct ValueWriters {
    ValueWriter json = nullptr;
    ValueWriter text = nullptr; ///< the same function as json where the JSON form is not a string
};

/// The writers of a type that belongs to the family, otherwise none.
ValueWriters number_writers(Oid type);
ValueWriters datetime_writers(Oid type);
ValueWriters nested_writers(EncodedType &type, int32 typmod); ///< fills in elements or attributes

/// Everything else is a string: text, uuid and bytea by writers of their own, the rest by the output function.
ValueWriters string_writers(const EncodedType &type);

/// Seconds or milliseconds since 1970 for types that name a moment, otherwise nothing.
ValueWriter epoch_s_writer(Oid type);
ValueWriter epoch_ms_writer(Oid type);

/// The text in UTF-8, whatever the database's encoding. Refuses what has no UTF-8 form.
std::string_view to_utf8(std::string_view server_text);

/// What the type's output function says, as UTF-8.
std::string_view output_text(const EncodedType &type, Datum value);

template <typename Integer>
void append_integer(Integer number, std::string &out) {
    char digits[24];
    out.append(digits, std::to_chars(digits, std::end(digits), number).ptr);
}

/// Writes a byte as two hexadecimal digits and returns where they end.
inline char *hex_digits(char *to, uint8 byte) {
    *to++ = lower_hex_digits[byte >> 4];
    *to++ = lower_hex_digits[byte & 15];
    return to;
}

} // namespace reverse_etl
