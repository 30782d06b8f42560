#include "postgres/background/outbox_service.h"

#include "postgres/audit_log/service.h"
#include "postgres/background/called_waiter.h"
#include "postgres/background/history.h"
#include "postgres/background/statement_cancellers.h"
#include "postgres/background/sync_runners.h"
#include "postgres/background/sync_tasks.h"
#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/schema_version.h"
#include "postgres/border/sql.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/session.h"
#include "postgres/outbox/notes.h"
#include "postgres/outbox/queue.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/worker_control.h"
#include "postgres/shared/worker_status.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

extern "C" {
#include "access/xlog.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

/// A worker that was started on demand ends after so long without anything to do, or it would be in the way of who
/// wants to drop its database: Postgres waits five seconds for others to leave.
constexpr std::chrono::seconds longest_idle{2};
/// How long it goes without a look at what nobody calls it for: rows that expire, faults that pass.
constexpr std::chrono::seconds between_looks{60};
/// And while a model is read by a process that may die.
constexpr std::chrono::seconds between_looks_at_readers{1};
/// And when somebody was in the way.
constexpr std::chrono::seconds between_attempts{1};
/// And while it waits for answers, for changed definitions: a job may be asked after for hours.
constexpr std::chrono::seconds between_lessons{1};
/// How often it tries to give a table's space back.
constexpr std::chrono::seconds between_truncations{1};
/// How long what Postgres counts may stay here, while nothing goes on.
constexpr std::chrono::seconds longest_unreported{1};

/// What pg_stat_activity says that the worker does.
void tell(BackendState state, const std::string &words) {
    const char *text = words.c_str();
    pg_call([&] { pgstat_report_activity(state, text); });
}

class OutboxService {
  public:
    explicit OutboxService(Oid extension) : extension_(extension), present_extension_(extension) {
        identity_ = std::to_string(GetSystemIdentifier()) + "/" + std::to_string(MyDatabaseId);
        the_service_ = this;
        pg_call([] {
            CacheRegisterRelcacheCallback(on_relation, 0);
            for (int cache : {FOREIGNSERVEROID, USERMAPPINGOID, NAMESPACEOID, AUTHOID, AUTHMEMROLEMEM})
                CacheRegisterSyscacheCallback(cache, on_catalog, 0);
        });
    }

    int serve(const volatile sig_atomic_t &asked_to_end) {
        Clock::time_point busy = Clock::now();
        MemoryContext of_turn = pg_call([] {
            return AllocSetContextCreate(TopMemoryContext, "reverse_etl worker's turn", ALLOCSET_DEFAULT_SIZES);
        });
        while (!asked_to_end) {
            // What its turns leave behind goes with each; transactions have memory of their own.
            MemoryContextReset(of_turn);
            MemoryContextSwitchTo(of_turn);
            worker_status::alive();
            pg_call([] {
                CHECK_FOR_INTERRUPTS();
                if (ConfigReloadPending) {
                    ConfigReloadPending = false;
                    ProcessConfigFile(PGC_SIGHUP);
                }
            });
            if (called_) {
                // Sessions wait for the audit log.
                while (!asked_to_end && audit_log::serve())
                    continue;
                if (is_called() || sync_runners::any_ended())
                    look_around();
            }
            // Faults pass, and rows expire, without anybody who tells.
            if (Clock::now() - looked_ >= until_next_look())
                look_around();
            if (present_extension_ != extension_)
                return end_without_extension();
            if (has_other_version_) {
                worker_status::ends("the extension and its library are not of one version");
                return 0;
            }
            learn_of_changes();
            claim();
            // Who paused a destination and then queued rows for it may have done both since it looked. What was resumed
            // waits for the next turn: rows that were queued before that are to be read first.
            bool is_woken = ends_when_idle() && CalledWaiter::take_call();
            if (has_calls() || is_woken)
                look_around(false);
            Clock::time_point now = Clock::now();
            drop_queues(now);
            if (!is_idle())
                busy = now;
            else if (ends_when_idle() && now - busy >= longest_idle) {
                if (retires())
                    return 0;
                busy = now;
            }
            Clock::time_point next = std::min(send(now), now + until_next_look());
            if (ends_when_idle() && is_idle())
                next = std::min(next, busy + longest_idle);
            // Rows may have their outcome without a request.
            next = std::min(next, settle());
            if (started_)
                next = std::min(next, history_.purge(now));
            // Any transaction may have learned that a definition changed.
            if (claims_at_once())
                next = now;
            report_statistics(now);
            next = std::min(next, report_at_);
            tell_what_it_waits_for();
            std::vector<Finished> finished;
            // Those who wake it want it to look around; between two looks it sees to its requests.
            // Postgres waits by the same latch, for locks and pages, and a call may have ended such a wait.
            // However often it is called, its requests go on.
            bool again = std::exchange(resumes_soon_, false) || is_woken || has_calls();
            called_ = wait_until(again || reads_ahead(now) ? now : next, finished) || again;
            has_time_ = finished.empty(); // to read ahead
            for (const Finished &one : finished)
                for (auto &[oid, queue] : queues_)
                    if (queue->take(one))
                        break;
            if (!finished.empty())
                send(Clock::now(), false); // the destination works while rows are read and outcomes written
        }
        worker_status::ends("it made room for a command that needed the database for itself");
        return 0;
    }

  private:
    static bool ends_when_idle() { return !shared_memory::is_there(); }

    /// Ends unless there is something to do, or a transaction is about to commit that counts on it.
    bool retires() {
        if (!pg_call([] { return own_locks::retire(); }))
            return false;
        look_around();
        claim();
        if (is_idle()) {
            worker_status::ends("nothing was left to do");
            return true;
        }
        pg_call([] { own_locks::serve(); });
        return false;
    }

    /// One that was created anew may have rows already, and its tables are others: the next process knows nothing of
    /// the old ones.
    int end_without_extension() const {
        bool is_new = OidIsValid(present_extension_);
        worker_status::ends(is_new ? "the extension was created anew" : "the extension was dropped");
        return is_new ? 1 : 0;
    }

    Clock::duration until_next_look() const {
        if (looked_in_vain_)
            return between_attempts;
        return is_model_read_ ? between_looks_at_readers : between_looks;
    }

    bool is_idle() const {
        return !is_model_read_ && !looked_in_vain_ &&
               std::all_of(queues_.begin(), queues_.end(), [](const auto &entry) { return entry.second->is_idle(); });
    }

    /// Hands Postgres what it counts: without the dead rows autovacuum would not come. As in sessions, what was counted
    /// within a second of the last time waits for others.
    void report_statistics(Clock::time_point now) {
        bool overdue = now >= report_at_;
        bool waits = pg_call([&] { return pgstat_report_stat(overdue); }) != 0;
        if (!waits)
            report_at_ = Clock::time_point::max();
        else if (report_at_ == Clock::time_point::max())
            report_at_ = now + longest_unreported;
    }

    void tell_what_it_waits_for() {
        std::size_t busy = 0;
        const std::string *name = nullptr;
        for (const auto &[oid, queue] : queues_)
            if (queue->under_way() > 0 && busy++ == 0)
                name = &queue->name();
        if (busy == 0)
            tell(STATE_IDLE, "waiting for rows");
        else
            tell(STATE_RUNNING,
                 "sending rows to " + *name + (busy == 1 ? "" : " and " + std::to_string(busy - 1) + " more"));
    }

    /// Finds new destinations, and what people did to them. `may_resume`: whether paused ones may go on now.
    void look_around(bool may_resume = true) {
        tell(STATE_RUNNING, "looking for destinations");
        std::vector<Oid> destinations;
        looked_ = Clock::now();
        std::set<Oid> paused, resumed;
        bool may_send = false;
        SyncTasks tasks;
        std::optional<Error> failure = attempt([&] {
            present_extension_ = pg_call([] { return get_extension_oid("reverse_etl", true); });
            if (present_extension_ != extension_)
                return;
            has_other_version_ = has_other_version();
            if (has_other_version_)
                return;
            if (looked_ - forgot_dropped_ >= between_looks)
                forget_dropped();
            if (!started_)
                clear_up();
            may_send = identity::matches();
            statement_cancellers::start_if_needed();
            destinations = Outbox::destinations();
            paused = read_oids(R"(
                SELECT destination::oid FROM reverse_etl.pauses WHERE destination IS NOT NULL
                UNION ALL
                SELECT ftrelid FROM pg_foreign_table JOIN reverse_etl.pauses
                       ON reverse_etl_internal.paused_server(server, server_name, cluster) = ftserver)");
            tasks = SyncTasks::find();
            resumed = read_oids("SELECT destination::oid FROM reverse_etl.destination_states "
                                "WHERE retry_at <= clock_timestamp()");
        });
        looked_in_vain_ = failure.has_value();
        if (failure) {
            // What is known goes on.
            for (auto &[oid, queue] : queues_)
                queue->claim_again();
            std::string reason = failure->what();
            pg_call([&] { ereport(LOG, (errmsg("the worker could not look around: %s", reason))); });
            return;
        }
        started_ = true;
        for (Oid oid : destinations)
            if (!queues_.contains(oid))
                queues_.emplace(oid, std::make_unique<OutboxQueue>(oid, identity_));
        for (auto &[oid, queue] : queues_) {
            queue->claim_again();
            bool stays_paused = !may_send || paused.contains(oid);
            resumes_soon_ = resumes_soon_ || (queue->is_paused() && !stays_paused && !may_resume);
            queue->set_paused(stays_paused || (queue->is_paused() && !may_resume));
            if (resumed.contains(oid))
                queue->retry_now();
            if (tasks.cancelled.contains(oid))
                queue->cancel(tasks.cancelled[oid]);
        }
        is_model_read_ = tasks.is_model_read;
        if (sync_runners::start(tasks.owners))
            is_model_read_ = true; // soon again
    }

    /// Any transaction does; without rows to read or to settle there is none.
    void learn_of_changes() {
        if (Clock::now() - learned_ < between_lessons)
            return;
        attempt([] {});
        learned_ = Clock::now();
    }

    /// What the worker before knew of destinations, and pushes whose sessions are gone.
    static void clear_up() {
        audit_log::start_service();
        pg_call([] { sql::execute("DELETE FROM reverse_etl.destination_states", {}); });
    }

    static std::set<Oid> read_oids(const char *query) {
        uint64 count = pg_call([&] { return sql::execute(query, {}); });
        std::set<Oid> oids;
        for (uint64 i = 0; i < count; i++)
            oids.insert(pg_call([&] { return DatumGetObjectId(sql::column(i, 1)); }));
        return oids;
    }

    void claim() {
        for (auto &[oid, queue] : queues_) {
            if (!queue->wants_to_claim(has_time_))
                continue;
            if (queue->has_forgotten())
                queue->retry_now();
            tell(STATE_RUNNING, "reading rows" + (queue->name().empty() ? "" : " of " + queue->name()));
            if (queue->settles_before_claim() && !queue->is_held(Clock::now()))
                queue->settle();
            if (!queue->is_held(Clock::now()))
                claim_one(*queue);
        }
    }

    bool claims_at_once() const {
        return std::any_of(queues_.begin(), queues_.end(),
                           [now = Clock::now()](const auto &entry) { return entry.second->claims_at_once(now); });
    }

    bool reads_ahead(Clock::time_point now) const {
        return std::any_of(queues_.begin(), queues_.end(),
                           [now](const auto &entry) { return entry.second->reads_ahead(now); });
    }

    /// What is wrong with one destination is no reason to leave the others alone.
    void claim_one(OutboxQueue &queue) {
        std::optional<Error> failure = attempt([&] { queue.claim(); });
        if (failure && may_pass(*failure))
            queue.hold(*failure, "rows cannot be read");
        else if (failure)
            queue.cannot_be_used(failure->what() + (failure->detail.empty() ? "" : ": " + failure->detail));
    }

    /// What was dropped leaves nothing behind, once its rows are rejected.
    void drop_queues(Clock::time_point now) {
        for (auto entry = queues_.begin(); entry != queues_.end();) {
            OutboxQueue &queue = *entry->second;
            entry = queue.may_drop(now) && drop(queue, now) ? queues_.erase(entry) : std::next(entry);
        }
    }

    void forget_dropped() {
        forgot_dropped_ = Clock::now();
        pg_call([] {
            sql::execute("SELECT reverse_etl_internal.forget_dropped_destinations()", {});
            sql::execute("SELECT reverse_etl_internal.forget_tokens()", {});
        });
    }

    bool drop(OutboxQueue &queue, Clock::time_point now) {
        bool dropped = false;
        tell(STATE_RUNNING, "removing what is stored of " + queue.name());
        std::optional<Error> failure = attempt([&] {
            dropped = queue.drop(now);
            if (dropped)
                forget_dropped();
        });
        if (failure) {
            std::string name = queue.name(), reason = failure->what();
            pg_call([&] {
                ereport(LOG,
                        (errmsg("what is stored of dropped destination %s could not be removed: %s", name, reason)));
            });
        }
        return dropped && !failure;
    }

    /// What is noted before it is made waits for the outcomes that are there: a crash would leave those unknown, too.
    Clock::time_point send(Clock::time_point now, bool with_noted = true) {
        Clock::time_point next = Clock::time_point::max();
        for (auto &[oid, queue] : queues_) {
            if (!with_noted && queue->notes_requests())
                continue;
            next = std::min(next, queue->send(now));
            if (queue->has_job_notes(now)) {
                tell(STATE_RUNNING, "noting jobs of " + queue->name());
                note_jobs(*queue);
                next = now;
            }
            if (!queue->has_marks())
                continue;
            tell(STATE_RUNNING, "noting requests of " + queue->name());
            note_requests(*queue);
            next = now;
        }
        return next;
    }

    bool wait_until(Clock::time_point next, std::vector<Finished> &finished) {
        waiter_.was_called = false;
        session::transport().run(waiter_, next, finished);
        return waiter_.was_called;
    }

    /// Answers when to come again.
    Clock::time_point settle() {
        Clock::time_point next = Clock::time_point::max();
        Clock::time_point now = Clock::now();
        for (auto &[oid, queue] : queues_) {
            if (queue->settle_at(now) <= now) {
                tell(STATE_RUNNING, "writing down outcomes of " + queue->name());
                queue->settle();
            }
            next = std::min(next, queue->settle_at(now));
        }
        if (now - truncated_ >= between_truncations)
            truncate();
        return next;
    }

    void truncate() {
        for (auto &[oid, queue] : queues_)
            if (queue->may_truncate()) {
                truncated_ = Clock::now();
                attempt([&queue = queue] { queue->truncate(); });
            }
    }

    static void on_relation(Datum, Oid relation) {
        for (auto &[oid, queue] : the_service_->queues_)
            if (relation == oid || !OidIsValid(relation))
                queue->forget_definition();
    }

    static void on_catalog(Datum, int, uint32) {
        for (auto &[oid, queue] : the_service_->queues_)
            queue->forget_definition();
    }

    static inline OutboxService *the_service_ = nullptr;
    const Oid extension_;
    Oid present_extension_;
    std::string identity_;
    CalledWaiter waiter_;
    std::map<Oid, std::unique_ptr<OutboxQueue>> queues_;
    History history_;
    bool resumes_soon_ = false;      ///< something was seen to be resumed, and is with the next look
    bool has_other_version_ = false; ///< the extension was altered: this library does not know its tables any more
    bool called_ = true, is_model_read_ = false, looked_in_vain_ = false;
    bool has_time_ = true; ///< nothing had ended when it looked last
    bool started_ = false; ///< what the worker before left is cleared up
    Clock::time_point looked_{}, learned_{}, truncated_{}, forgot_dropped_{};
    Clock::time_point report_at_ = Clock::time_point::max();
};

} // namespace

int serve_outbox(Oid extension, const volatile sig_atomic_t &asked_to_end) {
    // Never destroyed: when the process ends, the connections that its requests use have gone before.
    static auto &service = *new OutboxService(extension);
    return service.serve(asked_to_end);
}

} // namespace reverse_etl
