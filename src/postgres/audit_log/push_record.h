#pragma once

#include "postgres/border/postgres.h"
#include "postgres/destinations/destination.h"

#include <cstdint>
#include <string>

extern "C" {
#include "utils/timestamp.h"
}

namespace reverse_etl {

/// The rows of reverse_etl.audit_log, and the SQL that writes them. Whoever calls these functions has a transaction and
/// the rights: the worker, or a session as the owner.

/// Who pushes what, and where to. It is copied between processes, so it points nowhere.
struct PushRecord {
    char destination[4 * NAMEDATALEN + 8]; ///< as SQL writes it: both names may be quoted
    char operation[16], statement[16], delivery[16];
    NameData session_role, role, application_name; ///< in the database's encoding; all else is UTF-8
    Oid destination_id, session_role_id, role_id;
    std::int32_t pid;
    TimestampTz started_at, statement_at;
};

enum class PushOutcome : std::int32_t { running, completed, failed, cancelled, queued };

/// How far a push came.
struct PushResult {
    PushOutcome outcome;
    std::uint64_t rows, accepted, rejected, absent, requests, bytes;
    char error[512]; ///< "": there was none
};

/// A push of this session, by the role that is current.
PushRecord make_push_record(const Destination &destination, const char *operation, const char *statement,
                            const char *delivery);

std::int64_t draw_push_id();

/// Adds the push to reverse_etl.audit_log: one that begins, or one whose rows are queued.
void insert_push(std::int64_t id, const PushRecord &push, const PushResult &result);

/// Writes down how the push went.
void update_push(std::int64_t id, const PushResult &result);

/// Says of every push that is on record as running, and whose session is gone, that its end is unknown.
void mark_lost_pushes();

} // namespace reverse_etl
