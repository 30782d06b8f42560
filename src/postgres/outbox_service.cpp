#include "postgres/outbox_service.h"

#include "postgres/border.h"
#include "postgres/identity.h"
#include "postgres/latch_waiter.h"
#include "postgres/ledger_service.h"
#include "postgres/outbox_queue.h"
#include "postgres/outbox_wait.h"
#include "postgres/schema_version.h"
#include "postgres/session.h"
#include "postgres/shared_memory.h"
#include "postgres/sql.h"
#include "postgres/sync_tasks.h"
#include "postgres/worker_control.h"

#include <algorithm>
#include <map>
#include <set>

extern "C" {
#include "access/xlog.h"
#include "executor/spi.h"
#include "postmaster/interrupt.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

/// A worker that was started on demand ends after so long without anything to do: connected to its database, it would
/// be in the way of who wants to drop that.
/// Postgres waits five seconds for others to leave a database before it refuses.
constexpr std::chrono::seconds longest_idle{2};
/// How long it goes without a look at what nobody calls it for: rows that expire, faults that pass.
constexpr std::chrono::seconds between_looks{60};
/// And while a model is read by a process that may die.
constexpr std::chrono::seconds between_looks_at_readers{1};
/// How long outcomes may wait for others, with which they are written down in one transaction.
constexpr Milliseconds longest_unsettled{5};
/// How often it is tried to give a table's space back.
constexpr std::chrono::seconds between_truncations{1};

class OutboxService {
  public:
    OutboxService() : waiter_(true) {
        identity_ = std::to_string(GetSystemIdentifier()) + "/" + std::to_string(MyDatabaseId);
        the_service_ = this;
        pg_call([] {
            CacheRegisterRelcacheCallback(on_relation, 0);
            for (int cache : {FOREIGNSERVEROID, USERMAPPINGOID, NAMESPACEOID, AUTHOID, AUTHMEMROLEMEM})
                CacheRegisterSyscacheCallback(cache, on_catalog, 0);
        });
        ledger::start_service();
        sql::in_transaction([] { pg_call([] { sql::execute("DELETE FROM reverse_etl.destination_states", {}); }); });
    }

    void serve(const volatile sig_atomic_t &asked_to_end) {
        Clock::time_point busy = Clock::now();
        while (!asked_to_end && !has_other_version_) {
            pg_call([] {
                CHECK_FOR_INTERRUPTS();
                if (ConfigReloadPending) {
                    ConfigReloadPending = false;
                    ProcessConfigFile(PGC_SIGHUP);
                }
            });
            if (called_) {
                // Sessions wait for the ledger.
                while (ledger::serve())
                    continue;
                if (is_called())
                    look_around();
            }
            // Faults pass, and rows expire, without anybody who tells.
            if (Clock::now() - looked_ >= until_next_look())
                look_around();
            claim();
            Clock::time_point now = Clock::now();
            if (!is_idle())
                busy = now;
            else if (ends_when_idle() && now - busy >= longest_idle) {
                look_around();
                claim();
                if (is_idle())
                    return;
                busy = now;
            }
            Clock::time_point next = std::min(send(now), now + until_next_look());
            if (ends_when_idle() && is_idle())
                next = std::min(next, busy + longest_idle);
            // Rows may have their outcome without a request.
            settle();
            if (unsettled_since_ != Clock::time_point::max())
                next = std::min(next, unsettled_since_ + longest_unsettled);
            std::vector<Finished> finished;
            // Those who wake it want it to look around; between two looks it sees to its requests.
            // Postgres waits by the same latch, for locks and pages, and a call may have ended such a wait.
            called_ = has_calls() || wait_until(next, finished);
            for (const Finished &one : finished)
                for (auto &[oid, queue] : queues_)
                    if (queue->take(one))
                        break;
        }
    }

  private:
    static bool ends_when_idle() { return !shared_memory::is_there(); }

    Clock::duration until_next_look() const { return is_model_read_ ? between_looks_at_readers : between_looks; }

    bool is_idle() const {
        return !is_model_read_ &&
               std::all_of(queues_.begin(), queues_.end(), [](const auto &entry) { return entry.second->is_idle(); });
    }

    /// Finds new destinations, and what people did to them.
    void look_around() {
        std::vector<Oid> destinations;
        looked_ = Clock::now();
        std::set<Oid> paused, resumed;
        bool may_send = false;
        SyncTasks tasks;
        sql::in_transaction([&] {
            has_other_version_ = has_other_version();
            if (has_other_version_)
                return;
            may_send = identity::matches();
            destinations = Outbox::destinations();
            paused = read_oids(R"(
                SELECT destination::oid FROM reverse_etl.pauses WHERE destination IS NOT NULL
                UNION ALL
                SELECT ftrelid FROM pg_foreign_table JOIN reverse_etl.pauses
                       ON reverse_etl.paused_server(server, server_name) = ftserver)");
            tasks = SyncTasks::find();
            resumed = read_oids("SELECT destination::oid FROM reverse_etl.destination_states "
                                "WHERE retry_at <= clock_timestamp()");
        });
        for (Oid oid : destinations)
            if (!queues_.contains(oid))
                queues_.emplace(oid, std::make_unique<OutboxQueue>(oid, identity_));
        for (auto &[oid, queue] : queues_) {
            queue->claim_again();
            queue->set_paused(!may_send || paused.contains(oid));
            if (resumed.contains(oid))
                queue->retry_now();
            if (tasks.cancelled.contains(oid))
                queue->cancel(tasks.cancelled[oid]);
        }
        is_model_read_ = tasks.is_model_read;
        if (tasks.for_runner)
            start_sync_runner();
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
            if (!queue->wants_to_claim() && !queue->has_forgotten() && !queue->is_cancelling())
                continue;
            if (queue->has_forgotten())
                queue->retry_now();
            claim_one(*queue);
        }
    }

    /// What is wrong with one destination is no reason to leave the others alone.
    void claim_one(OutboxQueue &queue) {
        std::string fault;
        try {
            sql::in_transaction([&] { queue.claim(); });
        } catch (const Error &error) {
            fault = error.what() + (error.detail.empty() ? "" : ": " + error.detail);
        } catch (const SettingError &error) {
            fault = error.what();
        }
        if (!fault.empty())
            queue.cannot_be_used(fault);
    }

    Clock::time_point send(Clock::time_point now) {
        Clock::time_point next = Clock::time_point::max();
        bool marks = false;
        for (auto &[oid, queue] : queues_) {
            next = std::min(next, queue->send(now));
            marks = marks || queue->has_marks();
        }
        if (marks) {
            sql::in_transaction([&] {
                for (auto &[oid, queue] : queues_)
                    if (queue->has_marks())
                        queue->mark();
            });
            for (auto &[oid, queue] : queues_)
                queue->submit_marked();
            return now;
        }
        return next;
    }

    bool wait_until(Clock::time_point next, std::vector<Finished> &finished) {
        waiter_.was_called = false;
        session::transport().run(waiter_, next, finished);
        return waiter_.was_called;
    }

    void settle() {
        Clock::time_point now = Clock::now();
        bool outcomes =
            std::any_of(queues_.begin(), queues_.end(), [](const auto &entry) { return entry.second->has_outcomes(); });
        bool due = std::any_of(queues_.begin(), queues_.end(),
                               [](const auto &entry) { return entry.second->should_settle(); });
        if (!outcomes)
            unsettled_since_ = Clock::time_point::max();
        else if (unsettled_since_ == Clock::time_point::max())
            unsettled_since_ = now;
        if (outcomes && !due && now - unsettled_since_ < longest_unsettled)
            return;
        if (outcomes)
            sql::in_transaction([&] {
                for (auto &[oid, queue] : queues_)
                    if (queue->has_outcomes())
                        queue->settle();
            });
        if (outcomes)
            announce_outcomes();
        unsettled_since_ = Clock::time_point::max();
        if (now - truncated_ < between_truncations)
            return;
        for (auto &[oid, queue] : queues_)
            if (queue->may_truncate()) {
                truncated_ = now;
                sql::in_transaction([&queue = queue] { queue->truncate(); });
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

    struct CalledWaiter : LatchWaiter {
        using LatchWaiter::LatchWaiter;
        bool wait(int fd, long timeout_ms) override {
            bool called = LatchWaiter::wait(fd, timeout_ms);
            was_called = was_called || called;
            return called;
        }
        bool was_called = false;
    };

    static inline OutboxService *the_service_ = nullptr;
    std::string identity_;
    CalledWaiter waiter_;
    std::map<Oid, std::unique_ptr<OutboxQueue>> queues_;
    bool called_ = true;
    bool has_other_version_ = false; ///< the extension was altered: this library does not know its tables any more
    bool is_model_read_ = false;
    Clock::time_point looked_{};
    Clock::time_point unsettled_since_ = Clock::time_point::max();
    Clock::time_point truncated_{};
};

} // namespace

void serve_outbox(const volatile sig_atomic_t &asked_to_end) {
    static OutboxService service;
    service.serve(asked_to_end);
}

} // namespace reverse_etl
