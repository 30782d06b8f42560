#pragma once

#include "engine/manifest/value_encoding.h"
#include "engine/requests/words.h"
#include "postgres/border/postgres.h"

#include <simdjson.h>
#include <string>

namespace reverse_etl {

/// Reads a column's values from an answer's JSON, through the type's input function. Made once per scan.
class ValueDecoder {
  public:
    /// What the values are read for.
    struct Column {
        std::string name;
        Oid type;
        int32 modifier;
        ValueEncoding encoding;
    };

    /// `words`: what an error may repeat of the destination's.
    ValueDecoder(Column column, const Words &words, MemoryContext context);

    /// The value, in the current memory context; null for JSON's null, and for an empty text where the type has none.
    /// What no text of Postgres can hold, U+0000, becomes U+FFFD, the sign for a character that is lost.
    /// Throws an Error that names the column.
    Datum decode(simdjson::dom::element value, bool &is_null);

  private:
    std::string text_of_value(simdjson::dom::element value) const;

    const Column column_;
    const std::string separator_; ///< of a list that is one text
    const Words &words_;
    FmgrInfo input_;
    Oid io_parameter_ = InvalidOid;
    bool is_string_ = false, is_json_ = false, is_array_ = false, is_bytea_ = false, is_array_of_bytea_ = false;
    std::string text_;
};

} // namespace reverse_etl
