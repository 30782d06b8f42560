#include "engine/queue/delivery_lane.h"

#include "engine/requests/row_groups.h"
#include "engine/text/json_text.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace reverse_etl {

DeliveryLane::DeliveryLane(Route route, const Surroundings &around, KeyQueue &rows, OutcomeSink &sink,
                           std::unique_ptr<LaneObserver> observer)
    : route_(std::move(route)), writer_(route_.operation, route_.null_as), rows_(rows), sink_(sink),
      observer_(std::move(observer)), dispatcher_(route_.operation, around.transport, around.waiter, around.limiter,
                                                  *route_.authenticator, route_.policy),
      delivery_(route_.operation, dispatcher_, sink, false, route_.policy.max_attempts) {
    dispatcher_.report_to(*observer_);
    if (needs_marks())
        dispatcher_.hold_starts();
    if (route_.lookup)
        lookup_ = std::make_unique<Lookup>(*this, around);
}

DeliveryLane::Lookup::Lookup(DeliveryLane &lane, const Surroundings &around)
    : writer(*lane.route_.lookup, NullAs::null),
      dispatcher(*lane.route_.lookup, around.transport, around.waiter, around.limiter, *lane.route_.authenticator,
                 lane.route_.policy),
      lookup(*lane.route_.lookup, dispatcher, lane.sink_,
             [&lane](std::uint64_t number, const std::string &id) { lane.found(number, id); }),
      found(lane.route_.operation.frame()) {
    dispatcher.report_to(*lane.observer_);
}

/// How many rows may go in a request with this one. One that failed is tried with fewer each time, until it stands
/// alone: whose fault it is shows then. And what cannot be sent again is not risked for trying out.
std::size_t DeliveryLane::most_together(const QueuedRow &row, bool probing) const {
    if (probing && needs_marks() && !has_idempotency_key())
        return 1;
    const CompiledOperation &operation = route_.lookup ? *route_.lookup : route_.operation;
    return row.most_together == 0 ? operation.rows_per_batch() : row.most_together;
}

std::vector<Batch> DeliveryLane::make_batches(int lane, Clock::time_point now, bool probing) {
    return route_.operation.grouping().empty() ? make_batch(lane, now, probing) : make_groups(lane, now, probing);
}

/// Rows that come next may be of many groups: so far ahead it is looked for those that share a request.
std::vector<Batch> DeliveryLane::make_groups(int lane, Clock::time_point now, bool probing) {
    constexpr std::size_t most_ahead = 8;
    const CompiledOperation &operation = route_.lookup ? *route_.lookup : route_.operation;
    std::vector<Batch> batches;
    for (std::size_t i = 0; i < most_ahead; i++) {
        const QueuedRow *next = rows_.next(lane, now);
        // What was one request, or failed, is none to put others beside.
        const bool is_alone = next == nullptr || probing || next->batch != 0 || next->most_together != 0;
        if (next == nullptr || (is_alone && !batches.empty()))
            break;
        for (Batch &batch : make_batch(lane, now, probing))
            batches.push_back(std::move(batch));
        if (is_alone)
            break;
    }
    return grouped(operation, std::move(batches));
}

std::vector<Batch> DeliveryLane::make_batch(int lane, Clock::time_point now, bool probing) {
    const CompiledOperation &operation = route_.lookup ? *route_.lookup : route_.operation;
    std::vector<Batch> batches;
    Batch batch(operation.frame());
    std::int64_t together = 0;
    bool failed_before = false;
    std::size_t most = operation.rows_per_batch();
    while (const QueuedRow *next = rows_.next(lane, now)) {
        // What was one request stays one, and is one that can be made again: the rows are read again in their order.
        if (!batch.rows().empty() && (next->batch != together || next->id < batch.rows().back().number))
            break;
        // What failed before does not take others with it.
        bool fails = next->most_together != 0;
        if (!batch.rows().empty() && together == 0 && fails != failed_before)
            break;
        most = std::min(most, most_together(*next, probing));
        if (together == 0 && batch.rows().size() >= most)
            break;
        together = next->batch;
        failed_before = fails;
        QueuedRow *row = rows_.take(lane, now);
        bool written = lookup_ == nullptr ? write(row->id, row->row, row->key, writer_, batch)
                                          : write(row->id, "", row->key, lookup_->writer, batch);
        if (!written)
            continue;
        if (std::optional<Batch> full = cut(batch, operation)) {
            batches.push_back(std::move(*full));
            break;
        }
        if (together == 0 && batch.rows().size() >= most)
            break;
    }
    if (!batch.rows().empty())
        batches.push_back(std::move(batch));
    return batches;
}

bool DeliveryLane::write(std::uint64_t number, std::string_view row, std::string_view key, RowWriter &writer,
                         Batch &batch) {
    std::string reason;
    std::string &out = batch.begin_row();
    try {
        values_.read(row, key);
        check_numbers();
        writer.write(values_, number, batch, out);
        batch.end_row(number);
        return true;
    } catch (const std::exception &refusal) {
        reason = refusal.what();
    }
    batch.drop_row();
    sink_.rejected(number, reason, 0);
    return false;
}

/// A rejected row that is queued again holds as a text what could not be sent. It still cannot.
void DeliveryLane::check_numbers() const {
    for (std::size_t i = 0; !route_.numbers.empty() && i < values_.names().size(); i++) {
        std::string text;
        values_.text(static_cast<int>(i), text);
        std::string_view word = text.starts_with('-') ? std::string_view(text).substr(1) : text;
        if ((word == "NaN" || word == "Infinity" || word == "infinity") && route_.numbers.contains(values_.names()[i]))
            throw ValueRefused("value of column \"" + values_.names()[i] +
                               "\" is infinite or NaN, which JSON cannot express");
    }
}

/// The batch that is full, where its last row makes it too large and begins another.
std::optional<Batch> DeliveryLane::cut(Batch &batch, const CompiledOperation &operation) {
    std::size_t most_bytes = operation.spec().bytes;
    if (batch.bytes() <= most_bytes)
        return std::nullopt;
    Batch last = batch.rows().size() > 1 ? batch.split_last() : std::exchange(batch, Batch(operation.frame()));
    if (last.bytes() <= most_bytes)
        return std::exchange(batch, std::move(last));
    sink_.rejected(last.rows().front().number,
                   "the row makes a request of " + std::to_string(last.bytes()) + " bytes, the destination takes " +
                       std::to_string(most_bytes),
                   0);
    return std::nullopt;
}

void DeliveryLane::submit(std::vector<Batch> batches) {
    observer_->begin();
    for (const Batch &batch : batches)
        observer_->seen(batch.rows().size());
    if (lookup_ == nullptr)
        delivery_.submit(std::move(batches));
    else
        lookup_->lookup.submit(std::move(batches));
}

void DeliveryLane::found(std::uint64_t number, const std::string &id) {
    Batch &batch = lookup_->found;
    std::string name;
    append_json_string(name, route_.object->id);
    if (!write(number, rows_.row(number).row, "{" + name + ":" + id + "}", writer_, batch))
        return;
    if (std::optional<Batch> full = cut(batch, route_.operation))
        submit_found(std::move(*full));
    if (batch.rows().size() >= route_.operation.rows_per_batch())
        submit_found(std::exchange(batch, Batch(route_.operation.frame())));
}

/// They were found in any order, and an answer's words are paired with rows that are in theirs.
void DeliveryLane::submit_found(Batch batch) {
    std::vector<std::size_t> positions(batch.rows().size());
    std::iota(positions.begin(), positions.end(), 0);
    std::sort(positions.begin(), positions.end(),
              [&](std::size_t a, std::size_t b) { return batch.rows()[a].number < batch.rows()[b].number; });
    std::vector<Batch> batches;
    batches.push_back(batch.subset(positions));
    delivery_.submit(std::move(batches));
}

Clock::time_point DeliveryLane::start_ready() {
    if (lookup_ == nullptr)
        return delivery_.start_ready();
    if (!lookup_->found.rows().empty() && lookup_->dispatcher.jobs() == 0)
        submit_found(std::exchange(lookup_->found, Batch(route_.operation.frame())));
    return std::min(lookup_->lookup.start_ready(), delivery_.start_ready());
}

bool DeliveryLane::take(const Finished &finished) {
    bool is_own = delivery_.take(finished) || (lookup_ != nullptr && lookup_->lookup.take(finished));
    if (jobs() == 0)
        observer_->end();
    return is_own;
}

std::deque<std::unique_ptr<Job>> DeliveryLane::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = dispatcher_.withdraw();
    if (lookup_ != nullptr) {
        for (std::unique_ptr<Job> &job : lookup_->dispatcher.withdraw())
            jobs.push_back(std::move(job));
        if (!lookup_->found.rows().empty())
            jobs.push_back(std::make_unique<Job>(std::exchange(lookup_->found, Batch(route_.operation.frame()))));
    }
    if (this->jobs() == 0)
        observer_->end();
    return jobs;
}

std::size_t DeliveryLane::jobs() const {
    std::size_t jobs = dispatcher_.jobs();
    if (lookup_ != nullptr)
        jobs += lookup_->dispatcher.jobs() + (lookup_->found.rows().empty() ? 0 : 1);
    return jobs;
}

std::size_t DeliveryLane::jobs_in_flight() const {
    return dispatcher_.jobs_in_flight() + (lookup_ == nullptr ? 0 : lookup_->dispatcher.jobs_in_flight());
}

} // namespace reverse_etl
