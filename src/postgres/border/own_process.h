#pragma once

#include <string>

#include "postgres/border/postgres.h"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace reverse_etl {

/// A process of the extension for this database, to be started once the server takes writes, and not again when it
/// ends; this one is told of its end. `what` it is, for people, as in "token fetcher"; `function` is its main function.
BackgroundWorker own_process(const std::string &what, const char *function);

/// Asks Postgres to start it; nullptr where there is no room. The handle stays until it is freed.
BackgroundWorkerHandle *start_process(BackgroundWorker &process);

} // namespace reverse_etl
