#pragma once

#include "engine/queue/delivery_queue.h"
#include "postgres/destinations/destination.h"
#include "postgres/outbox/jobs.h"
#include "postgres/outbox/outbox.h"
#include "postgres/outbox/requests.h"
#include "postgres/outbox/settlement.h"
#include "postgres/shared/statistics.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// Delivers the outbox rows of one destination: a DeliveryQueue decides, this is where its rows come from and what it
/// comes to is written down. The background worker calls the steps in turn: claim(), send(), take()
/// and settle(); nothing here waits.
class OutboxQueue : private DeliveryJournal {
  public:
    OutboxQueue(Oid destination, std::string identity);

    // In a transaction:

    /// Reads what is new, as far as there is room for it. What it finds to be rejected is left to settle().
    void claim();
    /// Notes which requests are about to be made, where one that is cut short cannot simply be made again.
    void mark() const;

    // Without one:

    /// Starts requests; answers when to come again.
    Clock::time_point send(Clock::time_point now);
    /// Whether mark() is to be called before the next send().
    bool has_marks() const { return queue_.has_marks(); }
    bool notes_requests() const { return queue_.notes_requests(); }
    /// Sends what mark() noted, once its transaction has committed.
    void submit_marked();
    /// Whether what has ended has to be written down before.
    bool settles_before_marks() const { return queue_.marks_follow_outcomes() && !settlement_.is_written(); }
    /// It could not be noted: nothing of it is sent.
    void drop_marked() { queue_.drop_marked(); }

    /// Whether there are jobs that go on only when they are noted, which can be tried now.
    bool has_job_notes(Clock::time_point now) const { return !is_held(now) && !queue_.job_notes().empty(); }
    /// Whether what came before their rows is not written yet: after a crash it would come behind them.
    bool settles_before_job_notes() const { return !settlement_.is_written(); }
    /// In a transaction.
    void note_jobs() const { jobs_.note(queue_.job_notes()); }
    void jobs_noted() { queue_.jobs_noted(); }
    void drop_job_notes() { queue_.drop_job_notes(); }

    /// Takes an exchange that ended, if it is one of this queue's.
    bool take(const Finished &finished);

    /// When the outcomes that there are should be written down; the end of time if there are none.
    Clock::time_point settle_at(Clock::time_point now);
    /// Writes them down.
    void settle();

    /// Whether there is room for more rows than claim() found, or it was not called yet.
    bool may_claim() const { return more_ && has_room(); }
    /// Whether claim() is to be called now. `has_time`: nothing else is to be done. Where something is, rows are read
    /// no further ahead than requests need: those that are at hand for long are in no cache when they leave.
    bool wants_to_claim(bool has_time) const {
        return is_stale_ || is_cancelling() || is_expiring_ || is_to_forget() ||
               (may_claim() && (has_time || has_few()));
    }
    /// Whether claim() is to be called as soon as there is time.
    bool reads_ahead(Clock::time_point now) const { return !wants_to_claim(false) && may_claim() && !is_held(now); }
    /// Whether claim() is to be called without waiting for anything: no request will end that calls it.
    bool claims_at_once(Clock::time_point now) const;
    /// What claim() reads anew must not meet outcomes that are not written yet.
    bool settles_before_claim() const { return is_at_rest() && !settlement_.is_written(); }
    /// This database does not let it go on for now.
    bool is_held(Clock::time_point now) const { return health_.is_held(now) || now < stands_back_until_; }
    /// A step failed that may succeed later.
    void hold(const Error &error, const char *what) { health_.hold(error, what); }
    /// Nothing waits and nothing is under way.
    bool is_idle() const { return queue_.rows().size() == 0 && !more_ && settlement_.is_empty(); }
    void claim_again() {
        more_ = true;
        stands_back_until_ = {};
    }
    /// Rows that are being sent.
    std::size_t under_way() const { return queue_.rows().under_way(); }
    /// The destination, for people.
    const std::string &name() const { return name_; }

    /// Someone stopped or resumed the delivery. What they did to its rows meanwhile counts: those are read again.
    void set_paused(bool paused) {
        if (paused_ && !paused)
            anew_ = Anew::wanted;
        paused_ = paused;
    }
    bool is_paused() const { return paused_; }
    /// What was read from the catalog may have changed: the table, its server, rights, credentials.
    void forget_definition() { is_stale_ = true; }
    bool has_forgotten() const { return is_stale_; }
    /// Runs of these syncs are cancelled: their rows that are not under way are taken out by a claim().
    void cancel(std::set<int32> syncs) { cancelled_ = std::move(syncs); }
    bool is_cancelling() const { return !cancelled_.empty(); }
    /// Tries again now what was paused for a fault.
    void retry_now();
    /// The destination as a whole cannot be used, until something about it changes.
    void cannot_be_used(const std::string &reason);

    /// Whether truncate() is worth a transaction: much was delivered, and nothing waits.
    bool may_truncate() const { return is_idle() && delivered_ >= worth_truncating; }
    void truncate();
    /// Whether drop() is worth a transaction: the destination was dropped, and all its rows were rejected.
    bool may_drop(Clock::time_point now) const { return is_gone_ && is_idle() && now >= drop_at_; }
    /// Removes what is stored for it; false if somebody is in the way for now.
    bool drop(Clock::time_point now);

  private:
    /// So many rows are at hand that requests never wait for a claim, and changes of one key meet.
    static constexpr std::size_t most_rows = 5'000;
    /// With fewer, more are read before anything else.
    static constexpr std::size_t few_rows = 1'500;
    /// Rows of one claim: meanwhile nobody attends to requests.
    static constexpr std::size_t claimed_at_once = 1'000;
    static constexpr std::size_t most_bytes = 32 << 20;
    static constexpr std::size_t worth_truncating = 10'000;
    static constexpr std::size_t many_outcomes = 2'000;
    /// Of idle lanes and of rows that are through so much is kept.
    static constexpr std::size_t most_kept_lanes = 64, most_kept_bytes = 1 << 20;
    /// How long outcomes may wait for others, with which they are written down in one transaction.
    static constexpr Milliseconds longest_unsettled{10};
    /// How often is looked whether a run's rows still leave straight from it. Its end calls the worker.
    static constexpr Milliseconds between_turns{200};

    void row_accepted(const QueuedRow &row) override;
    void row_absent(const QueuedRow &row) override;
    void row_rejected(const QueuedRow &row, const Rejection &rejection) override;
    void row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &reason) override;
    std::int64_t next_request() override { return requests_.next(); }
    void row_released(QueuedRow &row) override { requests_.released(row); }
    std::int64_t next_job() override { return jobs_.next(); }
    void job_ended(std::int64_t number) override { jobs_.ended(number); }

    bool has_room() const;
    bool has_few() const;
    /// Nothing is under way but rows of jobs, which can be taken up again at any time.
    bool is_at_rest() const { return queue_.rows().under_way() <= queue_.rows_in_jobs(); }
    void read_jobs();
    bool open_definition();
    void claim_rows();
    void lock_definition() const;
    bool stands_back();
    void forget_rows_of_old_names();
    void forget_what_was_rare();
    DeliveryQueue::OpenedLane open_lane_of(const LaneKey &key, KeyQueue &rows, OutcomeSink &sink);
    void add(StoredRow stored);
    bool has_expired() const;
    void reject_expired();
    void take_out_cancelled();
    /// Where the definition cannot be read, that is waited for.
    bool is_to_forget() const { return anew_ == Anew::wanted && destination_ != nullptr; }
    bool forgets_rows_at_hand();
    void leave(const QueuedRow &row, Settlement::Kind how);
    void leave_replaced(const QueuedRow &row, SyncOutcomes::Outcome outcome);
    void settle_row(Settlement::Kind kind, const QueuedRow &row, SyncOutcomes::Outcome of_sync, bool in_doubt,
                    std::unique_ptr<Settlement::Words> words);
    void lower_level(std::size_t rows, std::size_t bytes);
    void start_over();
    void keep_put_off_known();
    /// A row that never was in line.
    /// `is_in_job`: it was handed over, or may have been.
    void reject_stored(const StoredRow &stored, const std::string &reason, bool is_in_job = false);
    void reject_all_of_dropped();

    Oid destination_oid_;
    std::string identity_;
    Outbox outbox_;
    OutboxRequests requests_;
    OutboxJobs jobs_;
    std::shared_ptr<const Destination> destination_;
    std::optional<Statistics> statistics_;           ///< of what no lane counts
    std::string name_;                               ///< of the destination, schema-qualified
    std::map<AttrNumber, std::string> column_names_; ///< when the rows at hand were read
    DestinationHealth health_;
    Settlement settlement_;
    DeliveryQueue queue_;
    Clock::time_point expiry_checked_{}, expiry_looked_for_{};
    std::size_t largest_row_ = 0;
    std::size_t delivered_ = 0; ///< since the last truncation
    bool counted_ = false;      ///< the rows that were there when the worker came
    bool more_ = true, paused_ = false, is_stale_ = false, is_gone_ = false;
    /// Rows at hand may be others by now: none is sent until as many are read again as there is room for.
    enum class Anew { no, wanted, begun } anew_ = Anew::no;
    bool is_expiring_ = false; ///< rows are too old: what is under way is let end, so that claim() can reject them
    Clock::time_point drop_at_{}, stands_back_until_{};

    std::set<int32> cancelled_; ///< syncs
    Clock::time_point unsettled_since_ = Clock::time_point::max();
};

} // namespace reverse_etl
