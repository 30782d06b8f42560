#pragma once

#include "engine/sources/statement_run.h"
#include "postgres/border/postgres.h"

#include <cstdint>
#include <string>
#include <vector>

namespace reverse_etl {

/// What it takes to end a statement at its source for who did not begin it.
struct NotedStatement {
    Oid server = InvalidOid, role = InvalidOid;
    int pid = 0;                      ///< of the process that began it
    std::int64_t process_started = 0; ///< when that process was started, a TimestampTz
    std::int64_t until = 0;           ///< the source has ended it by then, a TimestampTz
    SqlText sql;
    StatementSettings settings; ///< with the id
    RequestValues kept;         ///< what the source's answers gave
};

/// A statement on record from before it is sent until it has ended, in a file of the data directory: a process that is
/// killed cannot cancel it, and what is in shared memory goes with a crash, what is in a table with the transaction.
/// Base backups do not have the file. Where it cannot be written, the log tells, and the statement runs without it.
class StatementNote {
  public:
    /// `settings` have an id.
    StatementNote(Oid server, Oid role, const SqlText &sql, const StatementSettings &settings);
    StatementNote(const StatementNote &) = delete;
    StatementNote &operator=(const StatementNote &) = delete;

    /// The source has said how it calls it.
    void keep(const RequestValues &kept);
    // May be called while a transaction is rolled back:
    /// It has ended there.
    void remove() noexcept;
    /// It may run there yet, and nobody here sees to it any more: the worker does.
    void leave() noexcept;

  private:
    void write();

    NotedStatement noted_;
    bool is_there_ = false;
};

namespace statement_notes {

/// Those of this database whose processes are gone. In a transaction.
std::vector<NotedStatement> left_behind();
/// Nobody needs it any more.
void remove(const std::string &id) noexcept;

} // namespace statement_notes

} // namespace reverse_etl
