#include "engine/requests/batch_cut.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace reverse_etl {

std::optional<Batch> cut(Batch &batch, const CompiledOperation &operation, OutcomeSink &sink) {
    std::size_t most_bytes = operation.spec().bytes;
    if (batch.bytes() <= most_bytes)
        return std::nullopt;
    Batch last = batch.rows().size() > 1 ? batch.split_last() : std::exchange(batch, Batch(operation.frame()));
    if (last.bytes() <= most_bytes)
        return std::exchange(batch, std::move(last));
    sink.rejected(last.rows().front().number,
                  "the row makes a request of " + std::to_string(last.bytes()) + " bytes, the destination takes " +
                      std::to_string(most_bytes),
                  0);
    return std::nullopt;
}

Batch in_order(const Batch &batch) {
    std::vector<std::size_t> positions(batch.rows().size());
    std::iota(positions.begin(), positions.end(), 0);
    std::sort(positions.begin(), positions.end(),
              [&](std::size_t a, std::size_t b) { return batch.rows()[a].number < batch.rows()[b].number; });
    return batch.subset(positions);
}

} // namespace reverse_etl
