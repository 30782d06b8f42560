#pragma once

#include "postgres/audit_log/mailboxes.h"
#include "postgres/audit_log/push_record.h"

#include <string>

namespace reverse_etl::audit_log {

/// A push that this session makes: its row in reverse_etl.audit_log. The worker commits it before the first byte
/// leaves, and writes down how it went, whatever becomes of the statement. Where the library is not preloaded, it is
/// written in the user's own transaction.
class Entry {
  public:
    Entry(const Destination &destination, const char *operation, const char *statement);

    /// Asks for the push to be put on record, without waiting for it. Throws where that cannot be.
    void begin();
    /// Returns when it is on record: not before may the first byte leave.
    void ensure_begun();
    bool begun() const { return id_ != 0 || begin_.under_way(); }

    /// Keeps rejected rows: JSON as rejected_rows_json() makes it. Returns before they are committed.
    void keep(const std::string &rows);
    /// Returns when the push is on record with this result, and all its rejected rows are kept.
    void settle(const PushResult &result);
    /// The push ends by an error. Neither waits nor raises.
    void fail(const PushResult &result) noexcept;

  private:
    Request request(RequestKind kind) const;

    PushRecord push_{};
    std::int64_t id_ = 0;
    Ticket begin_, keep_;
};

} // namespace reverse_etl::audit_log
