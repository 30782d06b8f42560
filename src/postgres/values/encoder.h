#pragma once

#include <string>

#include "engine/manifest/value_encoding.h"
#include "engine/requests/row_writer.h"
#include "postgres/border/postgres.h"

namespace reverse_etl {

struct EncodedType;
using ValueWriter = void (*)(const EncodedType &, Datum, std::string &);

/// Writes the values of one column. Made once per statement, then called for every row, so the choice of what to do
/// with a type is made once. Trivially copyable and without a destructor: it lives in a memory context.
///
/// Both writers may raise Postgres errors (detoasting, output functions): call them inside pg_call, with the current
/// memory context one that is reset per row. They throw ValueRefused. In both cases a part of the value may already
/// have been appended.
class ValueEncoder {
  public:
    /// Raises a Postgres error when the encoding does not fit the type (call inside pg_call). Lookups of the catalog
    /// happen here, and what is kept is allocated in the current memory context. The encoding's steps must stay.
    static ValueEncoder make(Oid type, int32 typmod, const ValueEncoding &encoding);

    /// Appends the value as JSON.
    void json(Datum value, std::string &out) const { json_(*type_, value, out); }

    /// Appends the value as plain text, as a form, a URL or a key needs it: what is a string in JSON without its
    /// quotes and escapes, everything else as in JSON.
    void text(Datum value, std::string &out) const { text_(*type_, value, out); }

  private:
    ValueWriter json_ = nullptr;
    ValueWriter text_ = nullptr;
    const EncodedType *type_ = nullptr;
};

} // namespace reverse_etl
