#pragma once

#include "postgres/postgres.h"

#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
}

namespace reverse_etl {

/// A row that the destination did not take, or that could not be sent.
struct RejectedRow {
    std::uint64_t number;
    MinimalTuple tuple; ///< of the foreign table's row type
    std::string reason;
    long status; ///< of HTTP; 0: the row was not sent, or had no answer
};

/// Adds to reverse_etl.rejected_rows, in the user's transaction. Of each row the named columns are kept.
void store_rejected_rows(const std::string &destination, const char *operation, TupleDesc descriptor,
                         const std::vector<std::string> &columns, const std::vector<RejectedRow> &rows);

} // namespace reverse_etl
