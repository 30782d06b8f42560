#pragma once

#include "postgres/destination.h"
#include "postgres/postgres.h"

#include <simdjson.h>
#include <string>

namespace reverse_etl {

/// Reads a column's values from an answer's JSON, through the type's input function. Made once per scan.
class ValueDecoder {
  public:
    explicit ValueDecoder(const DestinationColumn &column, MemoryContext context);

    /// The value, in the current memory context; null for JSON's null, and for an empty text where the type has none.
    /// Throws an Error that names the column.
    Datum decode(simdjson::dom::element value, bool &is_null);

  private:
    const DestinationColumn &column_;
    FmgrInfo input_;
    Oid io_parameter_ = InvalidOid;
    bool is_string_ = false, is_json_ = false, is_array_ = false;
    std::string text_;
};

} // namespace reverse_etl
