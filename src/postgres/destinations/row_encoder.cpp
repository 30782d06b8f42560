#include "postgres/destinations/row_encoder.h"

#include "postgres/border/border.h"

namespace reverse_etl {

void RowEncoder::encode(const Datum *values, const bool *nulls, std::uint64_t number, Batch &batch,
                        MemoryContext scratch) {
    columns_.set(values, nulls);
    std::string &out = batch.begin_row();
    try {
        pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(scratch);
            writer_.write(columns_, number, batch, out);
            MemoryContextSwitchTo(caller);
            MemoryContextReset(scratch);
        });
    } catch (...) {
        batch.drop_row();
        throw;
    }
    batch.end_row(number);
}

} // namespace reverse_etl
