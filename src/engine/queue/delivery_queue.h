#pragma once

#include "engine/limits/health.h"
#include "engine/queue/delivery_lane.h"
#include "engine/queue/row_identity.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// Why a row is rejected.
struct Rejection {
    std::string reason;
    long status = 0;           ///< of the answer, 0 for none
    bool in_doubt = false;     ///< the destination may have the row all the same; it is sent again
    bool may_be_there = false; ///< the same of a create, which is not
    bool of_lane = false;      ///< the lane's observer has counted it
};

/// Keeps durably what becomes of queued rows. What it is told is written down together, a little later; until then the
/// queue knows those rows as finished.
class DeliveryJournal {
  public:
    virtual ~DeliveryJournal() = default;

    virtual void row_accepted(const QueuedRow &row) = 0;
    virtual void row_absent(const QueuedRow &row) = 0;
    virtual void row_rejected(const QueuedRow &row, const Rejection &rejection) = 0;
    /// The row waits again. `reason`: why its attempt failed, "" where it made none.
    virtual void row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &reason) = 0;

    /// The number of a job that is about to be made; and it has ended, all its rows have been told of.
    virtual std::int64_t next_job() = 0;
    virtual void job_ended(std::int64_t number) = 0;

    /// The number of a request that is about to be noted.
    virtual std::int64_t next_request() = 0;
    /// The row is no longer part of the request that was noted.
    virtual void row_released(QueuedRow &row) = 0;
};

/// Decides for the rows of one destination which goes next, what is tried again and when, and what is given up. Nothing
/// here waits, and nothing here is durable.
class DeliveryQueue : private OutcomeSink, private JobSink {
  public:
    DeliveryQueue(DeliveryJournal &journal, Health &health) : journal_(journal), health_(health) {}

    struct Options {
        int max_attempts = 0;
        bool omits_null = false; ///< a NULL is not sent, and so leaves what the destination has
        KeyForms key_forms;
    };
    void use(const Options &options) { options_ = options; }

    /// Takes a row that came after all others of its key. Throws, and leaves it to the caller, if it is no row.
    /// `is_like_last`: it has the members of the row that was added right before, and the places of its values.
    void add(KeyQueue::Row &&row, const std::string &operation, bool is_like_last = false);

    /// A lane; or why its rows cannot be sent; or nothing, if it may be had later.
    struct OpenedLane {
        std::unique_ptr<DeliveryLane> lane;
        std::string refused;
    };
    using LaneOpener = std::function<OpenedLane(const LaneKey &, KeyQueue &, OutcomeSink &)>;
    /// Opens the lanes that there are rows for.
    void open_lanes(const LaneOpener &open);
    /// They are made anew: what they were made of has changed. Nothing must be under way.
    void close_lanes();

    /// Starts requests; answers when to come again. `all_read`: no rows are about to be added, for which a job may
    /// wait.
    Clock::time_point send(Clock::time_point now, bool may_start, bool all_read = true);
    /// Whether there are requests that have to be noted before they are made, at once.
    bool has_marks() const;
    /// Whether any of its lanes has them noted.
    bool notes_requests() const;
    /// Their rows, of which each has its request's number, but for those that were noted before.
    const std::vector<QueuedRow *> &marks() const { return marked_; }
    /// Whether one of them comes after a change whose outcome may not be stored yet. It has to be before: that change
    /// is made again after a crash, this one is not.
    bool marks_follow_outcomes() const;
    /// Sends them, once that is durable.
    void submit_marked();
    /// It could not be made durable: nothing of it is sent.
    void drop_marked();
    /// Takes an exchange that ended, if it is one of this queue's.
    bool take(const Finished &finished);

    // Jobs, whose rows may be under way for hours:

    /// Adds a row of a job that was noted before; and a change for which that row stands. Before all other rows.
    void add_to_job(KeyQueue::Row &&row, const std::string &operation);
    /// Follows the job whose rows were added.
    void take_up(JobRecord record) { left_jobs_.push_back(std::move(record)); }
    /// Jobs that go on only when they are stored; and they have been, or could not be.
    std::vector<const JobRecord *> job_notes() const;
    void jobs_noted();
    void drop_job_notes();
    /// Rows of jobs that are followed, and can be taken up again: nothing else waits for them.
    std::size_t rows_in_jobs() const;
    /// So many rows it has to have at hand for its jobs, as far as there are any; 0 for none.
    std::size_t most_rows_of_job() const;
    /// The bound of a job's bytes; 0 for none.
    std::size_t most_bytes_of_job() const;
    /// Of all that is known of jobs only what was stored remains.
    void forget_jobs();

    std::size_t lanes() const { return lanes_.size(); }
    /// As new, where there are no rows.
    void start_over();

    KeyQueue &rows() { return rows_; }
    const KeyQueue &rows() const { return rows_; }

  private:
    struct LaneSlot {
        LaneKey key;
        std::unique_ptr<DeliveryLane> lane;
        std::string refused;      ///< why its rows cannot be sent
        std::uint64_t probed = 0; ///< when it was tried last whether the destination works again
        bool in_jobs = false;     ///< so many of its rows waited that they leave in jobs
    };
    void accepted(std::uint64_t id, const std::string &) override;
    void rejected(std::uint64_t id, const std::string &reason, long status) override;
    void absent(std::uint64_t id) override;
    void put_off(const Batch &batch) override;
    bool divides(const Batch &batch) override;
    void unknown(const Batch &batch, const std::string &reason, long status) override;
    void failed(const Batch &batch, const DestinationError &error) override;

    void job_comes_again(const std::vector<std::uint64_t> &rows, const DestinationError &error) override;
    void job_is_divided(const std::vector<std::uint64_t> &rows) override;
    void rows_come_again(const std::vector<RowToRepeat> &rows) override;
    void job_stalls(const JobRecord &record, const DestinationError &error) override;
    void job_goes_on(const JobRecord &record) override;
    void job_ended(const JobRecord &record) override { journal_.job_ended(record.number); }
    const QueuedRow *row_of(const JobRecord &record) const;
    bool leaves_to_job(LaneSlot &slot, int number, Clock::time_point now, bool all_read);
    void begin_job(LaneSlot &slot, int number, Clock::time_point now);
    void take_up_jobs();
    bool is_taken_up(JobRecord &record);
    void lose_job(const JobRecord &record, const LaneSlot &slot);

    int lane_of(const QueuedRow &row, const std::string &operation);
    void read(const QueuedRow &row, bool is_like_last);
    void describe(QueuedRow &row) const;
    bool may_replace(const QueuedRow &older, const QueuedRow &newer);
    bool writes_all_of(const QueuedRow &older);
    std::vector<std::size_t> turns() const;
    void fill(std::size_t index, Clock::time_point now, bool all_read);
    void mark(const DeliveryLane &lane);
    std::size_t jobs_of(std::uint32_t role) const;
    void succeeded(std::uint32_t role);
    void leave_in_peace(std::uint32_t role);
    void reject(KeyQueue::Row row, const std::string &reason, long status);
    void note_failure(const Batch &batch, Clock::time_point now);
    bool is_own_fault(const QueuedRow &row, const Batch &batch, const DestinationError &error, bool was_closed,
                      Clock::time_point now) const;
    bool comes_again_as_it_was(const QueuedRow &row) const;
    bool has_no_attempts_left(const Batch &batch) const;
    void defer(QueuedRow &row, Clock::time_point now, Milliseconds pause, const std::string &reason);

    DeliveryJournal &journal_;
    Health &health_;
    Options options_;
    KeyQueue rows_;
    std::map<LaneKey, int> lane_numbers_;
    std::vector<LaneSlot> lanes_;
    int last_lane_ = 0;                                ///< of the row that was added last
    std::map<std::uint32_t, std::uint64_t> successes_; ///< by role
    std::uint64_t probes_ = 0;
    JsonRow reader_, older_reader_;
    std::vector<QueuedRow *> marked_;
    std::vector<JobRecord> left_jobs_; ///< that nobody follows for now
};

} // namespace reverse_etl
