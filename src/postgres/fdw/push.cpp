#include "postgres/fdw/push.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/destinations/session.h"

#include <algorithm>
#include <cstdio>
#include <utility>

extern "C" {
#include "access/htup_details.h"
#include "executor/tuptable.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
}

namespace reverse_etl {

namespace {

/// How many rounds of requests a burst holds: enough that the pause between bursts is small against them.
constexpr std::size_t rounds_per_burst = 8;
/// A statement that takes longer to fill a batch has nothing under way while it does.
constexpr Milliseconds longest_unattended{200};
/// How long a statement that fails waits for what is under way and cannot be made again.
constexpr Milliseconds longest_wait_after_error{900};
/// The most bytes of bodies that a burst holds.
constexpr std::size_t most_burst_bytes = 16 << 20;

std::vector<Push *> &active_pushes() {
    static std::vector<Push *> pushes;
    return pushes;
}

/// A row type of the columns.
TupleDesc descriptor_of(const std::vector<const DestinationColumn *> &columns) {
    TupleDesc descriptor = pg_call([&] { return CreateTemplateTupleDesc(static_cast<int>(columns.size())); });
    AttrNumber number = 0;
    for (const DestinationColumn *column : columns) {
        number++;
        pg_call([&] { TupleDescInitEntry(descriptor, number, nullptr, column->type, column->typmod, 0); });
    }
    return descriptor;
}

/// Why a value cannot be sent; "" if the step went through.
template <class Step>
std::string refusal_of(Step &&step) {
    try {
        step();
        return "";
    } catch (const ValueRefused &refusal) {
        return refusal.what();
    }
}

} // namespace

Push::Push(const Destination &destination, const PushPlan &plan, const char *statement, Oid user, EState *estate,
           uint64 *counter)
    : destination_(destination), plan_(plan), columns_(columns_of(destination, plan)),
      operation_(compile(destination, plan)),
      after_(compile_what_follows(destination, plan, null_as(destination, plan.operation))),
      reactions_(compile_reactions(operation_, null_forms(destination, plan.operation))),
      values_of_(destination, columns_), encoder_(operation_, values_of_, null_as(destination, plan.operation)),
      records_(values_of_, columns_), authenticator_(destination.authenticator(user)), policy_(destination.policy),
      preview_(PreviewedDestination::of(destination.name, plan.operation)),
      activity_(preview_ == nullptr ? destination.relation : InvalidOid, plan.operation, GetUserId()),
      notices_(session::waiter(), activity_, destination.name), descriptor_(descriptor_of(columns_)), estate_(estate),
      counter_(counter), key_turns_(destination, plan_, columns_),
      entry_(destination, operation_name(plan.operation), statement) {
    policy_.account = destination.account(user);
    policy_.rehearsal = preview_.get();
    dispatcher_ = std::make_unique<Dispatcher>(operation_, session::transport(), notices_, session::rate_limiter(),
                                               *authenticator_, policy_);
    dispatcher_->report_to(activity_);
    activity_.begin();
    auto &sink = static_cast<OutcomeSink &>(*this);
    auto &rows = static_cast<RowSource &>(*this);
    const Surroundings around{session::transport(), notices_, session::rate_limiter()};
    const DeliveryContext context{around, *authenticator_, policy_, &activity_};
    if (after_)
        delivery_ = std::make_unique<LookedUpDelivery>(operation_, *dispatcher_, *after_, context, rows, sink);
    else
        delivery_ = delivery_of(operation_, *dispatcher_, reactions_, context, rows, sink);
    pg_call([&] {
        scratch_ = AllocSetContextCreate(CurrentMemoryContext, "reverse_etl row", ALLOCSET_SMALL_SIZES);
        burst_context_ = AllocSetContextCreate(CurrentMemoryContext, "reverse_etl burst", ALLOCSET_DEFAULT_SIZES);
    });
    values_.resize(columns_.size());
    nulls_ = std::make_unique<bool[]>(columns_.size());
    active_pushes().push_back(this);
}

Push::~Push() {
    std::vector<Push *> &active = active_pushes();
    active.erase(std::remove(active.begin(), active.end(), this), active.end());
    if (rows_ > settled_)
        entry_.fail(result(sqlstate_ == ERRCODE_QUERY_CANCELED ? PushOutcome::cancelled : PushOutcome::failed));
}

void Push::add(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    encode(slot, address, address_nulls);
    notices_.tell_if_due();
    std::size_t rounds = policy_.max_in_flight * (destination_.stop_at_reject ? 1 : rounds_per_burst);
    std::size_t burst_rows = rows_ + 1 - burst_begin_;
    if (burst_rows >= rounds * operation_.rows_per_batch() || burst_bytes_ >= most_burst_bytes)
        deliver();
    else if (turns_.size() == 1 && !turns_[0].empty() && operation_.grouping().empty() &&
             turns_[0].back().rows().size() >= operation_.rows_per_batch() && may_send_ahead())
        step([&] {
            entry_.ensure_begun();
            delivery_->start(std::exchange(turns_[0], {}));
        });
}

/// Whether requests may be under way while the statement makes its next rows. They are not attended to meanwhile: so
/// only if it makes them fast. What cannot be made again waits for the end of the first burst: a statement that fails
/// before has sent nothing.
bool Push::may_send_ahead() {
    Clock::time_point now = Clock::now();
    bool fast = now - std::exchange(last_full_batch_, now) < longest_unattended;
    return fast && (is_repeatable() || burst_begin_ > 1) && !destination_.stop_at_reject;
}

bool Push::is_repeatable() const {
    return operation_.spec().idempotent || operation_.spec().has_idempotency_key();
}

bool Push::deliver_one(TupleTableSlot *slot, const Datum *address, const bool *address_nulls, std::string &id) {
    std::uint64_t before = accepted_;
    last_id_.clear();
    delivery_->want_ids();
    encode(slot, address, address_nulls);
    // The executor counts this row itself.
    uint64 *counter = std::exchange(counter_, nullptr);
    deliver();
    counter_ = counter;
    id = last_id_;
    return accepted_ > before;
}

void Push::finish() {
    deliver();
    report_.warn(destination_.name, rows_);
    settle();
}

void Push::finish_all(EState *estate) {
    // finish() may run SQL, and with it other queries; those clean up after themselves.
    std::vector<Push *> pushes = active_pushes();
    for (Push *push : pushes)
        if (push->estate_ == estate)
            push->finish();
}

bool Push::any() {
    return !active_pushes().empty();
}

void Push::note_error(int sqlstate) noexcept {
    for (Push *push : active_pushes()) {
        push->sqlstate_ = sqlstate;
        try {
            if (!push->is_stepping_ && !push->is_repeatable())
                push->await_in_flight();
            if (audit_log::has_mailboxes() && !push->destination_.stop_at_reject)
                push->keep_rejections();
        } catch (const std::exception &) {
            // The error that is on its way is the one to tell.
        }
    }
}

/// The statement fails by itself: what became of the rows that left ahead of it is to be known, if it can be.
void Push::await_in_flight() {
    delivery_->withdraw();
    const Clock::time_point end = Clock::now() + longest_wait_after_error;
    while (delivery_->counts().in_flight > 0 && Clock::now() < end) {
        std::vector<Finished> finished;
        session::transport().run(session::waiter(), end, finished);
        for (const Finished &one : finished)
            delivery_->take(one);
    }
}

void Push::encode(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    if (!entry_.begun() && preview_ == nullptr)
        entry_.begin();
    gather_row(plan_, slot, address, address_nulls, values_.data(), nulls_.get());
    rows_++;
    activity_.seen(1);
    values_of_.set(values_.data(), nulls_.get());
    std::string refusal = refusal_of([&] { key_turns_.seek(values_of_, scratch_); });
    keep_tuple(); // while memory is fetched for next()
    if (refusal.empty())
        refusal = refusal_of([&] { add_to(batches_of(key_turns_.next())); });
    if (!refusal.empty())
        rejected(rows_, refusal, 0);
}

std::vector<Batch> &Push::batches_of(std::size_t turn) {
    if (turn >= turns_.size())
        turns_.resize(turn + 1);
    return turns_[turn];
}

/// Adds the row that was encoded last, and sees to the limits of requests. Throws ValueRefused.
void Push::add_to(std::vector<Batch> &batches) {
    if (batches.empty() || batches.back().rows().size() >= operation_.rows_per_batch())
        batches.emplace_back(operation_.frame());
    Batch &batch = batches.back();
    std::size_t before = batch.bytes(), most_bytes = operation_.spec().bytes;
    encoder_.encode(values_.data(), nulls_.get(), rows_, batch, scratch_);
    burst_bytes_ += batch.bytes() - before;
    if (batch.bytes() <= most_bytes)
        return;
    if (batch.rows().size() > 1) {
        batches.push_back(batch.split_last());
        if (batches.back().bytes() <= most_bytes)
            return;
    }
    std::size_t bytes = batches.back().bytes();
    batches.pop_back();
    throw ValueRefused("the row makes a request of " + std::to_string(bytes) + " bytes, the destination takes " +
                       std::to_string(most_bytes));
}

/// Keeps the row as it came until its outcome is known, for reverse_etl.rejected_rows.
void Push::keep_tuple() {
    tuples_.push_back(pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(burst_context_);
        MinimalTuple tuple = compat::form_minimal_tuple(descriptor_, values_.data(), nulls_.get());
        MemoryContextSwitchTo(caller);
        return tuple;
    }));
    // The request of a look-up does not hold the row, and those that follow are not made yet.
    if (after_)
        burst_bytes_ += tuples_.back()->t_len;
}

template <class Step>
void Push::step(Step &&step) {
    is_stepping_ = true;
    try {
        step();
        is_stepping_ = false;
    } catch (const DestinationError &error) {
        fault_ = error.what();
        throw Error(sqlstate_of(error.fault), "could not deliver to \"" + destination_.name + "\": " + error.what(),
                    progress(), hint(error.hint.c_str()), error.detail);
    } catch (const PostgresError &error) {
        // A cancel or a timeout: what was accepted stays, and that must be known.
        std::string context = "delivery to \"" + destination_.name + "\": " + progress();
        const std::string hint = this->hint(error.data->hint);
        if (!hint.empty())
            error.data->hint = pg_call([&] { return pstrdup(to_server_legible(hint).c_str()); });
        const char *before = error.data->context;
        error.data->context = pg_call([&] {
            const char *added = to_server_legible(context).c_str();
            return before == nullptr ? pstrdup(added) : psprintf("%s\n%s", before, added);
        });
        throw;
    }
}

void Push::deliver() {
    if (rows_ >= burst_begin_)
        step([&] {
            entry_.ensure_begun();
            for (std::vector<Batch> &batches : std::exchange(turns_, std::vector<std::vector<Batch>>(1))) {
                if (!batches.empty() && batches.back().rows().empty())
                    batches.pop_back();
                delivery_->deliver(std::move(batches));
            }
        });
    key_turns_.start_over();
    if (counter_ != nullptr)
        *counter_ += accepted_ - counted_;
    counted_ = accepted_;
    keep_rejections();
    tuples_.clear();
    burst_bytes_ = 0;
    burst_begin_ = rows_ + 1;
    MemoryContextReset(burst_context_);
}

void Push::keep_rejections() {
    if (rejections_.empty())
        return;
    std::vector<RejectedRow> rows = std::exchange(rejections_, {});
    std::sort(rows.begin(), rows.end(), [](const RejectedRow &a, const RejectedRow &b) { return a.number < b.number; });
    if (preview_ != nullptr) {
        for (const RejectedRow &row : rows)
            preview_->refused(row.number, row.reason);
        return;
    }
    if (destination_.stop_at_reject) {
        // The reason quotes the row; the server log is not where that belongs.
        const RejectedRow &first = rows.front();
        fault_ = "row " + std::to_string(first.number) + " was rejected";
        throw Error(
            ERRCODE_FDW_ERROR, "destination \"" + destination_.name + "\" rejected row " + std::to_string(first.number),
            first.reason + "\n" + progress(),
            "With the option \"on_reject\" set to store, rejected rows are kept and the others go on.", "", progress());
    }
    for (const RejectedRow &row : rows)
        report_.add("Row " + std::to_string(row.number) + ": " + row.reason);
    for (const std::string &text : rejected_rows_json(rows))
        entry_.keep(text);
}

void Push::settle() {
    if (rows_ == settled_ || preview_ != nullptr)
        return;
    entry_.settle(result(PushOutcome::completed));
    settled_ = rows_;
}

PushResult Push::result(PushOutcome outcome) const {
    const RowDelivery::Counts counts = delivery_->counts();
    PushResult result{outcome, rows_, accepted_, rejected_, absent_, counts.requests, counts.bytes, ""};
    if (outcome == PushOutcome::completed)
        return result;
    if (!fault_.empty())
        std::snprintf(result.error, sizeof(result.error), "%s", fault_.c_str());
    else if (sqlstate_ != 0)
        snprintf(result.error, sizeof(result.error), "SQLSTATE %s", unpack_sql_state(sqlstate_));
    else if (proc_exit_inprogress)
        std::snprintf(result.error, sizeof(result.error), "%s", "the session ended");
    return result;
}

void Push::accepted(std::uint64_t, const std::string &id) {
    accepted_++;
    activity_.accepted();
    last_id_ = id;
}

void Push::rejected(std::uint64_t number, const std::string &reason, long status) {
    rejected_++;
    activity_.rejected();
    RejectedRow row{number, "", "", reason, status};
    HeapTuple tuple = pg_call([&] { return take_apart(number); });
    std::size_t written = plan_.written.size();
    records_.encode_anyhow(values_.data(), nulls_.get(), 0, written, row.row, scratch_);
    if (!plan_.address.empty())
        records_.encode_anyhow(values_.data(), nulls_.get(), written, columns_.size(), row.key, scratch_);
    heap_freetuple(tuple);
    rejections_.push_back(std::move(row));
}

/// The row's values as it came, in the tuple that is returned. Call inside pg_call.
HeapTuple Push::take_apart(std::uint64_t number) {
    HeapTuple kept = heap_tuple_from_minimal_tuple(tuples_[number - burst_begin_]);
    heap_deform_tuple(kept, descriptor_, values_.data(), nulls_.get());
    return kept;
}

/// The row once more, for a request that follows.
void Push::write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) {
    const RowWithMore row(values_of_, static_cast<int>(columns_.size()), behind);
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(scratch_);
        take_apart(number);
        values_of_.set(values_.data(), nulls_.get());
        writer.write(row, number, batch, out);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(scratch_);
    });
}

void Push::absent(std::uint64_t) {
    absent_++;
    // As SQL has it: a row that is not there is not counted.
}

/// An error's hint, and where the rows are that were rejected before. Without preload they go with the transaction.
std::string Push::hint(const char *own) const {
    std::string hint = own == nullptr ? "" : own;
    if (rejected_ > 0 && !destination_.stop_at_reject && audit_log::has_mailboxes())
        hint += (hint.empty() ? "" : " ") + std::string(where_rejected_rows_are);
    return hint;
}

std::string Push::progress() const {
    auto counted = [](std::uint64_t rows, const char *of_one, const char *of_many) {
        return std::to_string(rows) + (rows == 1 ? of_one : of_many);
    };
    std::string text = "No row was accepted before";
    if (accepted_ > 0)
        text = counted(accepted_, " row was accepted before, and stays at the destination",
                       " rows were accepted before, and stay at the destination");
    if (rejected_ > 0 && !destination_.stop_at_reject)
        text += "; " + counted(rejected_, " was rejected", " were rejected");
    if (std::size_t rows = delivery_->counts().rows_in_flight; rows > 0)
        text += "; " + counted(rows, " was under way and may have arrived", " were under way and may have arrived");
    return text + ".";
}

} // namespace reverse_etl
