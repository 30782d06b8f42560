#include "postgres/outbox/queue.h"

#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"
#include "postgres/outbox/open_lane.h"

#include <algorithm>
#include <tuple>
#include <utility>

extern "C" {
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
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
      jobs_(destination), health_(destination), settlement_(destination, outbox_, requests_, jobs_, health_),
      queue_(*this, health_) {}

void OutboxQueue::claim() {
    is_expiring_ = is_expiring_ && !is_at_rest();
    if (stands_back())
        return;
    lock_definition();
    if (is_stale_) {
        if (!is_at_rest())
            return;
        queue_.close_lanes();
        destination_.reset();
        is_stale_ = false;
        // Also where the change was seen only when this transaction began.
        retry_now();
    }
    forget_what_was_rare();
    if (!open_definition())
        return;
    outbox_.make_table();
    take_out_cancelled();
    if (is_cancelling())
        return;
    if (anew_ == Anew::wanted && !forgets_rows_at_hand())
        return;
    requests_.read();
    read_jobs();
    reject_expired();
    if (has_room())
        claim_rows();
    if (!may_claim())
        anew_ = Anew::no;
    // Also for rows that were there before the definition changed.
    queue_.open_lanes(
        [this](const LaneKey &key, KeyQueue &rows, OutcomeSink &sink) { return open_lane_of(key, rows, sink); });
}

/// Rows that were queued after a run found its own are to leave after them. Should those come into the outbox, they
/// have numbers that were drawn since: none must be passed.
bool OutboxQueue::stands_back() {
    if (pg_call([&] { return own_locks::has_no_turn_taken(destination_oid_); }))
        return false;
    more_ = true;
    stands_back_until_ = Clock::now() + between_turns;
    return true;
}

/// Rows are read only together with the definition that they were made for: whoever is changing it is waited for, and
/// what they changed is known.
void OutboxQueue::lock_definition() const {
    if (!pg_call([&] { return ConditionalLockRelationOid(destination_oid_, AccessShareLock); }))
        throw Error(ERRCODE_LOCK_NOT_AVAILABLE, "somebody is changing the destination");
}

/// Rows at hand name their columns as those were called when they were read. Where one was renamed, they are read
/// again.
void OutboxQueue::forget_rows_of_old_names() {
    std::map<AttrNumber, std::string> names;
    for (const DestinationColumn &column : destination_->columns)
        names.emplace(column.attnum, column.name);
    if (std::exchange(column_names_, names) == names)
        return;
    queue_.forget_jobs();
    jobs_.start_over();
    queue_.start_over();
    outbox_.start_over();
    requests_.start_over();
    more_ = true;
}

/// A row of many megabytes, or ever other columns, leave nothing behind when they are through.
void OutboxQueue::forget_what_was_rare() {
    bool any = queue_.lanes() > most_kept_lanes || largest_row_ > most_kept_bytes;
    if (!any || queue_.rows().size() > 0 || !settlement_.is_empty())
        return;
    queue_.start_over();
    largest_row_ = 0;
}

void OutboxQueue::claim_rows() {
    // After a restart nobody knows how much waits until it was counted.
    if (auto counted = statistics_->counted(); !std::exchange(counted_, true) && counted.first <= 0)
        statistics_->correct_waiting(counted, outbox_.count_all());
    // Before rows are read: those that are queued meanwhile are counted, but not seen.
    const auto counted = statistics_->counted();
    // Stored times on the clock that does not jump. What is due together stays so.
    Clock::time_point now = Clock::now();
    TimestampTz stored_now = GetCurrentTimestamp();
    std::map<std::int64_t, Clock::time_point> due_of_request;
    auto add_all = [&](std::vector<StoredRow> rows) {
        for (StoredRow &stored : rows) {
            if (stored.next_attempt_at > stored_now)
                stored.row->due = now + std::chrono::microseconds(stored.next_attempt_at - stored_now);
            stored.row->batch = requests_.take(stored.row->id);
            // That they wait may have been written down of some of its rows only.
            if (stored.row->batch != 0)
                stored.row->due = due_of_request.try_emplace(stored.row->batch, stored.row->due).first->second;
            add(std::move(stored));
        }
    };
    add_all(outbox_.claim(queue_.rows(), claimed_at_once, more_));
    // The rows of a request that was made before are claimed together, whatever lies between them. What came before one
    // of them, of its key, had its outcome stored before it was sent.
    add_all(outbox_.find(requests_.rest_of_taken(), queue_.rows()));
    // What was counted and what is there may part: people delete rows, and prepared transactions are rolled back.
    if (is_idle())
        statistics_->correct_waiting(counted, {0, 0});
}

/// Rows of jobs that are followed take no room from others; those that are to be one job need all of its.
bool OutboxQueue::has_room() const {
    const KeyQueue &rows = queue_.rows();
    return rows.size() < std::max(most_rows, queue_.most_rows_of_job()) + queue_.rows_in_jobs() &&
           rows.bytes() < most_bytes + 4 * queue_.most_bytes_of_job();
}

/// Jobs need all their rows at hand; and those at hand may all wait for something.
bool OutboxQueue::has_few() const {
    return queue_.rows().size() < few_rows || is_at_rest() || queue_.most_rows_of_job() > 0;
}

/// The jobs that were handed over before, by this process or another, with their rows, which are ahead of all others.
void OutboxQueue::read_jobs() {
    for (JobRecord &record : jobs_.read()) {
        // A row may have been in a job before, of which the end is not written.
        const std::vector<std::int64_t> rows(record.rows.begin(), record.rows.end());
        for (StoredRow &stored : outbox_.find(rows, queue_.rows())) {
            try {
                queue_.add_to_job(std::move(stored.row), stored.operation);
            } catch (const std::exception &fault) {
                reject_stored(stored, fault.what());
            }
        }
        std::map<std::int64_t, std::uint64_t> by;
        std::vector<std::int64_t> older;
        for (const auto &[replaced, newer] : record.replaced)
            by[static_cast<std::int64_t>(replaced)] = newer;
        for (const auto &[replaced, newer] : by)
            older.push_back(replaced);
        for (const StoredRow &stored : outbox_.find(older, queue_.rows()))
            if (const std::uint64_t newer = by.at(static_cast<std::int64_t>(stored.row->id));
                queue_.rows().is_under_way(newer))
                queue_.rows().add_replaced(newer, *stored.row);
        queue_.take_up(std::move(record));
    }
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
        reject_all_of_dropped();
        return false;
    }
    destination_ = std::make_shared<const Destination>(destination_oid_);
    forget_rows_of_old_names();
    health_.usable();
    KeyForms forms;
    for (const DestinationColumn &column : destination_->columns)
        if (!column.compare.is_exact())
            forms.emplace(column.name, column.compare);
    queue_.use({destination_->outbox.max_attempts, destination_->null_as == NullAs::omit, std::move(forms)});
    name_ = destination_->name;
    if (!statistics_)
        statistics_.emplace(destination_oid_);
    return true;
}

/// What is noted of requests and jobs goes with their rows: what was under way may have been carried out.
void OutboxQueue::reject_all_of_dropped() {
    start_over();
    requests_.start_over();
    requests_.read();
    const std::vector<JobRecord> jobs = jobs_.read();
    std::set<std::uint64_t> in_jobs;
    for (const JobRecord &job : jobs)
        in_jobs.insert(job.rows.begin(), job.rows.end());
    for (const StoredRow &stored : outbox_.claim(queue_.rows(), most_expired, more_)) {
        stored.row->batch = requests_.take(stored.row->id);
        reject_stored(stored, "the destination was dropped", in_jobs.contains(stored.row->id));
    }
    for (std::size_t i = 0; !more_ && i < jobs.size(); i++)
        jobs_.ended(jobs[i].number);
}

/// Forgets the rows that wait, to read them anew.
void OutboxQueue::start_over() {
    queue_.forget_jobs();
    jobs_.start_over();
    queue_.rows().clear();
    keep_put_off_known();
    outbox_.start_over();
}

/// Of a destination that was resumed, once nothing of it is under way or to be written.
bool OutboxQueue::forgets_rows_at_hand() {
    if (!is_at_rest() || !settlement_.is_written() || settlement_.has_ended_requests())
        return false;
    anew_ = Anew::begun;
    start_over();
    requests_.start_over();
    more_ = true;
    const auto counted = statistics_->counted();
    statistics_->correct_waiting(counted, outbox_.count_all());
    return true;
}

void OutboxQueue::take_out_cancelled() {
    if (cancelled_.empty() || !is_at_rest() || !settlement_.is_written())
        return;
    if (settlement_.has_ended_requests()) {
        cancelled_.clear(); // until what is put off is written; meanwhile others go on
        return;
    }
    start_over();
    requests_.start_over();
    more_ = true;
    std::set<int32> left;
    for (int32 sync : cancelled_) {
        if (settlement_.has_put_off(sync))
            continue;
        std::vector<Outbox::RowOfSync> rows = outbox_.of_sync(sync, most_expired);
        for (const auto &[stored, in_doubt] : rows) {
            settle_row(Settlement::Kind::cancelled, *stored.row, SyncOutcomes::Outcome::cancelled, in_doubt, nullptr);
            queue_.rows().finish_unqueued(stored.row->id);
            lower_level(1, stored.row->stored_bytes);
        }
        if (rows.size() == most_expired)
            left.insert(sync);
    }
    cancelled_ = std::move(left);
}

/// Whether the first of the rows that wait, which is the oldest, is too old.
bool OutboxQueue::has_expired() const {
    return !outbox_.expired(destination_->outbox.ttl_ms, 1).empty();
}

/// Rows too old are rejected before newer ones are read. What is under way is left to its outcome; where requests are
/// under way all the time, they are let end for it.
void OutboxQueue::reject_expired() {
    Clock::time_point now = Clock::now();
    if (!is_at_rest() && queue_.rows_in_jobs() == 0 && now - expiry_looked_for_ >= between_expiries) {
        expiry_looked_for_ = now;
        is_expiring_ = has_expired();
    }
    if (queue_.rows().under_way() > 0 || !settlement_.is_written() || settlement_.has_ended_requests() ||
        now - expiry_checked_ < between_expiries)
        return;
    expiry_checked_ = now;
    std::vector<StoredRow> expired = outbox_.expired(destination_->outbox.ttl_ms, most_expired);
    std::erase_if(expired, [this](const StoredRow &stored) { return settlement_.has_put_off(stored.row->sync); });
    if (expired.empty())
        return;
    expiry_checked_ = {}; // there may be more of them
    start_over();
    requests_.start_over();
    requests_.read();
    more_ = true;
    auto reject = [this](const std::vector<StoredRow> &rows, const std::string &reason) {
        for (const StoredRow &stored : rows) {
            stored.row->batch = requests_.take(stored.row->id);
            reject_stored(stored, reason);
        }
    };
    reject(expired, "expired: it waited longer than \"outbox_ttl\" allows");
    // A request that may have been made does not come again in parts.
    reject(outbox_.find(requests_.rest_of_taken(), queue_.rows()), "a row of its request expired");
}

void OutboxQueue::add(StoredRow stored) {
    largest_row_ = std::max(largest_row_, stored.row->stored_bytes);
    try {
        queue_.add(std::move(stored.row), stored.operation, stored.is_like_last);
    } catch (const std::exception &fault) {
        reject_stored(stored, fault.what());
    }
}

DeliveryQueue::OpenedLane OutboxQueue::open_lane_of(const LaneKey &key, KeyQueue &rows, OutcomeSink &sink) {
    try {
        return {open_lane(destination_, key, rows, sink, identity_), ""};
    } catch (const PostgresError &) {
        throw;
    } catch (const Error &error) {
        if (error.sqlstate != ERRCODE_FDW_OPTION_NAME_NOT_FOUND)
            return {nullptr, error.what()};
        // Credentials can be given.
        health_.failed(key.role, Fault::unauthorized, error.what());
        return {};
    } catch (const std::exception &error) {
        return {nullptr, error.what()};
    }
}

Clock::time_point OutboxQueue::send(Clock::time_point now) {
    bool held = is_held(now);
    const bool may_start = !paused_ && !is_stale_ && !is_cancelling() && !is_expiring_ && anew_ == Anew::no && !held;
    Clock::time_point next = queue_.send(now, may_start, !may_claim());
    if (held)
        return std::min(next, std::max(health_.held_until(), stands_back_until_));
    return next;
}

bool OutboxQueue::claims_at_once(Clock::time_point now) const {
    return is_at_rest() && !is_held(now) &&
           (is_stale_ || is_cancelling() || is_expiring_ || is_to_forget() || may_claim());
}

void OutboxQueue::mark() const {
    requests_.note(queue_.marks());
}

void OutboxQueue::submit_marked() {
    requests_.noted(queue_.marks());
    queue_.submit_marked();
}

bool OutboxQueue::take(const Finished &finished) {
    return queue_.take(finished);
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
    queue_.rows().release_all();
}

} // namespace reverse_etl
