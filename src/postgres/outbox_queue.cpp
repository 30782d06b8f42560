#include "postgres/outbox_queue.h"

#include "postgres/border.h"

#include <algorithm>
#include <tuple>
#include <utility>

extern "C" {
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// How often is looked for them.
constexpr std::chrono::seconds between_expiries{1};
/// Rows that expired, or whose run was cancelled, and are seen to at once.
constexpr std::size_t most_expired = 1000;
/// How often it is tried to remove the table of a destination that was dropped.
constexpr std::chrono::seconds between_drops{60};

} // namespace

OutboxQueue::OutboxQueue(Oid destination, std::string identity)
    : destination_oid_(destination), identity_(std::move(identity)), outbox_(destination), requests_(destination),
      health_(destination), settlement_(destination, outbox_, requests_, health_) {}

void OutboxQueue::claim() {
    if (is_stale_ && rows_.under_way() == 0) {
        for (LaneSlot &slot : lanes_) {
            slot.lane.reset();
            slot.refused.clear();
        }
        destination_.reset();
        is_stale_ = false;
    }
    forget_what_was_rare();
    if (!open_definition())
        return;
    outbox_.make_table();
    take_out_cancelled();
    if (is_cancelling())
        return;
    requests_.read();
    reject_expired();
    if (rows_.size() < most_rows && rows_.bytes() < most_bytes)
        claim_rows();
    // Also for rows that were there before the definition changed.
    open_lanes();
}

/// A row of many megabytes, or ever other columns, leave nothing behind when they are through.
void OutboxQueue::forget_what_was_rare() {
    bool any = lanes_.size() > most_kept_lanes || largest_row_ > most_kept_bytes;
    if (!any || rows_.size() > 0 || !settlement_.is_empty())
        return;
    rows_.clear();
    lanes_.clear();
    lane_numbers_.clear();
    last_lane_ = 0;
    largest_row_ = 0;
    reader_ = {};
    older_reader_ = {};
}

void OutboxQueue::claim_rows() {
    if (!std::exchange(counted_, true) && statistics_->waiting().first == 0)
        std::apply([this](auto... level) { statistics_->set_waiting(level...); }, outbox_.count_all());
    // Stored times on the clock that does not jump. What is due together stays so.
    Clock::time_point now = Clock::now();
    TimestampTz stored_now = GetCurrentTimestamp();
    bool within_request = false;
    do {
        for (StoredRow &stored : outbox_.claim(rows_, claimed_at_once, more_)) {
            if (stored.next_attempt_at > stored_now)
                stored.row->due = now + std::chrono::microseconds(stored.next_attempt_at - stored_now);
            stored.row->batch = requests_.take(stored.row->id);
            within_request = stored.row->batch != 0;
            add(std::move(stored));
        }
        // The rows of a request that was made before are claimed together.
    } while (within_request && more_);
    // What was counted and what is there may part, where part of a transaction was rolled back.
    if (is_idle())
        statistics_->set_waiting(0, 0);
}

/// Whether the destination is there and can be used.
bool OutboxQueue::open_definition() {
    if (destination_ != nullptr)
        return true;
    char kind = pg_call([&] { return get_rel_relkind(destination_oid_); });
    is_gone_ = kind != RELKIND_FOREIGN_TABLE;
    if (is_gone_) {
        // It was dropped. Nothing can be delivered any more, but what was to be is not lost.
        if (name_.empty())
            name_ = "(dropped table " + std::to_string(destination_oid_) + ")";
        if (settles_before_claim())
            return false;
        rows_.clear();
        outbox_.start_over();
        requests_.forget_all();
        for (const StoredRow &stored : outbox_.claim(rows_, most_expired, more_))
            reject_stored(stored, "the destination was dropped");
        return false;
    }
    destination_ = std::make_shared<const Destination>(destination_oid_);
    health_.usable();
    name_ = destination_->name;
    if (!statistics_)
        statistics_.emplace(destination_oid_);
    return true;
}

void OutboxQueue::take_out_cancelled() {
    if (cancelled_.empty() || rows_.under_way() > 0 || !settlement_.is_empty())
        return;
    rows_.clear();
    outbox_.start_over();
    requests_.start_over();
    more_ = true;
    std::set<int32> left;
    for (int32 sync : cancelled_) {
        std::vector<Outbox::OfSync> rows = outbox_.of_sync(sync, most_expired);
        for (const auto &[stored, in_doubt] : rows) {
            settle_row(Settlement::Kind::cancelled, *stored.row, SyncOutcomes::Outcome::cancelled, in_doubt, nullptr);
            rows_.finish_unqueued(stored.row->id);
            lower_level(1, stored.row->stored_bytes);
        }
        if (rows.size() == most_expired)
            left.insert(sync);
    }
    cancelled_ = std::move(left);
}

/// Rows too old are rejected before newer ones are read. What is under way is left to its outcome.
void OutboxQueue::reject_expired() {
    Clock::time_point now = Clock::now();
    if (rows_.under_way() > 0 || !settlement_.is_empty() || now - expiry_checked_ < between_expiries)
        return;
    expiry_checked_ = now;
    std::vector<StoredRow> expired = outbox_.expired(destination_->outbox.ttl_ms, most_expired);
    if (expired.empty())
        return;
    expiry_checked_ = {}; // there may be more of them
    rows_.clear();
    outbox_.start_over();
    requests_.start_over();
    requests_.read();
    more_ = true;
    for (const StoredRow &stored : expired) {
        stored.row->batch = requests_.take(stored.row->id);
        reject_stored(stored, "expired: it waited longer than \"outbox_ttl\" allows");
    }
}

void OutboxQueue::add(StoredRow stored) {
    largest_row_ = std::max(largest_row_, stored.row->stored_bytes);
    std::string fault;
    stored.row->lane = lane_of(stored, fault);
    if (!fault.empty()) {
        reject_stored(stored, fault);
        return;
    }
    rows_.add(std::move(stored.row),
              [this](const QueuedRow &older, const QueuedRow &newer) { return may_replace(older, newer); });
}

int OutboxQueue::lane_of(const StoredRow &stored, std::string &fault) {
    try {
        reader_.read(stored.row->row, stored.row->key);
    } catch (const std::exception &error) {
        fault = error.what();
        return 0;
    }
    // Mostly that of the row before.
    auto is_of = [&](const LaneKey &key) {
        return key.role == stored.deliver_as && key.of_row == reader_.of_row() && key.operation == stored.operation &&
               key.of_sync == (stored.row->sync != 0) && key.names == reader_.names();
    };
    if (!lanes_.empty() && is_of(lanes_[last_lane_].key))
        return last_lane_;
    LaneKey key{stored.operation, stored.deliver_as, reader_.names(), reader_.of_row(), stored.row->sync != 0};
    auto [known, added] = lane_numbers_.try_emplace(std::move(key), static_cast<int>(lanes_.size()));
    if (added)
        lanes_.push_back({known->first, nullptr, ""});
    return last_lane_ = known->second;
}

/// An upsert or an update of the same columns leaves nothing of an earlier one, a delete nothing of either. `newer` is
/// what reader_ read.
bool OutboxQueue::may_replace(const QueuedRow &older, const QueuedRow &newer) {
    const LaneKey &before = lanes_[older.lane].key, &after = lanes_[newer.lane].key;
    if (before.role != after.role || before.operation == operation_name(OperationKind::create))
        return false;
    if (after.operation == operation_name(OperationKind::remove))
        return true;
    return older.lane == newer.lane && after.operation != operation_name(OperationKind::create) &&
           (after.operation == operation_name(OperationKind::update) || destination_->null_as != NullAs::omit ||
            writes_all_of(older));
}

/// Whether no NULL of the row that reader_ read, which is not sent, leaves a value of the earlier one as it is.
bool OutboxQueue::writes_all_of(const QueuedRow &older) {
    std::vector<int> left;
    for (std::size_t i = 0; i < reader_.of_row(); i++)
        if (reader_.is_null(static_cast<int>(i)))
            left.push_back(static_cast<int>(i));
    if (left.empty())
        return true;
    older_reader_.read(older.row, "");
    return std::all_of(left.begin(), left.end(), [&](int column) { return older_reader_.is_null(column); });
}

void OutboxQueue::open_lanes() {
    for (LaneSlot &slot : lanes_) {
        if (slot.lane != nullptr || !slot.refused.empty())
            continue;
        try {
            slot.lane =
                std::make_unique<Lane>(destination_, slot.key, rows_, static_cast<OutcomeSink &>(*this), identity_);
        } catch (const PostgresError &) {
            throw;
        } catch (const Error &error) {
            if (error.sqlstate == ERRCODE_FDW_OPTION_NAME_NOT_FOUND) {
                // Credentials can be given.
                health_.failed(slot.key.role, Fault::unauthorized, error.what());
            } else {
                slot.refused = error.what();
            }
        } catch (const std::exception &error) {
            slot.refused = error.what();
        }
    }
}

Clock::time_point OutboxQueue::send(Clock::time_point now) {
    Clock::time_point next = Clock::time_point::max();
    bool held = health_.is_held(now);
    if (!paused_ && !is_stale_ && !is_cancelling() && !held)
        for (std::size_t i = 0; i < lanes_.size(); i++)
            fill(i, now);
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->jobs() > 0)
            next = std::min(next, slot.lane->start_ready());
    if (held)
        return std::min(next, health_.held_until());
    if (is_cancelling() && rows_.under_way() == 0)
        return now;
    if (paused_ || rows_.size() == 0)
        return next;
    next = std::min(next, health_.next_try(now));
    if (rows_.next_due() > now)
        next = std::min(next, rows_.next_due());
    return next;
}

void OutboxQueue::fill(std::size_t index, Clock::time_point now) {
    LaneSlot &slot = lanes_[index];
    int number = static_cast<int>(index);
    if (!slot.refused.empty()) {
        while (QueuedRow *row = rows_.take(number, now))
            rejected(row->id, slot.refused, 0);
        return;
    }
    if (slot.lane == nullptr)
        return;
    std::size_t of_role = 0;
    for (const LaneSlot &other : lanes_)
        if (other.lane != nullptr && other.key.role == slot.key.role)
            of_role += other.lane->jobs();
    const Circuit &circuit = health_.of(slot.key.role);
    std::size_t noted = 0;
    while (slot.lane->has_room(noted) && circuit.may_send(now, of_role) && rows_.next(number, now) != nullptr) {
        const QueuedRow &first = *rows_.next(number, now);
        if (first.batch != 0 && slot.lane->needs_marks() && !slot.lane->has_idempotency_key()) {
            std::uint64_t id = rows_.take(number, now)->id;
            rejected(id, "outcome unknown, the destination may have the row: the server stopped while it was sent", 0);
            continue;
        }
        std::vector<Batch> batches = slot.lane->make_batches(number, now);
        of_role += batches.size();
        if (batches.empty())
            continue;
        if (!slot.lane->needs_marks()) {
            slot.lane->submit(std::move(batches));
            continue;
        }
        noted += batches.size();
        marked_.push_back(marked(*slot.lane, std::move(batches)));
    }
}

/// Requests that have to be noted, but for those that were before.
OutboxQueue::Marked OutboxQueue::marked(Lane &lane, std::vector<Batch> batches) {
    Marked marked{&lane, {}, {}};
    for (const Batch &batch : batches) {
        std::int64_t request = requests_.next();
        for (const BatchRow &of_batch : batch.rows()) {
            QueuedRow &row = rows_.row(of_batch.number);
            if (row.batch != 0)
                continue;
            row.batch = request;
            marked.rows.push_back(&row);
        }
    }
    marked.batches = std::move(batches);
    return marked;
}

std::vector<QueuedRow *> OutboxQueue::marked_rows() const {
    std::vector<QueuedRow *> rows;
    for (const Marked &marked : marked_)
        rows.insert(rows.end(), marked.rows.begin(), marked.rows.end());
    return rows;
}

void OutboxQueue::mark() const {
    requests_.note(marked_rows());
}

void OutboxQueue::submit_marked() {
    requests_.noted(marked_rows());
    for (Marked &marked : std::exchange(marked_, {}))
        marked.lane->submit(std::move(marked.batches));
}

void OutboxQueue::drop_marked(const Error &error) {
    for (QueuedRow *row : marked_rows())
        row->batch = 0;
    for (const Marked &marked : std::exchange(marked_, {}))
        for (const Batch &batch : marked.batches)
            for (const BatchRow &row : batch.rows())
                rows_.put_back(row.number, Clock::now());
    hold(error);
}

bool OutboxQueue::take(const Finished &finished) {
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->take(finished))
            return true;
    return false;
}

void OutboxQueue::cannot_be_used(const std::string &reason) {
    more_ = false;
    health_.unusable(reason);
}

void OutboxQueue::truncate() {
    if (outbox_.truncate_if_empty())
        delivered_ = 0;
}

bool OutboxQueue::drop(Clock::time_point now) {
    drop_at_ = now + between_drops;
    return outbox_.drop_if_empty();
}

void OutboxQueue::retry_now() {
    health_.retry_now();
    rows_.release_all();
}

} // namespace reverse_etl
