#include "engine/queue/bulk_job.h"

#include "engine/http/url_reference.h"
#include "engine/limits/backoff.h"
#include "engine/queue/delivery_lane.h"
#include "engine/requests/outcome_unknown.h"
#include "engine/world/random.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace reverse_etl {

namespace {

/// Between two attempts to ask for what cannot be had.
constexpr Milliseconds stall_base{1'000}, stall_cap{60'000};
/// What is kept of an answer stands in requests and in the outbox.
constexpr std::size_t most_kept_bytes = 8 << 10;

/// A row without values.
struct NoValues final : RowValues {
    bool is_null(int) const override { return true; }
    void json(int, std::string &) const override {}
    void text(int, std::string &) const override {}
};

} // namespace

BulkJob::Run::Run(const BulkJob &job, OperationSpec of_step, std::string address)
    : spec(std::move(of_step)),
      away(address.empty()
               ? nullptr
               : std::make_unique<const Elsewhere>(*job.route_.object, *job.route_.authenticator, std::move(address))),
      operation(away == nullptr ? *job.route_.object : *away->object, spec, job.route_.operation.columns(),
                job.route_.operation.key(), {}),
      dispatcher(operation, job.around_.transport, job.around_.waiter, job.around_.limiter,
                 away == nullptr ? *job.route_.authenticator : *away->authenticator, job.route_.policy) {
    dispatcher.report_to(job.observer_);
}

BulkJob::BulkJob(const JobSurroundings &around, const std::vector<std::uint64_t> &ids, std::int64_t number)
    : BulkJob(around) {
    record_.number = number;
    try {
        cut(ids);
    } catch (const SettingError &error) {
        // Of what the rows lack, or the table.
        for (std::uint64_t id : ids)
            sink_.rejected(id, error.what(), 0);
    }
    for (std::uint64_t id : record_.rows)
        for (const QueuedRow::ReplacedChange &replaced : rows_.row(id).replaced)
            record_.replaced.emplace_back(replaced.id, id);
    if (record_.rows.empty())
        phase_ = Phase::ended;
}

BulkJob::BulkJob(const JobSurroundings &around, JobRecord record) : BulkJob(around) {
    record_ = std::move(record);
    values_ = record_.values;
    was_noted_ = may_be_begun_ = true;
    deadline_ = Clock::now() + spec_.longest - record_.age;
    for (std::uint64_t id : record_.rows) {
        if (!rows_.is_under_way(id)) {
            gone_.insert(id);
            outcomes_.add_gone(id);
            continue;
        }
        try {
            row_.read(rows_.row(id).row, rows_.row(id).key);
            outcomes_.add(id, row_);
        } catch (const std::exception &) {
            outcomes_.add_gone(id); // the destination cannot have named it by what it does not have
        }
    }
    if (record_.submitted)
        phase_ = Phase::poll;
    else if (spec_.has_close())
        step_ = spec_.decisive;
    else if (route_.operation.spec().idempotent)
        come_again(error("the server stopped while the job was made"));
    else
        reject_all(std::string(outcome_unknown) + ": the server stopped while the job was made", 0);
}

BulkJob::BulkJob(const JobSurroundings &around)
    : route_(around.route), around_(around.around), spec_(*route_.operation.spec().job), rows_(around.rows),
      sink_(around.sink), jobs_(around.jobs), observer_(around.observer), outcomes_(route_.operation, spec_),
      pause_(spec_.every) {}

/// Finds out which rows go into the job.
void BulkJob::cut(const std::vector<std::uint64_t> &ids) {
    const JobStep &with_rows = spec_.step_with_rows();
    const bool in_parts = with_rows.kind == JobStep::Kind::add;
    JobValues any; // what counts are the rows
    for (const JobStep &one : spec_.steps)
        for (const auto &[name, kept] : one.keep)
            any[name] = "0";
    const OperationSpec spec = request_with(with_rows.request, any);
    const CompiledOperation operation(*route_.object, spec, route_.operation.columns(), route_.operation.key(), {});
    RowWriter writer(operation, route_.null_as);
    const std::size_t most_bytes = in_parts ? spec.bytes : spec_.bytes;
    const std::size_t around_rows = Batch(operation.frame()).bytes();
    std::size_t all_bytes = around_rows;
    for (std::size_t i = 0; i < ids.size(); i++) {
        const std::size_t size = size_of(ids[i], writer, operation);
        if (size > most_bytes)
            sink_.rejected(ids[i],
                           "the row makes a request of " + std::to_string(size) + " bytes, the destination takes " +
                               std::to_string(most_bytes),
                           0);
        if (size == 0 || size > most_bytes)
            continue;
        const std::size_t of_row = size - around_rows + operation.frame().separator.size();
        if (!record_.rows.empty() && all_bytes + of_row > spec_.bytes) {
            // What has no room waits for the next one.
            for (; i < ids.size(); i++)
                rows_.put_back(ids[i], Clock::now());
            break;
        }
        outcomes_.add(ids[i], row_);
        record_.rows.push_back(ids[i]);
        sizes_.push_back(of_row);
        all_bytes += of_row;
    }
}

/// Which of its rows go into a request each: known when what the steps before kept stands in it.
void BulkJob::divide(const CompiledOperation &operation) {
    const bool in_parts = step().kind == JobStep::Kind::add;
    const auto most_rows = in_parts ? static_cast<std::size_t>(operation.spec().rows) : sizes_.size();
    const std::size_t around_rows = Batch(operation.frame()).bytes(), separator = operation.frame().separator.size();
    std::size_t begin = 0, bytes = around_rows;
    ends_.clear();
    for (std::size_t i = 0; i < sizes_.size(); i++) {
        const bool is_full = i - begin == most_rows || bytes + sizes_[i] - separator > operation.spec().bytes;
        if (in_parts && i > begin && is_full) {
            ends_.push_back(i);
            begin = i;
            bytes = around_rows;
        }
        bytes += sizes_[i];
    }
    ends_.push_back(sizes_.size());
}

/// What a request takes that holds the row alone; 0 where it cannot be sent, and was rejected.
std::size_t BulkJob::size_of(std::uint64_t id, RowWriter &writer, const CompiledOperation &operation) {
    std::string reason;
    try {
        Batch alone(operation.frame());
        write(id, writer, alone);
        outcomes_.check(row_);
        return alone.bytes();
    } catch (const std::exception &refusal) {
        reason = refusal.what();
    }
    sink_.rejected(id, reason, 0);
    return 0;
}

void BulkJob::write(std::uint64_t id, RowWriter &writer, Batch &batch) {
    std::string &out = batch.begin_row();
    try {
        row_.read(rows_.row(id).row, rows_.row(id).key);
        check_numbers(route_, row_);
        writer.write(row_, id, batch, out);
    } catch (...) {
        batch.drop_row();
        throw;
    }
    batch.end_row(id);
}

Clock::time_point BulkJob::advance(Clock::time_point now, bool may_read) {
    spent_.reset();
    if (has_ended() || wants_note_)
        return Clock::time_point::max();
    if (run_ == nullptr) {
        if (phase_ != Phase::steps && !may_read) {
            was_asked_ = false;
            return Clock::time_point::max();
        }
        // It was asked at least once, and since nobody held that up.
        if (now >= deadline_ && was_asked_) {
            give_up();
            return now;
        }
        if (due_ > now)
            return due_;
        if (!start_next()) // it ended, or is to be noted
            return now;
    }
    const Run *run = run_.get();
    const Clock::time_point next = run_->dispatcher.start_ready(*this);
    return run_.get() == run ? next : now;
}

bool BulkJob::take(const Finished &finished) {
    return run_ != nullptr && run_->dispatcher.take(finished, *this);
}

/// Whether there is a request now.
bool BulkJob::start_next() {
    try {
        if (phase_ == Phase::poll) {
            start(spec_.poll, "", "");
        } else if (phase_ == Phase::results) {
            start(spec_.results[result_].request, "", page_url_);
        } else if (is_decisive() && !was_noted_) {
            wants_note_ = true;
        } else {
            const std::string address = address_with(step(), values_);
            const std::string home = route_.object->base_url;
            if (!address.empty() && !goes_to(address, step().hosts, home.substr(0, home.find(':'))))
                throw SettingError("the address for its rows is none of the hosts that the connector allows");
            start(step().request, address, address);
        }
    } catch (const std::exception &fault) {
        // What was kept cannot stand where it has to.
        trouble(error(fault.what()));
    }
    return run_ != nullptr;
}

/// `url`: where it goes, if that is not the operation's; `away`: that is not the API's.
void BulkJob::start(const JobRequest &request, const std::string &away, const std::string &url) {
    run_ = std::make_unique<Run>(*this, request_with(request, values_), away);
    if (phase_ == Phase::steps && step().has_rows && part_ == 0)
        divide(run_->operation);
    auto job = std::make_unique<Job>(batch_of(*run_));
    job->cursor = cursor_;
    job->url = url;
    run_->dispatcher.submit(std::move(job));
}

/// The body of a request: of those of its rows that are its part, or of none.
Batch BulkJob::batch_of(Run &run) {
    RowWriter writer(run.operation, route_.null_as);
    if (phase_ == Phase::steps && step().has_rows) {
        Batch batch(run.operation.frame());
        for (std::size_t i = part_ == 0 ? 0 : ends_[part_ - 1]; i < ends_[part_]; i++)
            write(record_.rows[i], writer, batch);
        return batch;
    }
    if (run.operation.has_body()) {
        Batch alone(run.operation.frame());
        writer.write(NoValues(), 1, alone, alone.begin_row());
        alone.end_row(1);
        run.body.prefix = alone.body();
    }
    return Batch(run.body);
}

void BulkJob::noted() {
    wants_note_ = false;
    record_.is_stored = true;
    if (phase_ == Phase::steps) {
        was_noted_ = true;
        deadline_ = Clock::now() + spec_.longest;
    } else {
        due_ = Clock::now() + spec_.every;
    }
}

void BulkJob::not_noted() {
    if (phase_ != Phase::steps)
        return; // some time it can be
    for (std::uint64_t id : record_.rows)
        rows_.put_back(id, Clock::now());
    wants_note_ = false;
    end();
}

JobRecord BulkJob::leave() {
    record_.age = std::chrono::duration_cast<Milliseconds>(Clock::now() - (deadline_ - spec_.longest));
    return std::move(record_);
}

void BulkJob::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    spent_ = std::move(run_);
    note_attempts(job->may_be_done);
    const bool is_done = verdict.action == Action::proceed || verdict.action == Action::accept;
    const bool is_refused = verdict.action == Action::reject || verdict.action == Action::absent;
    if (is_refused && may_lack_results())
        next_result();
    else if (phase_ != Phase::steps && !is_done)
        trouble(error(verdict.reason));
    else if (phase_ == Phase::poll)
        polled(answer);
    else if (phase_ == Phase::results)
        result_read(*job, answer);
    else if (is_done)
        step_made(answer);
    else if (is_refused)
        step_refused(verdict.reason, answer.response().status);
    else if (step_ < spec_.decisive)
        come_again(error(verdict.reason));
    else
        reject_all(std::string(outcome_unknown) + ": " + verdict.reason, answer.response().status);
}

void BulkJob::failed(std::unique_ptr<Job>, const DestinationError &error) {
    const bool was_elsewhere = run_->away != nullptr;
    spent_ = std::move(run_);
    note_attempts(error.may_be_done);
    if (error.fault == Fault::not_found && may_lack_results()) {
        next_result();
    } else if (was_elsewhere) {
        // What an address refuses, as one that is too old, says nothing of the API and of our credentials.
        DestinationError of_address(Fault::unreachable, error.what());
        of_address.may_be_done = error.may_be_done;
        trouble(of_address);
    } else {
        trouble(error);
    }
}

/// An attempt of the last request may have been carried out, whatever a later one is answered.
void BulkJob::note_attempts(bool may_be_done) {
    if (phase_ != Phase::steps || !is_decisive())
        return;
    may_be_begun_ |= may_be_done;
    const bool has_parts_before = step().kind == JobStep::Kind::add && part_ > 0;
    if (step().has_rows && (may_be_done || has_parts_before))
        for (std::uint64_t id : live())
            rows_.row(id).may_be_done = true;
}

/// What comes next cannot be had. Where the destination may be at work, that is waited for.
void BulkJob::trouble(const DestinationError &error) {
    const bool is_handed_over = phase_ != Phase::steps || (is_decisive() && spec_.has_close() && was_noted_);
    if (!is_handed_over) {
        come_again(error);
        return;
    }
    was_asked_ = true;
    failure_of_asking_ = error.what();
    jobs_.job_stalls(record_, error);
    due_ = std::min(deadline_, Clock::now() + backoff(++stalls_, stall_base, stall_cap, Random::jitter()));
}

void BulkJob::step_made(Answer &answer) {
    if (!keep(answer))
        return;
    if (step().kind == JobStep::Kind::add && ++part_ < ends_.size())
        return;
    part_ = 0;
    if (++step_ < spec_.steps.size())
        return;
    handed_over();
}

void BulkJob::handed_over() {
    phase_ = Phase::poll;
    record_.submitted = true;
    wants_note_ = true;
}

/// Whether the answer holds all that is to be kept of it.
bool BulkJob::keep(Answer &answer) {
    for (const auto &[name, kept] : step().keep) {
        const std::string *header = kept.header.empty() ? nullptr : answer.response().header(kept.header);
        const std::string value = header != nullptr     ? *header
                                  : kept.header.empty() ? answer.plain_text_at(kept.pointer).value_or("")
                                                        : "";
        if (value.empty() || value.size() > most_kept_bytes) {
            const DestinationError fault =
                error("the answer does not tell the job's \"" + name + "\", as the connector says it does" +
                      (value.empty() ? ""
                                     : ": it has " + std::to_string(value.size()) + " bytes there, and at most " +
                                           std::to_string(most_kept_bytes) + " are kept"));
            if (is_decisive())
                reject_all(std::string(outcome_unknown) + ": " + fault.what(), answer.response().status);
            else
                come_again(fault);
            return false;
        }
        values_[name] = value;
        if (spec_.lasting.contains(name))
            record_.values[name] = value;
    }
    return true;
}

void BulkJob::step_refused(const std::string &reason, long status) {
    const bool may_be_closed = may_be_begun_ && step().kind == JobStep::Kind::close;
    if (may_be_closed) {
        handed_over(); // its state tells
    } else if (step().has_rows && record_.rows.size() > 1) {
        jobs_.job_is_divided(record_.rows);
        end();
    } else {
        reject_all("the destination refused the job: " + reason, status);
    }
}

void BulkJob::reject_all(const std::string &reason, long status) {
    for (std::uint64_t id : live())
        sink_.rejected(id, reason, status);
    end();
}

void BulkJob::come_again(const DestinationError &error) {
    jobs_.job_comes_again(live(), error);
    end();
}

void BulkJob::end() {
    phase_ = Phase::ended;
    if (run_ != nullptr)
        spent_ = std::move(run_);
    if (record_.is_stored)
        jobs_.job_ended(record_);
}

std::vector<std::uint64_t> BulkJob::live() const {
    std::vector<std::uint64_t> live;
    for (std::uint64_t id : record_.rows)
        if (!gone_.contains(id))
            live.push_back(id);
    return live;
}

DestinationError BulkJob::error(const std::string &what) const {
    return DestinationError(Fault::unintelligible, route_.object->base_url + ": " + what);
}

} // namespace reverse_etl
