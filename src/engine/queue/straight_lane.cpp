#include "engine/queue/straight_lane.h"

#include <utility>

namespace reverse_etl {

bool is_repeatable(const Route &route) {
    bool all = true;
    for_each_write(route, [&](const OperationSpec &write) { all &= write.idempotent; });
    return all;
}

StraightLane::StraightLane(Route route, const Surroundings &around, const JsonRows &rows, OutcomeSink &sink,
                           std::unique_ptr<LaneObserver> observer)
    : route_(std::move(route)), rows_(rows), sink_(sink), observer_(std::move(observer)),
      dispatcher_(route_.operation, around.transport, around.waiter, around.limiter, *route_.authenticator,
                  route_.policy),
      filling_(route_.operation, route_.null_as) {
    dispatcher_.report_to(*observer_);
    const DeliveryContext context{around, *route_.authenticator, route_.policy, observer_.get()};
    delivery_ = delivery_of_route(route_, dispatcher_, context, *this, sink);
}

void StraightLane::add(std::uint64_t number) {
    if (!filling_.add(number, {}, *this, sink_))
        return;
    if (std::optional<Batch> full = filling_.cut(sink_))
        full_.push_back(std::move(*full));
    if (filling_.rows() >= route_.operation.rows_per_batch())
        full_.push_back(filling_.take());
}

void StraightLane::submit() {
    if (filling_.rows() > 0)
        full_.push_back(filling_.take());
    if (!full_.empty())
        submit_full();
}

void StraightLane::submit_full() {
    observer_->begin();
    for (const Batch &batch : full_)
        observer_->seen(batch.rows().size());
    delivery_->submit(std::exchange(full_, {}));
}

void StraightLane::write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) {
    const JsonRows::Row row = rows_.json_row(number);
    values_.read(row.row, row.key);
    check_numbers(route_, values_);
    writer.write(RowWithMore(values_, static_cast<int>(route_.operation.columns().size()), behind), number, batch, out);
}

} // namespace reverse_etl
