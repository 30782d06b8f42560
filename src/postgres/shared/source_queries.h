#pragma once

#include "postgres/shared/shared_memory.h"

#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl {

/// A statement at a source, as reverse_etl.source_queries shows it.
struct SourceQueryRecord {
    enum class State { running, done, cancelled, failed };

    int pid = 0;
    Oid database = InvalidOid, server = InvalidOid, table = InvalidOid, role = InvalidOid;
    State state = State::running;
    TimestampTz started_at = 0, ended_at = 0; ///< 0: it has not ended
    std::string sql, id;
    std::uint64_t rows = 0, bytes = 0; ///< that were read here
    std::int64_t source_bytes = -1;    ///< that the source read for it; -1: it does not say
};

/// A statement on record while it runs and after it, until as many others have come as there is room for. Nothing but
/// the constructor can raise.
class SourceQueryEntry {
  public:
    /// `table`: invalid for a statement of a function.
    SourceQueryEntry(Oid server, Oid table, Oid role, const std::string &sql);
    /// What has not been told to have ended is cancelled.
    ~SourceQueryEntry();
    SourceQueryEntry(const SourceQueryEntry &) = delete;
    SourceQueryEntry &operator=(const SourceQueryEntry &) = delete;

    void tell(const std::string &id, std::uint64_t rows, std::uint64_t bytes, std::int64_t source_bytes);
    void end(SourceQueryRecord::State state);

    /// Those of this database that the current role may see, the oldest first.
    static std::vector<SourceQueryRecord> visible();

    static shared_memory::Part shared;

  private:
    std::uint64_t number_ = 0; ///< 0: it has ended
};

} // namespace reverse_etl
