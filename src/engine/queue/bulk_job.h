#pragma once

#include "engine/queue/job_record.h"
#include "engine/queue/key_queue.h"
#include "engine/requests/delivery.h"
#include "engine/requests/elsewhere.h"
#include "engine/requests/job_outcomes.h"
#include "engine/requests/json_row.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace reverse_etl {

struct Route;
struct Surroundings;

/// What a job has to do with.
struct JobSurroundings {
    const Route &route;
    const Surroundings &around;
    KeyQueue &rows;
    OutcomeSink &sink;
    JobSink &jobs;
    RequestObserver &observer;
};

/// Hands rows of the outbox over to a destination that sees to them in its own time, and follows them to their end.
/// Two moments are to be noted by whoever owns it: before the step at which the destination may begin, and when all
/// steps have been made. A job that was noted can be taken up by another process; before that it is nothing.
class BulkJob : private JobHandler {
  public:
    /// Of rows that are under way in `rows`. Those that cannot be sent are rejected at once, those for which there is
    /// no room wait again.
    BulkJob(const JobSurroundings &around, const std::vector<std::uint64_t> &ids, std::int64_t number);
    /// One that was noted before.
    BulkJob(const JobSurroundings &around, JobRecord record);

    /// Starts what may start now; answers when to come again. `may_read`: whether it may ask for its end.
    Clock::time_point advance(Clock::time_point now, bool may_read);
    bool take(const Finished &finished);

    /// Whether it goes on only when its record has been stored.
    bool wants_note() const { return wants_note_; }
    void noted();
    /// It could not be.
    void not_noted();

    const JobRecord &record() const { return record_; }
    /// Its rows that are under way.
    std::size_t rows() const { return record_.rows.size() - gone_.size(); }
    /// Whether nothing is lost with this but time: the record is enough to take it up.
    bool can_be_left() const { return !is_being_made() && !wants_note_ && !has_ended(); }
    JobRecord leave();
    /// Whether its steps are being made, which is not waited for long.
    bool is_being_made() const { return phase_ == Phase::steps && stalls_ == 0; }
    bool has_ended() const { return phase_ == Phase::ended; }

  private:
    enum class Phase { steps, poll, results, ended };

    /// One of its requests.
    struct Run {
        Run(const BulkJob &job, OperationSpec of_step, std::string address);
        const OperationSpec spec;
        const std::unique_ptr<const Elsewhere> away; ///< where it goes that is not the API's
        const CompiledOperation operation;
        BatchFrame body; ///< of a request without rows
        Dispatcher dispatcher;
    };

    explicit BulkJob(const JobSurroundings &around);
    void cut(const std::vector<std::uint64_t> &ids);
    std::size_t size_of(std::uint64_t id, RowWriter &writer, const CompiledOperation &operation);
    void write(std::uint64_t id, RowWriter &writer, Batch &batch);
    void divide(const CompiledOperation &operation);
    bool start_next();
    void start(const JobRequest &request, const std::string &away, const std::string &url);
    Batch batch_of(Run &run);
    const JobStep &step() const { return spec_.steps[step_]; }
    bool is_decisive() const { return step_ == spec_.decisive; }

    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void failed(std::unique_ptr<Job> job, const DestinationError &error) override;
    void note_attempts(bool may_be_done);
    void trouble(const DestinationError &error);
    void step_made(Answer &answer);
    void step_refused(const std::string &reason, long status);
    bool keep(Answer &answer);
    void handed_over();
    void polled(Answer &answer);
    void begin_result();
    void next_result();
    bool may_lack_results() const;
    void result_read(const Job &job, Answer &answer);
    bool turn_page(const Job &job, const JobResult &result, Answer &answer);
    std::string next_page(const JobResult &result, Answer &answer) const;
    void went_on();
    void deliver();
    void give_up();
    void reject_all(const std::string &reason, long status);
    void come_again(const DestinationError &error);
    void end();
    std::vector<std::uint64_t> live() const;
    DestinationError error(const std::string &what) const;

    const Route &route_;
    const Surroundings &around_;
    const JobSpec &spec_;
    KeyQueue &rows_;
    OutcomeSink &sink_;
    JobSink &jobs_;
    RequestObserver &observer_;
    JsonRow row_;
    JobRecord record_;
    JobValues values_;                       ///< those of the record, and what only steps need
    std::unordered_set<std::uint64_t> gone_; ///< rows of the record that are not there any more
    std::vector<std::size_t> sizes_;         ///< what each of its rows takes in a request
    std::vector<std::size_t> ends_;          ///< of the parts of its rows that go into a request each
    JobOutcomes outcomes_;

    Phase phase_ = Phase::steps;
    std::size_t step_ = 0, part_ = 0, result_ = 0;
    bool wants_note_ = false;
    bool was_noted_ = false;    ///< the decisive step may be made
    bool may_be_begun_ = false; ///< what that asks for may have been done before
    bool was_asked_ = false;    ///< for its end, and not held up since
    std::unique_ptr<Run> run_, spent_;
    std::string cursor_, page_url_;         ///< of the page of a result
    std::unordered_set<std::string> pages_; ///< cursors and addresses that were met
    std::string failure_;                   ///< why the job failed as a whole
    std::string failure_of_asking_;         ///< why its state could not be asked for
    Clock::time_point due_{}, deadline_ = Clock::time_point::max();
    Milliseconds pause_; ///< between two polls
    int stalls_ = 0;
    simdjson::dom::parser parser_;
};

} // namespace reverse_etl
