#include "postgres/outbox_queue.h"

#include "engine/backoff.h"
#include "engine/json_text.h"
#include "engine/outcome_unknown.h"
#include "engine/random.h"
#include "postgres/border.h"
#include "postgres/row_identity.h"
#include "postgres/sql.h"

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

/// A row whose attempts fail while others succeed comes again after this time, twice as long each time.
constexpr Milliseconds row_base{1'000}, row_cap{60 * 60'000};
/// How often is looked for them.
constexpr std::chrono::seconds between_expiries{1};
/// Rows that expired and are rejected in one transaction.
constexpr std::size_t most_expired = 1000;
/// How often it is tried to remove the table of a destination that was dropped.
constexpr std::chrono::seconds between_drops{60};

} // namespace

OutboxQueue::OutboxQueue(Oid destination, std::string identity)
    : destination_oid_(destination), identity_(std::move(identity)), outbox_(destination), requests_(destination) {}

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
    reject_expired();
    requests_.read();
    if (rows_.size() < most_rows && rows_.bytes() < most_bytes)
        claim_rows();
    // Also for rows that were there before the definition changed.
    open_lanes();
}

/// A row of many megabytes, or ever other columns, leave nothing behind when they are through.
void OutboxQueue::forget_what_was_rare() {
    bool any = lanes_.size() > most_kept_lanes || largest_row_ > most_kept_bytes;
    if (!any || rows_.size() > 0 || has_outcomes())
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
        rows_.clear();
        outbox_.start_over();
        requests_.forget_all();
        for (const StoredRow &stored : outbox_.claim(rows_, most_expired, more_))
            reject_stored(stored, "the destination was dropped");
        settle();
        return false;
    }
    destination_ = std::make_shared<const Destination>(destination_oid_);
    if (auto unusable = circuits_.find(InvalidOid); unusable != circuits_.end()) {
        unusable->second.succeeded();
        states_changed_ = true;
    }
    name_ = destination_->name;
    if (!statistics_)
        statistics_.emplace(destination_oid_);
    return true;
}

void OutboxQueue::take_out_cancelled() {
    if (cancelled_.empty() || rows_.under_way() > 0)
        return;
    settle();
    rows_.clear();
    outbox_.start_over();
    requests_.start_over();
    more_ = true;
    for (int32 sync : std::exchange(cancelled_, {}))
        for (const Outbox::TakenOut &row : outbox_.take_out(sync)) {
            sync_outcomes_.add(sync, static_cast<std::uint64_t>(row.id), SyncOutcomes::Outcome::cancelled,
                               row.in_doubt);
            lower_level(1, row.bytes);
        }
    settle();
}

/// Rows too old are rejected before newer ones are read. What is under way is left to its outcome.
void OutboxQueue::reject_expired() {
    Clock::time_point now = Clock::now();
    if (rows_.under_way() > 0 || now - expiry_checked_ < between_expiries)
        return;
    expiry_checked_ = now;
    std::vector<StoredRow> expired = outbox_.expired(destination_->outbox.ttl_ms, most_expired);
    if (expired.empty())
        return;
    expiry_checked_ = {}; // there may be more of them
    rows_.clear();
    outbox_.start_over();
    requests_.start_over();
    more_ = true;
    for (const StoredRow &stored : expired)
        reject_stored(stored, "expired: it waited longer than \"outbox_ttl\" allows");
    settle();
}

void OutboxQueue::add(StoredRow stored) {
    largest_row_ = std::max(largest_row_, stored.row->stored_bytes);
    std::string fault;
    stored.row->lane = lane_of(stored, fault);
    if (!fault.empty()) {
        reject_stored(stored, fault);
        return;
    }
    stored.row->identity = identity_of(reader_, *destination_);
    stored.row->identity_hash = hash_of(stored.row->identity);
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
                circuits_[slot.key.role].failed(Fault::unauthorized, error.what(), Clock::now());
                states_changed_ = true;
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
    if (!paused_ && !is_stale_ && !is_cancelling())
        for (std::size_t i = 0; i < lanes_.size(); i++)
            fill(i, now);
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->jobs() > 0)
            next = std::min(next, slot.lane->start_ready());
    if (paused_ || rows_.size() == 0)
        return next;
    for (const auto &[role, circuit] : circuits_)
        if (circuit.state() != Circuit::State::closed && circuit.retry_at() > now)
            next = std::min(next, circuit.retry_at());
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
    Circuit &circuit = circuits_[slot.key.role];
    std::size_t noted = 0;
    while (slot.lane->has_room(noted) && circuit.may_send(now, of_role) && rows_.next(number, now) != nullptr) {
        const QueuedRow &first = *rows_.next(number, now);
        if (first.batch != 0 && slot.lane->needs_marks() && !slot.lane->has_idempotency_key()) {
            std::uint64_t id = rows_.take(number, now)->id;
            std::string reason = outcome_unknown;
            reason += ": the server stopped while it was sent";
            rejected(id, reason, 0);
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

void OutboxQueue::mark() {
    std::vector<QueuedRow *> rows;
    for (Marked &marked : marked_)
        rows.insert(rows.end(), marked.rows.begin(), marked.rows.end());
    requests_.note(rows);
}

void OutboxQueue::submit_marked() {
    for (Marked &marked : std::exchange(marked_, {}))
        marked.lane->submit(std::move(marked.batches));
}

bool OutboxQueue::take(const Finished &finished) {
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->take(finished))
            return true;
    return false;
}

void OutboxQueue::reject_stored(const StoredRow &stored, const std::string &reason) {
    requests_.settled(*stored.row);
    rejected_.push_back({static_cast<std::int64_t>(stored.row->id), stored.row->table, without_nul(stored.row->key),
                         without_nul(stored.row->row), reason, 0});
    counts_[stored.row->push].rejected++;
    sync_outcomes_.add(stored.row->sync, stored.row->id, SyncOutcomes::Outcome::rejected,
                       stored.operation != operation_name(OperationKind::create));
    lower_level(1, stored.row->stored_bytes);
    if (statistics_)
        statistics_->rejected();
}

void OutboxQueue::lower_level(std::size_t rows, std::size_t bytes) {
    if (statistics_)
        statistics_->add_waiting(-static_cast<std::int64_t>(rows), -static_cast<std::int64_t>(bytes));
}

void OutboxQueue::leave_replaced(const QueuedRow &row, SyncOutcomes::Outcome outcome) {
    for (const QueuedRow::Replaced &replaced : row.replaced) {
        done_.push_back({static_cast<std::int64_t>(replaced.id), replaced.table, replaced.place});
        counts_[replaced.push].replaced++;
        sync_outcomes_.add(replaced.sync, replaced.id, outcome);
    }
}

void OutboxQueue::leave(std::uint64_t id, Left how) {
    KeyQueue::Row row = rows_.finish(id);
    statistics_->coalesced(row->replaced.size());
    lower_level(1 + row->replaced.size(), row->stored_bytes);
    Circuit &circuit = circuits_[row->role];
    if (circuit.state() != Circuit::State::closed)
        states_changed_ = true;
    circuit.succeeded();
    requests_.settled(*row);
    done_.push_back({static_cast<std::int64_t>(id), row->table, row->place});
    (how == Left::accepted ? counts_[row->push].accepted : counts_[row->push].absent)++;
    sync_outcomes_.add(row->sync, id,
                       how == Left::accepted ? SyncOutcomes::Outcome::accepted : SyncOutcomes::Outcome::absent);
    leave_replaced(*row, SyncOutcomes::Outcome::accepted);
    delivered_ += 1 + row->replaced.size();
}

void OutboxQueue::accepted(std::uint64_t id, const std::string &) {
    lanes_[rows_.row(id).lane].lane->activity().accepted();
    leave(id, Left::accepted);
}

void OutboxQueue::absent(std::uint64_t id) {
    leave(id, Left::absent);
}

void OutboxQueue::rejected(std::uint64_t id, const std::string &reason, long status) {
    KeyQueue::Row row = rows_.finish(id);
    statistics_->coalesced(row->replaced.size());
    lower_level(1 + row->replaced.size(), row->stored_bytes);
    if (Lane *lane = lanes_[row->lane].lane.get())
        lane->activity().rejected();
    else
        statistics_->rejected();
    if (status != 0) {
        circuits_[row->role].succeeded();
        states_changed_ = true;
    }
    rejected_.push_back(
        {static_cast<std::int64_t>(id), row->table, without_nul(row->key), without_nul(row->row), reason, status});
    requests_.settled(*row);
    counts_[row->push].rejected++;
    bool creates = lanes_[row->lane].key.operation == operation_name(OperationKind::create);
    bool in_doubt = (status == 0 || !row->reasons.empty()) && !creates;
    bool is_unknown = creates && reason.starts_with(outcome_unknown);
    sync_outcomes_.add(row->sync, id, is_unknown ? SyncOutcomes::Outcome::unknown : SyncOutcomes::Outcome::rejected,
                       in_doubt);
    leave_replaced(*row, SyncOutcomes::Outcome::cancelled);
}

void OutboxQueue::failed(const Batch &batch, const DestinationError &error) {
    Clock::time_point now = Clock::now();
    Oid role = rows_.row(batch.rows().front().number).role;
    Circuit &circuit = circuits_[role];
    // A failure among successes may be the rows' own doing; one among failures is not.
    bool of_rows = circuit.state() == Circuit::State::closed;
    circuit.failed(error.fault, error.what(), now);
    bool waits_for_someone = circuit.state() == Circuit::State::paused;
    states_changed_ = true;
    // Rows that were sent together come again together.
    int attempts = 0;
    for (const BatchRow &of_batch : batch.rows())
        attempts = std::max(attempts, rows_.row(of_batch.number).attempts);
    Milliseconds pause = backoff(attempts + 1, row_base, row_cap, Random::jitter());
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        if (of_rows && !waits_for_someone)
            row.attempts++;
        if (row.reasons.size() >= Outbox::most_reasons)
            row.reasons.erase(row.reasons.begin());
        row.reasons.push_back(error.what());
        if (row.attempts >= destination_->outbox.max_attempts) {
            std::string history;
            for (const std::string &reason : row.reasons)
                history += (history.empty() ? "" : "\n") + reason;
            rejected(row.id, "gave up after " + std::to_string(row.attempts) + " attempts: " + history, 0);
            continue;
        }
        defer(row, now, pause, error.what());
    }
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.key.role == role)
            withdraw(*slot.lane);
}

/// Takes back what was not sent: the destination is to have its peace.
void OutboxQueue::withdraw(Lane &lane) {
    Clock::time_point now = Clock::now();
    for (const std::unique_ptr<Job> &job : lane.withdraw())
        for (const BatchRow &row : job->batch.rows())
            defer(rows_.row(row.number), now, Milliseconds(0), "");
}

void OutboxQueue::defer(QueuedRow &row, Clock::time_point now, Milliseconds pause, const std::string &reason) {
    // That it was under way is no longer true; only a request with a key has to be the same again.
    const LaneSlot &slot = lanes_[row.lane];
    if (!slot.lane->has_idempotency_key())
        requests_.released(row);
    deferred_.push_back({static_cast<std::int64_t>(row.id), row.table, row.attempts, pause.count(), reason});
    rows_.put_back(row.id, now + pause);
}

bool OutboxQueue::has_outcomes() const {
    return !done_.empty() || !rejected_.empty() || !deferred_.empty() || states_changed_;
}

void OutboxQueue::settle() {
    if (statistics_)
        statistics_->add_rows();
    if (!done_.empty())
        outbox_.remove(std::exchange(done_, {}));
    if (!rejected_.empty())
        outbox_.reject(name_, std::exchange(rejected_, {}));
    sync_outcomes_.settle();
    counts_.erase(0); // rows of no push
    if (!counts_.empty())
        Outbox::count(std::exchange(counts_, {}));
    if (!deferred_.empty())
        outbox_.defer(std::exchange(deferred_, {}));
    if (states_changed_)
        store_states();
    states_changed_ = false;
    requests_.store();
    rows_.forget_finished();
}

void OutboxQueue::store_states() {
    for (const auto &of_role : circuits_) {
        Oid role = of_role.first;
        const Circuit &circuit = of_role.second;
        bool closed = circuit.state() == Circuit::State::closed;
        if (closed && !stored_states_.contains(role))
            continue;
        pg_call([&] {
            if (closed) {
                sql::execute("DELETE FROM reverse_etl.destination_states "
                             "WHERE destination = $1 AND role = $2",
                             {sql::oid(destination_oid_), sql::oid(role)});
                return;
            }
            std::int64_t pause = std::chrono::duration_cast<Milliseconds>(circuit.retry_at() - Clock::now()).count();
            sql::execute(R"(
                INSERT INTO reverse_etl.destination_states (destination, role, state, reason, failures, retry_at)
                VALUES ($1, $2, $3, $4, $5, clock_timestamp() +
                        make_interval(secs => $6::float8 / 1000))
                ON CONFLICT (destination, role) DO UPDATE
                   SET state = excluded.state, reason = excluded.reason, failures = excluded.failures,
                       retry_at = excluded.retry_at)",
                         {sql::oid(destination_oid_), sql::oid(role),
                          sql::text(circuit.state() == Circuit::State::paused ? "paused" : "failing"),
                          sql::text(circuit.reason()), sql::int8(circuit.failures()), sql::int8(pause)});
        });
        if (closed)
            stored_states_.erase(role);
        else
            stored_states_[role] = circuit.state();
    }
}

void OutboxQueue::cannot_be_used(const std::string &reason) {
    more_ = false;
    circuits_[InvalidOid].failed(Fault::stopped, reason, Clock::now());
    states_changed_ = true;
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
    for (auto &[role, circuit] : circuits_)
        circuit.retry_now();
    rows_.release_all();
}

} // namespace reverse_etl
