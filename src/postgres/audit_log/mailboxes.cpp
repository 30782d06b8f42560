#include "postgres/audit_log/mailboxes.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/shared/part_lock.h"
#include "postgres/shared/worker_control.h"

#include <cstring>

extern "C" {
#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
}

namespace reverse_etl::audit_log {

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
    std::uint64_t number; ///< of the request in it
    bool abandoned;       ///< nobody waits for the answer
    Oid database;
    TimestampTz posted_at;
    Request request;
    Answer answer;
    ConditionVariable answered;
};

struct Mailboxes {
    Mailbox all[mailbox_count];
    std::uint64_t last_number;
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

struct Lock : shared_memory::PartLock {
    Lock() : PartLock(mailboxes) {}
};

void set_free(Mailbox &mailbox) {
    mailbox.state = State::free;
    ConditionVariableBroadcast(&memory().freed);
}

/// The segment of a request that is not answered; it belongs to whoever makes its mailbox free, or answers.
dsm_handle segment_of(const Mailbox &mailbox) {
    bool has_one =
        mailbox.state != State::free && mailbox.state != State::answered && mailbox.request.kind == RequestKind::keep;
    return has_one ? mailbox.request.rows : DSM_HANDLE_INVALID;
}

/// Never raises.
void drop_segment(dsm_handle handle) noexcept {
    if (handle == DSM_HANDLE_INVALID)
        return;
    try {
        pg_call([&] { dsm_unpin_segment(handle); });
    } catch (const PostgresError &) {
        // it is gone already
    }
}

/// What was abandoned so long ago belongs to a database whose worker does not come back.
bool is_forgotten(const Mailbox &mailbox, TimestampTz now) {
    bool unanswered = mailbox.state == State::waiting || mailbox.state == State::taken;
    return unanswered && mailbox.abandoned && TimestampDifferenceExceeds(mailbox.posted_at, now, longest_wait_ms);
}

/// A free mailbox, or else a forgotten one; nullptr if all are in use.
Mailbox *find_room(TimestampTz now) {
    Mailbox *forgotten = nullptr;
    for (Mailbox &mailbox : memory().all) {
        if (mailbox.state == State::free)
            return &mailbox;
        if (is_forgotten(mailbox, now))
            forgotten = &mailbox;
    }
    return forgotten;
}

/// Lays the request into a mailbox: its number, or -1 if all are in use.
int lay(const Request &request, bool abandoned) {
    TimestampTz now = GetCurrentTimestamp();
    dsm_handle forgotten = DSM_HANDLE_INVALID;
    int laid = -1;
    {
        Lock lock;
        if (Mailbox *mailbox = find_room(now)) {
            forgotten = segment_of(*mailbox);
            mailbox->state = State::waiting;
            mailbox->number = ++memory().last_number;
            mailbox->abandoned = abandoned;
            mailbox->database = MyDatabaseId;
            mailbox->posted_at = now;
            mailbox->request = request;
            laid = static_cast<int>(mailbox - memory().all);
        }
    }
    drop_segment(forgotten);
    return laid;
}

/// Waits until the condition holds, and looks after the worker meanwhile.
template <class Condition>
void wait_for(ConditionVariable &variable, Condition &&condition) {
    TimestampTz began = GetCurrentTimestamp();
    while (!condition()) {
        bool in_vain = pg_call([&] {
            ConditionVariablePrepareToSleep(&variable);
            bool timed_out =
                !condition() && ConditionVariableTimedSleep(&variable, patience_ms, compat::audit_log_event());
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

void forget_database(Oid database) {
    if (mailboxes.address == nullptr)
        return;
    std::vector<dsm_handle> segments;
    segments.reserve(mailbox_count);
    {
        Lock lock;
        for (Mailbox &mailbox : memory().all)
            if (mailbox.database == database && mailbox.state != State::free) {
                segments.push_back(segment_of(mailbox));
                set_free(mailbox);
            }
    }
    for (dsm_handle segment : segments)
        drop_segment(segment);
}

} // namespace

shared_memory::Part mailboxes = {"reverse_etl audit log", sizeof(Mailboxes), initialise, forget_database};

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
        throw Error(answer.sqlstate, "could not write to the audit log", answer.error);
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

Segment::Segment(std::string_view rows)
    : handle_(pg_call([&] {
          dsm_segment *segment = dsm_create(rows.size(), 0);
          std::memcpy(dsm_segment_address(segment), rows.data(), rows.size());
          dsm_pin_segment(segment);
          dsm_handle handle = dsm_segment_handle(segment);
          dsm_detach(segment);
          return handle;
      })) {}

Segment::~Segment() {
    drop_segment(handle_);
}

std::vector<TakenRequest> take_requests() {
    static bool first = true;
    std::vector<TakenRequest> taken;
    Lock lock;
    for (int i = 0; i < mailbox_count; i++) {
        Mailbox &mailbox = memory().all[i];
        if (mailbox.database != MyDatabaseId)
            continue;
        if (mailbox.state != State::waiting && !(first && mailbox.state == State::taken))
            continue;
        mailbox.state = State::taken;
        taken.push_back({i, mailbox.number, mailbox.request});
    }
    first = false;
    return taken;
}

bool answer_request(const TakenRequest &taken, const Answer &answer) {
    dsm_handle segment = DSM_HANDLE_INVALID;
    bool is_awaited = false;
    {
        Lock lock;
        Mailbox &mailbox = memory().all[taken.mailbox];
        if (mailbox.number != taken.number)
            return false;
        segment = segment_of(mailbox);
        mailbox.answer = answer;
        is_awaited = !mailbox.abandoned;
        if (is_awaited) {
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
    drop_segment(segment);
    return is_awaited;
}

std::string read_segment(dsm_handle handle, std::uint64_t bytes) {
    std::string rows(bytes, '\0');
    char *target = rows.data();
    pg_call([&] {
        dsm_segment *segment = dsm_attach(handle);
        if (segment == nullptr)
            elog(ERROR, "rejected rows were lost on their way to the audit log");
        std::memcpy(target, dsm_segment_address(segment), bytes);
        dsm_detach(segment);
    });
    return rows;
}

} // namespace reverse_etl::audit_log
