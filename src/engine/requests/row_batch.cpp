#include "engine/requests/row_batch.h"

#include "engine/requests/batch_cut.h"
#include "engine/text/value_refused.h"

#include <utility>

namespace reverse_etl {

bool RowBatch::add(std::uint64_t number, ValuesBehind behind, RowSource &rows, OutcomeSink &sink) {
    std::string &out = batch_.begin_row(), refusal;
    try {
        rows.write(number, behind, writer_, batch_, out);
    } catch (const ValueRefused &refused) {
        refusal = refused.what();
    } catch (...) {
        batch_.drop_row();
        throw;
    }
    if (!refusal.empty()) {
        batch_.drop_row();
        sink.rejected(number, refusal, 0);
        return false;
    }
    batch_.end_row(number);
    return true;
}

std::optional<Batch> RowBatch::cut(OutcomeSink &sink) {
    return reverse_etl::cut(batch_, operation_, sink);
}

Batch RowBatch::take() {
    return std::exchange(batch_, Batch(operation_.frame()));
}

} // namespace reverse_etl
