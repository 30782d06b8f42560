#include "postgres/syncs/straight_run.h"

#include "engine/requests/outcome_unknown.h"
#include "postgres/border/border.h"
#include "postgres/border/injection_point.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql.h"
#include "postgres/border/subtransaction.h"
#include "postgres/destinations/session.h"
#include "postgres/outbox/level.h"
#include "postgres/outbox/open_lane.h"
#include "postgres/outbox/writer.h"
#include "postgres/shared/activity.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>
#include <array>
#include <utility>

extern "C" {
#include "miscadmin.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// Rows of a burst: enough that the pause between two is small against them, and few enough to be held in memory.
constexpr std::size_t most_burst_rows = 10'000, most_burst_bytes = 16 << 20;
/// How often it looks whether it was told to stop.
constexpr Milliseconds between_looks{500};
/// How old what is known of the destination, and of the owner's rights and credentials, may be.
constexpr Milliseconds longest_known{1'000};
/// How long it waits for the turn at a destination, and between two attempts: the worker's claims are short.
constexpr Milliseconds longest_wait_for_turn{1'000};
constexpr long pause_us = 2'000;

using Kind = StraightOutcome::Kind;

Route route_of(std::shared_ptr<const Destination> destination, const RowStore::Way &way) {
    return open_route(std::move(destination), way.lane, "");
}

} // namespace

std::unique_ptr<TurnAtDestination> TurnAtDestination::take(Oid destination) {
    for (Clock::time_point end = Clock::now() + longest_wait_for_turn;;) {
        if (pg_call([&] { return own_locks::take_turn_at_destination(destination); }))
            return std::unique_ptr<TurnAtDestination>(new TurnAtDestination(destination));
        if (Clock::now() >= end || pg_call([&] { return own_locks::is_turn_taken(destination); }))
            return nullptr;
        pg_call([] {
            CHECK_FOR_INTERRUPTS();
            pg_usleep(pause_us);
        });
    }
}

TurnAtDestination::~TurnAtDestination() {
    own_locks::give_up_turn_at_destination(destination_);
    wake_worker();
}

bool may_leave_straight(const SyncDefinition &sync, const SyncOperations &operations) {
    bool may = false;
    try {
        in_subtransaction([&] {
            auto destination = std::make_shared<const Destination>(sync.destination);
            std::vector<const PushPlan *> plans = {&operations.added, &operations.changed};
            if (operations.removed)
                plans.push_back(&*operations.removed);
            may = std::all_of(plans.begin(), plans.end(), [&](const PushPlan *plan) {
                const Route route = open_route(destination, lane_of(*destination, *plan, sync.owner), "");
                bool has_job = false;
                for_each_write(route, [&](const OperationSpec &write) { has_job |= write.job != nullptr; });
                return is_repeatable(route) && !has_job;
            });
            return true;
        });
    } catch (const PostgresError &error) {
        FreeErrorData(error.data);
        return false;
    } catch (const std::exception &) {
        return false; // the worker says what is wrong
    }
    return may;
}

StraightRun::StraightRun(const SyncDefinition &sync, std::int64_t run, RowStore &store, bool has_turn,
                         InTransaction in_transaction, std::function<bool()> look)
    : sync_(sync), run_(run), store_(store), in_transaction_(std::move(in_transaction)), look_(std::move(look)),
      writer_(sync, run), course_(has_turn ? Course::goes_on : Course::goes_to_outbox),
      rejected_(RowStore::ways_count) {}

void StraightRun::deliver() {
    for (;;) {
        {
            Timed timed(times_.writing);
            in_transaction_([this] { begin_burst(); });
        }
        if (course_ != Course::goes_on)
            return;
        send_burst();
    }
}

/// Writes down what became of the burst before, and reads the next. What ends the run is done as well.
void StraightRun::begin_burst() {
    if (burst_ != nullptr && settle(true))
        return;
    look_around();
    if (course_ == Course::goes_on && !open_lanes())
        course_ = Course::goes_to_outbox;
    if (course_ == Course::is_cancelled) {
        end_cancelled();
    } else if (course_ == Course::goes_to_outbox) {
        queue_rest();
    } else {
        burst_ = &store_.next_burst(ROWS_OF_BURST(most_burst_rows), most_burst_bytes);
        outcomes_.assign(burst_->size(), {});
        writer_.note_sent(*burst_, outcomes_);
        if (burst_->empty()) { // and yet it has not ended: somebody has changed its numbers
            queue_rest();
            course_ = Course::has_ended;
        }
    }
}

/// What others want of the run.
void StraightRun::look_around() {
    sql::AsOwner owner;
    bool goes_on = false, is_cancelled = false;
    pg_call([&] {
        sql::execute("SELECT goes_on, is_cancelled FROM reverse_etl_internal.look_at_straight($1, $2)",
                     {sql::int8(run_), {BOOLOID, BoolGetDatum(is_begun_)}});
        goes_on = DatumGetBool(sql::column(0, 1));
        is_cancelled = DatumGetBool(sql::column(0, 2));
    });
    if (is_cancelled)
        course_ = Course::is_cancelled;
    else if ((!goes_on || !look_()) && course_ == Course::goes_on)
        course_ = Course::goes_to_outbox;
}

/// What they are made of may have changed since. False if that keeps rows from being sent.
bool StraightRun::open_lanes() {
    Clock::time_point now = Clock::now();
    if (is_begun_ && now - opened_ < longest_known)
        return true;
    opened_ = now;
    is_begun_ = true;
    try {
        in_subtransaction([&] {
            auto destination = std::make_shared<const Destination>(sync_.destination);
            max_attempts_ = destination->outbox.max_attempts;
            for (int i = 0; i < RowStore::ways_count; i++) {
                const RowStore::Way &way = store_.ways()[i];
                if (way.rows == 0)
                    continue;
                auto activity = std::make_unique<Activity>(sync_.destination, way.plan.operation, sync_.owner);
                lanes_[i] = std::make_unique<StraightLane>(
                    route_of(destination, way),
                    Surroundings{session::transport(), session::waiter(), session::rate_limiter()},
                    static_cast<const JsonRows &>(*this), static_cast<OutcomeSink &>(*this), std::move(activity));
            }
            return true;
        });
    } catch (const PostgresError &error) {
        FreeErrorData(error.data);
        return false;
    } catch (const std::exception &) {
        return false; // the worker finds the same, and says so
    }
    return true;
}

void StraightRun::send_burst() {
    write_requests();
    looked_ = Clock::now();
    while (under_way() > 0) {
        Clock::time_point next = looked_ + between_looks;
        for (const auto &lane : lanes_)
            if (lane != nullptr)
                next = std::min(next, lane->start_ready());
        if (under_way() == 0)
            break;
        wait(next);
        if (Clock::now() >= looked_ + between_looks) {
            looked_ = Clock::now();
            Timed timed(times_.writing);
            in_transaction_([this] { settle_and_look(); });
        }
        // What a look-up has found meanwhile does not leave either.
        if (course_ != Course::goes_on)
            withdraw();
    }
    for (const auto &lane : lanes_)
        if (lane != nullptr)
            lane->observer().end();
}

void StraightRun::write_requests() {
    Timed timed(times_.requests);
    for (std::size_t i = 0; i < burst_->size() && course_ == Course::goes_on; i++) {
        StraightLane &lane = lane_of(i);
        lane.add(store_.first_of_burst() + i);
        if (!lane.has_full())
            continue;
        // The destination is at work while the next ones are written.
        lane.submit_full();
        lane.start_ready();
        take_finished(Clock::now());
    }
    if (course_ != Course::goes_on)
        return; // and nothing more leaves
    for (const auto &lane : lanes_)
        if (lane != nullptr)
            lane->submit();
}

void StraightRun::settle_and_look() {
    if (settle(false))
        return;
    writer_.note_sent(*burst_, outcomes_);
    look_around();
}

void StraightRun::wait(Clock::time_point until) {
    const bool any_sent = std::any_of(lanes_.begin(), lanes_.end(),
                                      [](const auto &lane) { return lane != nullptr && lane->counts().in_flight > 0; });
    Timed timed(any_sent ? times_.requests : times_.waiting);
    take_finished(until);
}

/// What ended of others goes back to them.
void StraightRun::take_finished(Clock::time_point until) {
    std::vector<Finished> finished, others;
    pg_call([] { InvalidateCatalogSnapshot(); });
    session::transport().run(session::waiter(), until, finished);
    for (Finished &one : finished)
        if (std::none_of(lanes_.begin(), lanes_.end(),
                         [&](const auto &lane) { return lane != nullptr && lane->take(one); }))
            others.push_back(std::move(one));
    session::transport().give_back(std::move(others));
}

std::size_t StraightRun::under_way() const {
    std::size_t jobs = 0;
    for (const auto &lane : lanes_)
        jobs += lane == nullptr ? 0 : lane->counts().jobs;
    return jobs;
}

/// Takes back what was not sent. What is under way comes to its end.
void StraightRun::withdraw() {
    for (const auto &lane : lanes_)
        if (lane != nullptr)
            for (const std::unique_ptr<Job> &job : lane->withdraw())
                for (const BatchRow &row : job->batch.rows())
                    outcomes_[position_of(row.number)].in_doubt |= job->may_be_done;
}

void StraightRun::accepted(std::uint64_t row, const std::string &) {
    lane_of(position_of(row)).observer().accepted();
    outcomes_[position_of(row)] = {Kind::accepted};
}

void StraightRun::absent(std::uint64_t row) {
    outcomes_[position_of(row)] = {Kind::absent};
}

void StraightRun::rejected(std::uint64_t row, const std::string &reason, long status) {
    std::size_t position = position_of(row);
    const StraightRow &of_burst = (*burst_)[position];
    lane_of(position).observer().rejected();
    outcomes_[position] = {Kind::rejected, status == 0 || reason.starts_with(outcome_unknown)};
    rejected_[of_burst.way].push_back(
        {row, std::string(of_burst.key_json), std::string(of_burst.row_json), reason, status});
}

/// Whose fault it is the worker finds out. A row that failed alone, while others were answered, was tried once.
void StraightRun::failed(const Batch &batch, const DestinationError &error) {
    for (const BatchRow &row : batch.rows())
        outcomes_[position_of(row.number)].in_doubt |= error.may_be_done;
    const bool may_be_row =
        (error.fault == Fault::unreachable || error.fault == Fault::unintelligible) && !error.is_of_token;
    if (may_be_row && batch.rows().size() == 1 && course_ == Course::goes_on) {
        const std::uint64_t row = batch.rows().front().number;
        if (max_attempts_ <= 1)
            rejected(row, std::string("gave up after 1 attempts: ") + error.what(), 0);
        else
            outcomes_[position_of(row)].attempts = 1;
    }
    if (course_ == Course::goes_on)
        course_ = Course::goes_to_outbox;
    withdraw();
}

JsonRows::Row StraightRun::json_row(std::uint64_t number) const {
    const StraightRow &row = (*burst_)[position_of(number)];
    const bool stands_in_row = store_.ways()[row.way].plan.address.empty();
    return {row.row_json, stands_in_row ? std::string_view() : row.key_json};
}

/// Writes down what is known of the burst. `ends`: it has come to its end. True if with that the run has ended.
bool StraightRun::settle(bool ends) {
    writer_.settle(store_, *burst_, outcomes_, rejected_, ends);
    add_times(run_, times_, true);
    for (std::vector<RejectedRow> &rows : rejected_)
        rows.clear();
    sql::AsOwner owner;
    std::string status;
    pg_call([&] { sql::execute("SELECT status FROM reverse_etl.runs WHERE id = $1", {sql::int8(run_)}); });
    status = sql::printed_column(0, 1);
    if (status == "completed")
        forget_older_failures();
    if (status != "delivering" && status != "cancelling")
        course_ = Course::has_ended;
    return course_ == Course::has_ended;
}

/// What failed before has come again by now, or is no longer to be sent; what is in doubt stays so.
void StraightRun::forget_older_failures() const {
    std::string forget = SyncStatements(sync_).forget_failures(run_, true);
    pg_call([&] { sql::run(forget); });
}

void StraightRun::end_cancelled() {
    sql::AsOwner owner;
    pg_call([&] { sql::execute("SELECT reverse_etl_internal.stop_straight($1)", {sql::int8(run_)}); });
}

/// Into the outbox, from where the worker sends them when it can.
void StraightRun::queue_rest() {
    auto destination = std::make_unique<const Destination>(sync_.destination);
    store_.draw_numbers();
    SyncTables tables(sync_, run_, CurrentMemoryContext);
    std::array<std::unique_ptr<OutboxWriter>, RowStore::ways_count> writers;
    std::uint64_t rows = 0, bytes = 0;
    auto queue = [&](std::size_t i, int attempts) {
        const StraightRow &one = store_.burst()[i];
        const RowStore::Way &way = store_.ways()[one.way];
        std::unique_ptr<OutboxWriter> &writer = writers[one.way];
        if (writer == nullptr)
            writer =
                std::make_unique<OutboxWriter>(OutboxWriter::Push{sync_.destination, operation_name(way.plan.operation),
                                                                  sync_.owner, sync_.owner, way.push, sync_.id},
                                               CurrentMemoryContext);
        const std::string key(one.key_json), row(one.row_json);
        std::int64_t number = store_.number_in_outbox(store_.first_of_burst() + i);
        writer->add(number, key, row, attempts);
        tables.keep(one.row, number, one.row.attempts);
        rows++;
        bytes += key.size() + row.size();
    };
    for (std::size_t i = 0; burst_ != nullptr && i < burst_->size(); i++)
        if (outcomes_[i].kind == Kind::none)
            queue(i, outcomes_[i].attempts);
    while (!store_.next_burst(most_burst_rows, most_burst_bytes).empty()) {
        for (std::size_t i = 0; i < store_.burst().size(); i++)
            queue(i, 0);
        pg_call([] { CHECK_FOR_INTERRUPTS(); });
    }
    for (const std::unique_ptr<OutboxWriter> &writer : writers)
        if (writer != nullptr)
            writer->finish();
    tables.finish();
    if (rows > 0) {
        check_outbox_level(*destination, rows, bytes);
        wake_worker_at_commit();
        raise_outbox_level_at_commit(sync_.destination, rows, bytes);
    }
    sql::AsOwner owner;
    forget_older_failures();
    pg_call([&] { sql::execute("SELECT reverse_etl_internal.leave_straight($1, true)", {sql::int8(run_)}); });
}

} // namespace reverse_etl
