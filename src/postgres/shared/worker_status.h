#pragma once

#include "postgres/shared/shared_memory.h"

#include <string>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl::worker_status {

/// What is known of the worker of each database, for people: it lies in shared memory, so it outlives the process.

extern shared_memory::Part shared;

// The worker's.

/// It begins. When the process ends, that is noted by itself.
void started();
/// It goes on.
void alive();
/// Why it is about to end.
void ends(const std::string &why);
/// The same where the postmaster will start it again.
void breaks(const std::string &why);

// Everybody's.

/// Whether the postmaster is about to start the worker of this database again: another would only take a place more.
bool comes_again();

struct Status {
    const char *state; ///< running, starting or none
    int pid = 0;
    TimestampTz started_at = 0, alive_at = 0; ///< 0: not known
    std::string reason;                       ///< why there is none
};
/// Of this database. May raise.
Status find();

} // namespace reverse_etl::worker_status
