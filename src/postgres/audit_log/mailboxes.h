#pragma once

#include "postgres/audit_log/push_record.h"
#include "postgres/shared/shared_memory.h"

#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "storage/dsm.h"
}

namespace reverse_etl::audit_log {

/// How sessions hand the worker of their database what it is to write, in a transaction that is not theirs: requests
/// lie in mailboxes in shared memory, until the worker has committed what they ask for. Rejected rows lie in a segment
/// beside it.

extern shared_memory::Part mailboxes;

/// Whether there are mailboxes: not where the library is not preloaded.
inline bool has_mailboxes() {
    return mailboxes.address != nullptr;
}

enum class RequestKind : std::int32_t {
    begin,  ///< put the push on record
    keep,   ///< keep rejected rows of it
    settle, ///< write down how it went
};

struct Request {
    RequestKind kind;
    std::int64_t id; ///< of the push; for begin: what the answer brings
    PushRecord push;
    PushResult result;
    dsm_handle rows;
    std::uint64_t rows_bytes;
};

/// What the worker answers.
struct Answer {
    std::int64_t id;
    int sqlstate; ///< 0: it is committed
    char error[512];
};

/// The session's end: one request under way. It is abandoned if it goes before it was awaited; what it asks for is
/// still done.
class Ticket {
  public:
    Ticket() = default;
    ~Ticket() { abandon(nullptr); }
    Ticket(const Ticket &) = delete;
    Ticket &operator=(const Ticket &) = delete;

    bool under_way() const { return mailbox_ >= 0; }

    /// Lays the request into a mailbox and wakes the worker. Waits for a mailbox if all are in use.
    void post(const Request &request);
    /// Waits until what was asked for is committed. The id of the push. An Error says why it cannot be.
    std::int64_t await();
    /// Waits no more. A push that begins, and ends so, is on record with this result. Never raises.
    void abandon(const PushResult *result) noexcept;

    /// Lays a request that nobody will wait for. Never raises.
    static void leave(const Request &request) noexcept;

  private:
    int mailbox_ = -1;
};

/// Rejected rows on their way to the worker, in a segment that outlives the session's transaction. It goes with this,
/// unless somebody else sees to it.
class Segment {
  public:
    explicit Segment(std::string_view rows);
    ~Segment();
    Segment(const Segment &) = delete;
    Segment &operator=(const Segment &) = delete;

    dsm_handle handle() const { return handle_; }
    /// From here on it belongs to the request that was laid.
    void hand_over() { handle_ = DSM_HANDLE_INVALID; }

  private:
    dsm_handle handle_;
};

/// The worker's end.
struct TakenRequest {
    int mailbox;
    std::uint64_t number; ///< of the request: the mailbox may be another's by the time that it is answered
    Request request;
};
/// The requests of this database that wait. Those that an earlier worker took, and did not answer, are among them at
/// the first call of a process.
std::vector<TakenRequest> take_requests();
/// The segment with its rows is gone after that. Whether somebody takes the answer: not where a statement has failed.
bool answer_request(const TakenRequest &taken, const Answer &answer);

std::string read_segment(dsm_handle segment, std::uint64_t bytes);

} // namespace reverse_etl::audit_log
