#include "postgres/ledger_mailboxes.h"

#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/worker_control.h"

#include <cstring>

extern "C" {
#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/lwlock.h"
}

namespace reverse_etl::ledger {

namespace {

/// Each session that pushes has one or two in use, for milliseconds.
constexpr int mailbox_count = 256;
/// The longest that a session waits for the worker.
constexpr int longest_wait_ms = 30'000;
/// The worker may have ended meanwhile: after so long it is looked for again.
constexpr int patience_ms = 500;

enum class State : std::int32_t { free, waiting, taken, answered };

struct Mailbox {
    State state;
    bool abandoned; ///< nobody waits for the answer
    Oid database;
    TimestampTz posted_at;
    Request request;
    Answer answer;
    ConditionVariable answered;
};

struct Mailboxes {
    Mailbox all[mailbox_count];
    ConditionVariable freed;
};

void initialise(void *part) {
    auto &memory = *static_cast<Mailboxes *>(part);
    for (Mailbox &mailbox : memory.all)
        ConditionVariableInit(&mailbox.answered);
    ConditionVariableInit(&memory.freed);
}

Mailboxes &memory() {
    return *static_cast<Mailboxes *>(mailboxes.address);
}

class Lock {
  public:
    Lock() { LWLockAcquire(mailboxes.lock, LW_EXCLUSIVE); }
    ~Lock() { LWLockRelease(mailboxes.lock); }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;
};

void set_free(Mailbox &mailbox) {
    mailbox.state = State::free;
    ConditionVariableBroadcast(&memory().freed);
}

/// Lays the request into a free mailbox: its number, or -1 if all are in use. One that was abandoned long ago belongs
/// to a database whose worker does not come back.
int lay(const Request &request, bool abandoned) {
    TimestampTz now = GetCurrentTimestamp();
    Lock lock;
    for (int i = 0; i < mailbox_count; i++) {
        Mailbox &mailbox = memory().all[i];
        bool forgotten = mailbox.state == State::waiting && mailbox.abandoned &&
                         TimestampDifferenceExceeds(mailbox.posted_at, now, longest_wait_ms);
        if (mailbox.state != State::free && !forgotten)
            continue;
        mailbox.state = State::waiting;
        mailbox.abandoned = abandoned;
        mailbox.database = MyDatabaseId;
        mailbox.posted_at = now;
        mailbox.request = request;
        return i;
    }
    return -1;
}

/// Waits until the condition holds, and looks after the worker meanwhile.
template <class Condition>
void wait_for(ConditionVariable &variable, Condition &&condition) {
    TimestampTz began = GetCurrentTimestamp();
    while (!condition()) {
        bool in_vain = pg_call([&] {
            ConditionVariablePrepareToSleep(&variable);
            bool timed_out =
                !condition() && ConditionVariableTimedSleep(&variable, patience_ms, compat::ledger_event());
            ConditionVariableCancelSleep();
            return timed_out;
        });
        if (TimestampDifferenceExceeds(began, GetCurrentTimestamp(), longest_wait_ms))
            throw Error(ERRCODE_LOCK_NOT_AVAILABLE, "the background worker of reverse_etl does not answer", "",
                        "See the server log for the reason.");
        if (in_vain)
            require_worker();
    }
}

} // namespace

shared_memory::Part mailboxes = {"reverse_etl ledger", sizeof(Mailboxes), initialise, nullptr, nullptr};

void Ticket::post(const Request &request) {
    wait_for(memory().freed, [&] {
        mailbox_ = lay(request, false);
        return under_way();
    });
    nudge_worker();
}

std::int64_t Ticket::await() {
    Mailbox &mailbox = memory().all[mailbox_];
    wait_for(mailbox.answered, [&] {
        Lock lock;
        return mailbox.state == State::answered;
    });
    Answer answer = mailbox.answer;
    {
        Lock lock;
        set_free(mailbox);
    }
    mailbox_ = -1;
    if (answer.sqlstate != 0)
        throw Error(answer.sqlstate, "could not write to the ledger", answer.error);
    return answer.id;
}

void Ticket::abandon(const PushResult *result) noexcept {
    if (!under_way())
        return;
    Mailbox &mailbox = memory().all[mailbox_];
    mailbox_ = -1;
    {
        Lock lock;
        Request &request = mailbox.request;
        bool is_beginning = request.kind == RequestKind::begin;
        if (result != nullptr)
            request.result = *result;
        if (mailbox.state == State::taken || (mailbox.state == State::waiting && !is_beginning)) {
            mailbox.abandoned = true;
            return;
        }
        if (!is_beginning || mailbox.state == State::waiting || mailbox.answer.sqlstate != 0) {
            set_free(mailbox);
            return;
        }
        request.kind = RequestKind::settle;
        request.id = mailbox.answer.id;
        mailbox.abandoned = true;
        mailbox.state = State::waiting;
    }
    nudge_worker();
}

void Ticket::leave(const Request &request) noexcept {
    if (lay(request, true) >= 0)
        nudge_worker();
}

dsm_handle make_segment(std::string_view rows) {
    return pg_call([&] {
        dsm_segment *segment = dsm_create(rows.size(), 0);
        std::memcpy(dsm_segment_address(segment), rows.data(), rows.size());
        dsm_pin_segment(segment);
        dsm_handle handle = dsm_segment_handle(segment);
        dsm_detach(segment);
        return handle;
    });
}

std::vector<Taken> take_requests() {
    static bool first = true;
    std::vector<Taken> taken;
    Lock lock;
    for (int i = 0; i < mailbox_count; i++) {
        Mailbox &mailbox = memory().all[i];
        if (mailbox.database != MyDatabaseId)
            continue;
        if (mailbox.state != State::waiting && !(first && mailbox.state == State::taken))
            continue;
        mailbox.state = State::taken;
        taken.push_back({i, mailbox.request});
    }
    first = false;
    return taken;
}

void answer_request(int index, const Answer &answer) {
    Lock lock;
    Mailbox &mailbox = memory().all[index];
    mailbox.answer = answer;
    if (!mailbox.abandoned) {
        mailbox.state = State::answered;
        ConditionVariableBroadcast(&mailbox.answered);
    } else if (mailbox.request.kind == RequestKind::begin && answer.sqlstate == 0) {
        // It began and ended while this was written.
        mailbox.request.kind = RequestKind::settle;
        mailbox.request.id = answer.id;
        mailbox.state = State::waiting;
    } else {
        set_free(mailbox);
    }
}

void put_back_request(int index) {
    Lock lock;
    memory().all[index].state = State::waiting;
}

std::string read_segment(dsm_handle handle, std::uint64_t bytes) {
    std::string rows(bytes, '\0');
    char *target = rows.data();
    pg_call([&] {
        dsm_segment *segment = dsm_attach(handle);
        if (segment == nullptr)
            elog(ERROR, "rejected rows were lost on their way to the ledger");
        std::memcpy(target, dsm_segment_address(segment), bytes);
        dsm_detach(segment);
    });
    return rows;
}

void drop_segment(dsm_handle handle) {
    pg_call([&] { dsm_unpin_segment(handle); });
}

} // namespace reverse_etl::ledger
