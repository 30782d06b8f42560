#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"
#include "postgres/hashes/row_hasher.h"

namespace reverse_etl {

namespace {

/// To be raised with every change that gives a row another hash: what a sync remembers of its rows is told by it.
constexpr int row_hash_version = 1;

/// What a call in a query keeps from row to row.
struct HashState {
    explicit HashState(MemoryContext context) : hasher(context) {}
    HashStream stream;
    RowHasher hasher;
};

Datum hash_row(FunctionCallInfo call) {
    FmgrInfo *function = call->flinfo;
    if (function->fn_extra == nullptr)
        function->fn_extra = make_in<HashState>(function->fn_mcxt, function->fn_mcxt);
    auto *kept = static_cast<HashState *>(function->fn_extra);
    kept->stream.start();
    pg_call([&] { kept->hasher.add(call->args[0].value, kept->stream); });
    return Int64GetDatum(static_cast<int64>(kept->stream.finish()));
}

} // namespace

/// reverse_etl.hash_row(record) returns bigint
SQL_FUNCTION(reverse_etl_hash_row) {
    return guard([&] { return hash_row(fcinfo); });
}

/// reverse_etl.hash_row_version() returns integer
SQL_FUNCTION(reverse_etl_hash_row_version) {
    PG_RETURN_INT32(row_hash_version);
}

} // namespace reverse_etl
