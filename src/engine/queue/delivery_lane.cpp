#include "engine/queue/delivery_lane.h"

#include "engine/requests/batch_cut.h"
#include "engine/requests/row_groups.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

/// The operations that write rows, each with what its rules try.
template <class Use>
void for_each_operation(const Route &route, Use &&use) {
    if (!route.after) {
        use(route.operation, route.reactions);
        return;
    }
    use(route.after->found, route.after->of_found);
    if (route.after->missing)
        use(*route.after->missing, route.after->of_missing);
}

/// What is made once more after a reaction is another request, with a key of its own. A row that begins anew makes the
/// first again, and so might do again what the second did. In such a lane no key outlasts its request.
Route with_keys_that_last(Route route) {
    bool makes_another = false;
    for_each_operation(route, [&](const CompiledOperation &operation, const Reactions &reactions) {
        makes_another |=
            !operation.spec().idempotent && operation.spec().has_idempotency_key() &&
            std::ranges::any_of(reactions, [](const CompiledReaction &one) { return one.next.has_value(); });
    });
    if (makes_another)
        route.policy.idempotency_scope.clear();
    return route;
}

/// The columns whose values are never words.
std::vector<int> number_columns(const Route &route, const JsonRow &row) {
    std::vector<int> columns;
    for (std::size_t i = 0; !route.numbers.empty() && i < row.names().size(); i++)
        if (route.numbers.contains(row.names()[i]))
            columns.push_back(static_cast<int>(i));
    return columns;
}

bool is_word(const JsonRow &row, int column) {
    constexpr std::size_t longest_word = std::string_view("\"-Infinity\"").size();
    const std::string_view json = row.json(column);
    // Mostly it is seen without taking the text out of it.
    if (json.front() != '"' || (json.size() > longest_word && json.find('\\') == std::string_view::npos))
        return false;
    std::string text;
    row.text(column, text);
    std::string_view word = text.starts_with('-') ? std::string_view(text).substr(1) : text;
    return word == "NaN" || word == "Infinity" || word == "infinity";
}

[[noreturn]] void refuse_word(const JsonRow &row, int column) {
    throw ValueRefused("value of column \"" + row.names()[column] + "\" is infinite or NaN, which JSON cannot express");
}

} // namespace

void for_each_write(const Route &route, const std::function<void(const OperationSpec &)> &use) {
    for_each_operation(route, [&](const CompiledOperation &operation, const Reactions &reactions) {
        use(operation.spec());
        for (const CompiledReaction &reaction : reactions)
            for (const auto &made : {&reaction.tried, &reaction.next})
                if (*made && &(*made)->spec() != &operation.spec() && !is_read_only((*made)->spec().kind))
                    use((*made)->spec());
    });
}

std::unique_ptr<RowDelivery> delivery_of_route(const Route &route, Dispatcher &dispatcher,
                                               const DeliveryContext &context, RowSource &rows, OutcomeSink &sink) {
    if (route.after)
        return std::make_unique<LookedUpDelivery>(route.operation, dispatcher, *route.after, context, rows, sink);
    return delivery_of(route.operation, dispatcher, route.reactions, context, rows, sink);
}

DeliveryLane::DeliveryLane(Route route, const Surroundings &around, KeyQueue &rows, OutcomeSink &sink,
                           std::unique_ptr<LaneObserver> observer)
    : route_(with_keys_that_last(std::move(route))), writer_(route_.operation, route_.null_as), rows_(rows),
      sink_(sink), observer_(std::move(observer)), dispatcher_(route_.operation, around.transport, around.waiter,
                                                               around.limiter, *route_.authenticator, route_.policy),
      around_(around) {
    dispatcher_.report_to(*observer_);
    for_each_write(route_, [this](const OperationSpec &write) {
        if (write.idempotent)
            return;
        has_idempotency_key_ &= write.has_idempotency_key() && !route_.policy.idempotency_scope.empty();
        needs_marks_ = true;
    });
    if (!needs_marks_)
        has_idempotency_key_ = !route_.after && route_.operation.spec().has_idempotency_key();
    const DeliveryContext context{around, *route_.authenticator, route_.policy, observer_.get(), true};
    auto &own_rows = static_cast<RowSource &>(*this);
    if (!route_.after && !route_.operation.spec().idempotent)
        dispatcher_.hold_starts();
    delivery_ = delivery_of_route(route_, dispatcher_, context, own_rows, sink);
}

/// How many rows may go in a request with this one. One that failed is tried with fewer each time, until it stands
/// alone: whose fault it is shows then. And what cannot be sent again is not risked for trying out.
std::size_t DeliveryLane::most_together(const QueuedRow &row, bool probing) const {
    if (probing && needs_marks() && !has_idempotency_key())
        return 1;
    return row.most_together == 0 ? route_.operation.rows_per_batch() : row.most_together;
}

std::vector<Batch> DeliveryLane::make_batches(int lane, Clock::time_point now, bool probing) {
    return route_.operation.grouping().empty() ? make_batch(lane, now, probing) : make_groups(lane, now, probing);
}

/// Rows that come next may be of many groups: so far ahead it is looked for those that share a request.
std::vector<Batch> DeliveryLane::make_groups(int lane, Clock::time_point now, bool probing) {
    constexpr std::size_t most_ahead = 8;
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
    return grouped(route_.operation, std::move(batches));
}

std::vector<Batch> DeliveryLane::make_batch(int lane, Clock::time_point now, bool probing) {
    const CompiledOperation &operation = route_.operation;
    std::vector<Batch> batches;
    Batch batch(operation.frame());
    batch.rows().reserve(last_rows_);
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
        if (!write(*row, batch))
            continue;
        if (std::optional<Batch> full = cut(batch, operation, sink_)) {
            batches.push_back(std::move(*full));
            break;
        }
        if (together == 0 && batch.rows().size() >= most)
            break;
    }
    if (!batch.rows().empty())
        batches.push_back(std::move(batch));
    note_size(batches);
    return batches;
}

/// The next one is likely to be as large: a body that grows is copied again and again.
void DeliveryLane::note_size(const std::vector<Batch> &batches) {
    constexpr std::size_t most_bytes = 1 << 20;
    if (batches.empty())
        return;
    last_rows_ = batches.front().rows().size();
    last_bytes_ = std::min(most_bytes, batches.front().bytes() + batches.front().bytes() / 16);
}

bool DeliveryLane::write(const QueuedRow &row, Batch &batch) {
    std::string reason;
    std::string &out = batch.begin_row();
    if (batch.rows().empty() && out.capacity() < last_bytes_)
        out.reserve(last_bytes_);
    try {
        read(row);
        writer_.write(values_, row.id, batch, out);
        batch.end_row(row.id);
        return true;
    } catch (const std::exception &refusal) {
        reason = refusal.what();
    }
    batch.drop_row();
    sink_.rejected(row.id, reason, 0);
    return false;
}

/// The same row once more, for a request that follows.
void DeliveryLane::write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) {
    read(rows_.row(number));
    writer.write(RowWithMore(values_, static_cast<int>(route_.operation.columns().size()), behind), number, batch, out);
}

void DeliveryLane::read(const QueuedRow &row) {
    // All rows of a lane have the same members.
    if (values_.knows_members() && !row.values.empty()) {
        values_.read_at(row.row, row.key, row.values);
    } else {
        values_.read(row.row, row.key);
        numbers_ = number_columns(route_, values_);
    }
    for (int column : numbers_)
        if (is_word(values_, column))
            refuse_word(values_, column);
}

void check_numbers(const Route &route, const JsonRow &row) {
    for (std::size_t i = 0; !route.numbers.empty() && i < row.names().size(); i++)
        if (is_word(row, static_cast<int>(i)) && route.numbers.contains(row.names()[i]))
            refuse_word(row, static_cast<int>(i));
}

void DeliveryLane::submit(std::vector<Batch> batches, Clock::time_point now) {
    if (needs_marks_)
        next_note_ = now + between_notes;
    observer_->begin();
    for (const Batch &batch : batches)
        observer_->seen(batch.rows().size());
    delivery_->submit(std::move(batches));
}

bool DeliveryLane::take(const Finished &finished) {
    const bool is_own = delivery_->take(finished) || (job_ != nullptr && job_->take(finished));
    end_if_idle();
    return is_own;
}

std::deque<std::unique_ptr<Job>> DeliveryLane::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = delivery_->withdraw();
    end_if_idle();
    return jobs;
}

void DeliveryLane::end_if_idle() {
    if (jobs() == 0 && job_ == nullptr)
        observer_->end();
}

void DeliveryLane::begin_job(const std::vector<std::uint64_t> &rows, std::int64_t number, JobSink &jobs) {
    observer_->begin();
    observer_->seen(rows.size());
    job_ = std::make_unique<BulkJob>(JobSurroundings{route_, around_, rows_, sink_, jobs, *observer_}, rows, number);
}

void DeliveryLane::take_up(JobRecord record, JobSink &jobs) {
    observer_->begin();
    observer_->seen(record.rows.size());
    job_ =
        std::make_unique<BulkJob>(JobSurroundings{route_, around_, rows_, sink_, jobs, *observer_}, std::move(record));
}

Clock::time_point DeliveryLane::advance_job(Clock::time_point now, bool may_read) {
    if (job_ == nullptr)
        return Clock::time_point::max();
    const Clock::time_point next = job_->advance(now, may_read);
    if (!job_->has_ended())
        return next;
    job_.reset();
    end_if_idle();
    return now;
}

} // namespace reverse_etl
