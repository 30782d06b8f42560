#include "postgres/hashes/row_hash.h"

#include "postgres/border/border.h"
#include "postgres/hashes/row_hasher.h"

namespace reverse_etl {

namespace {

/// What a call in a query keeps from row to row.
struct Kept {
    explicit Kept(MemoryContext context) : hasher(context) {}
    HashStream stream;
    RowHasher hasher;
};

} // namespace

Datum hash_row(FunctionCallInfo call) {
    FmgrInfo *function = call->flinfo;
    if (function->fn_extra == nullptr)
        function->fn_extra = make_in<Kept>(function->fn_mcxt, function->fn_mcxt);
    auto *kept = static_cast<Kept *>(function->fn_extra);
    kept->stream.start();
    pg_call([&] { kept->hasher.add(call->args[0].value, kept->stream); });
    return Int64GetDatum(static_cast<int64>(kept->stream.finish()));
}

} // namespace reverse_etl
