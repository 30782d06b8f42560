#pragma once

#include "postgres/border/postgres.h"

#include <cstdint>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl {

/// What tells a database from its copies. Plain data, since Postgres may raise while one is read; its texts last as
/// long as the current memory context.
struct Fingerprint {
    std::int64_t system_identifier; ///< made by initdb; a copy of the data directory keeps it
    Oid database;
    const char *host;
    const char *data_directory; ///< without symbolic links
    /// The file global/pg_control is written in place as long as the data directory lives. Moved within its file system
    /// it stays the same file; copied or restored, even to the same place, it is another one.
    std::int64_t control_file;        ///< its inode
    TimestampTz control_file_created; ///< DT_NOBEGIN where the file system does not tell
};

/// That of this database. It may raise.
Fingerprint present_fingerprint();

/// The parts that differ, by name, and with their values if those may be shown; empty if there are none. May raise.
const char *differences(const Fingerprint &present, const Fingerprint &confirmed, bool with_values);

} // namespace reverse_etl
