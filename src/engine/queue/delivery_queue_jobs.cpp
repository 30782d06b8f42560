/// Of a DeliveryQueue what concerns jobs: which rows go into one, and what becomes of them beside their outcomes.

#include "engine/limits/backoff.h"
#include "engine/queue/delivery_queue.h"
#include "engine/requests/outcome_unknown.h"
#include "engine/world/random.h"

#include <algorithm>
#include <map>
#include <utility>

namespace reverse_etl {

namespace {

/// A row that its job has come again, or all of whose jobs failed, waits so long, twice as long each time.
constexpr Milliseconds row_base{1'000}, row_cap{60 * 60'000};
/// Jobs of a destination at the same time: their rows are held in memory.
constexpr int most_jobs = 4;
/// So many rows that wait are counted to find out whether they are enough for jobs: they are held in memory, too.
constexpr int most_counted = 100'000;

/// How many rows have to be at hand before it is known whether a job begins.
std::size_t rows_to_see(const JobSpec &spec) {
    return static_cast<std::size_t>(std::max(spec.rows, spec.from <= most_counted ? spec.from : 0));
}

} // namespace

void DeliveryQueue::add_to_job(KeyQueue::Row &&row, const std::string &operation) {
    read(*row, false);
    row->lane = lane_of(*row, operation);
    row->may_be_done = true;
    describe(*row);
    rows_.add_under_way(std::move(row));
}

/// Whether the lane's rows do not go into requests now: they are in a job, or are to be.
bool DeliveryQueue::leaves_to_job(LaneSlot &slot, int number, Clock::time_point now, bool all_read) {
    const JobSpec *spec = slot.lane->job_spec();
    const QueuedRow *first = spec == nullptr ? nullptr : rows_.next(number, now);
    if (first == nullptr || first->batch != 0)
        return false;
    const auto most = static_cast<std::size_t>(spec->rows);
    const std::size_t to_see = rows_to_see(*spec), ready = rows_.ready(number, to_see, now);
    if (!all_read && ready < to_see)
        return true;
    // Where it takes several jobs for so many, those behind the first leave in jobs as well, as far as they fill one.
    slot.in_jobs = ready >= static_cast<std::size_t>(spec->from) || (slot.in_jobs && ready >= most);
    if (!slot.lane->has_only_job() && !slot.in_jobs)
        return false;
    const auto jobs = std::count_if(lanes_.begin(), lanes_.end(), [](const LaneSlot &one) {
        return one.lane != nullptr && one.lane->job() != nullptr;
    });
    const bool has_place = slot.lane->job() == nullptr && left_jobs_.empty() && jobs < most_jobs;
    if (has_place && health_.of(slot.key.role).may_send(now, jobs_of(slot.key.role)))
        begin_job(slot, number, now);
    return true;
}

void DeliveryQueue::begin_job(LaneSlot &slot, int number, Clock::time_point now) {
    const JobSpec &spec = *slot.lane->job_spec();
    auto most = static_cast<std::size_t>(spec.rows);
    std::size_t bytes = 0;
    std::vector<std::uint64_t> rows;
    while (const QueuedRow *next = rows_.next(number, now)) {
        // What was refused together goes with fewer.
        if (next->most_together != 0)
            most = std::min(most, next->most_together);
        bytes += next->row.size() + next->key.size();
        if (next->batch != 0 || rows.size() >= most || (!rows.empty() && bytes > 2 * spec.bytes))
            break;
        rows.push_back(rows_.take(number, now)->id);
    }
    if (health_.of(slot.key.role).state() != Circuit::State::closed)
        slot.probed = ++probes_;
    // Their order is what a process that takes the job up can find again.
    std::sort(rows.begin(), rows.end());
    slot.lane->begin_job(rows, journal_.next_job(), *this);
}

void DeliveryQueue::take_up_jobs() {
    std::vector<JobRecord> left = std::exchange(left_jobs_, {});
    for (JobRecord &record : left)
        if (!is_taken_up(record))
            left_jobs_.push_back(std::move(record));
}

/// Whether somebody follows the job now, or nobody has to any more.
bool DeliveryQueue::is_taken_up(JobRecord &record) {
    const QueuedRow *row = row_of(record);
    if (row == nullptr) {
        journal_.job_ended(record.number);
        return true;
    }
    LaneSlot &slot = lanes_[row->lane];
    if (slot.lane == nullptr && slot.refused.empty())
        return false; // until it can be opened
    if (slot.lane == nullptr || slot.lane->job_spec() == nullptr) {
        lose_job(record, slot);
        return true;
    }
    if (slot.lane->job() != nullptr)
        return false;
    slot.lane->take_up(std::move(record), *this);
    return true;
}

/// The connector knows no jobs for these rows any more, or their role may not send them: nobody can ask for the end.
void DeliveryQueue::lose_job(const JobRecord &record, const LaneSlot &slot) {
    const std::string reason = slot.refused.empty() ? "the connector has no jobs for it any more" : slot.refused;
    for (std::uint64_t id : record.rows)
        if (rows_.is_under_way(id))
            rejected(id, std::string(outcome_unknown) + ": " + reason, 0);
    journal_.job_ended(record.number);
}

/// One of its rows that are there; nullptr if none is.
const QueuedRow *DeliveryQueue::row_of(const JobRecord &record) const {
    const auto found = std::find_if(record.rows.begin(), record.rows.end(),
                                    [this](std::uint64_t id) { return rows_.is_under_way(id); });
    return found == record.rows.end() ? nullptr : &rows_.row(*found);
}

std::vector<const JobRecord *> DeliveryQueue::job_notes() const {
    std::vector<const JobRecord *> notes;
    for (const LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job() != nullptr && slot.lane->job()->wants_note())
            notes.push_back(&slot.lane->job()->record());
    return notes;
}

void DeliveryQueue::jobs_noted() {
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job() != nullptr && slot.lane->job()->wants_note())
            slot.lane->job()->noted();
}

void DeliveryQueue::drop_job_notes() {
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job() != nullptr && slot.lane->job()->wants_note())
            slot.lane->job()->not_noted();
}

std::size_t DeliveryQueue::rows_in_jobs() const {
    std::size_t rows = 0;
    for (const LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job() != nullptr && slot.lane->job()->can_be_left())
            rows += slot.lane->job()->rows();
    for (const JobRecord &record : left_jobs_)
        rows += static_cast<std::size_t>(std::count_if(record.rows.begin(), record.rows.end(),
                                                       [this](std::uint64_t id) { return rows_.is_under_way(id); }));
    return rows;
}

std::size_t DeliveryQueue::most_rows_of_job() const {
    std::size_t most = 0;
    for (const LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job_spec() != nullptr)
            most = std::max(most, rows_to_see(*slot.lane->job_spec()));
    return most;
}

std::size_t DeliveryQueue::most_bytes_of_job() const {
    std::size_t most = 0;
    for (const LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->job_spec() != nullptr)
            most = std::max(most, slot.lane->job_spec()->bytes);
    return most;
}

void DeliveryQueue::forget_jobs() {
    left_jobs_.clear();
    close_lanes();
    left_jobs_.clear();
}

/// The rows wait again; that counts against them where the destination answers others.
void DeliveryQueue::job_comes_again(const std::vector<std::uint64_t> &rows, const DestinationError &error) {
    if (rows.empty())
        return;
    const Clock::time_point now = Clock::now();
    const std::uint32_t role = rows_.row(rows.front()).role;
    const bool was_closed = health_.of(role).state() == Circuit::State::closed;
    health_.failed(role, error.fault, error.what());
    const bool counts = was_closed && !error.is_of_token && health_.of(role).state() != Circuit::State::paused;
    const Milliseconds pause = backoff(rows_.row(rows.front()).attempts + 1, row_base, row_cap, Random::jitter());
    for (std::uint64_t id : rows) {
        QueuedRow &row = rows_.row(id);
        row.may_be_done |= error.may_be_done;
        row.attempts += counts ? 1 : 0;
        if (row.attempts >= options_.max_attempts)
            reject(rows_.finish(id), "gave up after " + std::to_string(row.attempts) + " attempts: " + error.what(), 0);
        else
            defer(row, now, pause, error.what());
    }
    leave_in_peace(role);
}

void DeliveryQueue::job_is_divided(const std::vector<std::uint64_t> &rows) {
    for (std::uint64_t id : rows) {
        QueuedRow &row = rows_.row(id);
        row.most_together = std::max<std::size_t>(1, rows.size() / 2);
        row.follows = true;
        rows_.put_back(id, Clock::now());
    }
}

/// All of them at one moment: each by itself would be a request, or a job, of its own.
void DeliveryQueue::rows_come_again(const std::vector<RowToRepeat> &rows) {
    const Clock::time_point now = Clock::now();
    std::map<int, Milliseconds> pauses; // by the number of attempts
    for (const auto &[id, reason] : rows) {
        QueuedRow &row = rows_.row(id);
        succeeded(row.role);
        if (++row.attempts >= options_.max_attempts) {
            rejected(id, reason, 0);
            continue;
        }
        const auto [pause, is_new] = pauses.try_emplace(row.attempts);
        if (is_new)
            pause->second = backoff(row.attempts, row_base, row_cap, Random::jitter());
        defer(row, now, pause->second, reason);
    }
}

void DeliveryQueue::job_stalls(const JobRecord &record, const DestinationError &error) {
    if (const QueuedRow *row = row_of(record))
        health_.failed(row->role, error.fault, error.what());
}

void DeliveryQueue::job_goes_on(const JobRecord &record) {
    if (const QueuedRow *row = row_of(record))
        succeeded(row->role);
}

} // namespace reverse_etl
