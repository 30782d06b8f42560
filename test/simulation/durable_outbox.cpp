#include "durable_outbox.h"

#include <utility>

namespace reverse_etl::simulation {

void DurableOutbox::enqueue(const Order &order) {
    world_.tell("row %lu is queued: %s of %s, key %s", static_cast<unsigned long>(order.id),
                operation_name(order.operation), object_names[order.object], order.key.c_str());
    rows_[order.id].order = &order;
}

void DurableOutbox::start_over() {
    ended_.clear();
    deferred_.clear();
    released_.clear();
    noted_.clear();
    for (const auto &[id, stored] : rows_)
        pauses_.row_waits(id, stored.due);
}

void DurableOutbox::claim(DeliveryQueue &queue, std::size_t most_rows) {
    for (const auto &[id, stored] : rows_) {
        if (queue.rows().size() >= most_rows)
            return;
        if (queue.rows().contains(id))
            continue;
        hand_over(queue, id, stored);
        for (const auto &[other, of_request] : rows_)
            if (stored.request != 0 && of_request.request == stored.request && !queue.rows().contains(other))
                hand_over(queue, other, of_request);
    }
}

void DurableOutbox::hand_over(DeliveryQueue &queue, std::uint64_t id, const Stored &stored) const {
    KeyQueue::Row row = queue.rows().new_row();
    row->id = id;
    row->key = stored.order->key.empty() ? "" : "{\"email\":\"" + stored.order->key + "\"}";
    const std::string number = "\"n\":" + std::to_string(id);
    if (stored.order->operation == OperationKind::update)
        row->row = "{" + number + "}";
    else if (stored.order->operation != OperationKind::remove)
        row->row = "{\"email\":\"" + stored.order->key + "\"," + number + "}";
    row->role = static_cast<std::uint32_t>(1 + stored.order->role);
    row->attempts = stored.attempts;
    row->batch = stored.request;
    if (stored.due > world_.now())
        row->due = stored.due;
    queue.add(std::move(row), operation_name(stored.order->operation));
}

void DurableOutbox::note(const std::vector<QueuedRow *> &rows) {
    for (const QueuedRow *row : rows) {
        rows_.at(row->id).request = row->batch;
        noted_.insert(row->id);
    }
}

void DurableOutbox::check_notes(const std::set<std::uint64_t> &under_way) const {
    for (const std::uint64_t id : noted_)
        if (const auto row = rows_.find(id); row != rows_.end() && row->second.request != 0 &&
                                             !under_way.contains(id) &&
                                             object_names[row->second.order->object] != std::string("keyed"))
            throw Violation("row " + std::to_string(id) + " is noted as under way, and is not");
}

void DurableOutbox::end(const QueuedRow &row, const Outcome &outcome) {
    ended_.emplace_back(row.id, outcome);
    pauses_.row_ended(row.id);
    for (const QueuedRow::ReplacedChange &replaced : row.replaced) {
        check_stands_for(row.id, replaced.id);
        ended_.push_back({replaced.id, {Outcome::Kind::replaced, "by row " + std::to_string(row.id), false, row.id}});
        pauses_.row_ended(replaced.id);
    }
}

const Outcome &DurableOutbox::last_outcome(std::uint64_t id) const {
    const Outcome *outcome = &outcomes_.at(id);
    while (outcome->kind == Outcome::Kind::replaced)
        outcome = &outcomes_.at(outcome->by);
    return *outcome;
}

/// A change stands for earlier ones of its key and role.
void DurableOutbox::check_stands_for(std::uint64_t row, std::uint64_t replaced) const {
    const auto newer = rows_.find(row), older = rows_.find(replaced);
    if (newer == rows_.end() || older == rows_.end())
        return; // they have outcomes, and get others
    const Order &by = *newer->second.order, &of = *older->second.order;
    if (replaced >= row || by.key.empty() || by.key != of.key || by.role != of.role)
        throw Violation("row " + std::to_string(row) + " stands for row " + std::to_string(replaced) +
                        ", of which it leaves something");
}

void DurableOutbox::row_accepted(const QueuedRow &row) {
    if (!vendor_.has_taken(row.id))
        throw Violation("row " + std::to_string(row.id) + " counts as accepted, but the destination does not have it");
    end(row, {Outcome::Kind::accepted, ""});
}

void DurableOutbox::row_absent(const QueuedRow &row) {
    if (!vendor_.has_said_absent(row.id))
        throw Violation("row " + std::to_string(row.id) + " counts as absent, and nobody said so");
    end(row, {Outcome::Kind::absent, ""});
}

void DurableOutbox::row_rejected(const QueuedRow &row, const Rejection &rejection) {
    const bool is_cut_short = rejection.reason.find("the server stopped") != std::string::npos;
    if (rejection.may_be_there && !is_cut_short && !vendor_.has_seen(row.id))
        throw Violation("row " + std::to_string(row.id) + " surely never arrived, and counts as if it may have");
    end(row, {Outcome::Kind::rejected, rejection.reason, rejection.in_doubt});
}

void DurableOutbox::row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &reason) {
    deferred_.push_back({row.id, row.attempts, world_.now() + pause});
    pauses_.row_deferred(row.id, row.attempts, world_.now() + pause, reason);
}

void DurableOutbox::row_released(QueuedRow &row) {
    if (std::int64_t request = std::exchange(row.batch, 0))
        released_.emplace_back(row.id, request);
}

void DurableOutbox::commit() {
    for (const Deferred &deferred : std::exchange(deferred_, {})) {
        Stored &stored = rows_.at(deferred.id);
        stored.attempts = deferred.attempts;
        stored.due = deferred.due;
    }
    for (const auto &[id, request] : std::exchange(released_, {}))
        if (const auto stored = rows_.find(id); stored != rows_.end() && stored->second.request == request)
            stored->second.request = 0;
    constexpr const char *names[] = {"accepted", "absent", "rejected", "replaced"};
    for (auto &[id, outcome] : std::exchange(ended_, {})) {
        world_.tell("row %lu: %s %s", static_cast<unsigned long>(id), names[static_cast<int>(outcome.kind)],
                    outcome.reason.c_str());
        if (rows_.erase(id) == 0)
            throw Violation("row " + std::to_string(id) + " has two outcomes");
        outcomes_.emplace(id, std::move(outcome));
    }
}

} // namespace reverse_etl::simulation
