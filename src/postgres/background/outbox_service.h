#pragma once

#include "postgres/border/postgres.h"

#include <csignal>

namespace reverse_etl {

/// The background worker's loop: delivers the outbox of its database until it is asked to end, or until there is no
/// more need of it. It sleeps until it is woken, an answer comes, or something is due. The exit code: 0 if it is not to
/// be started again.
int serve_outbox(Oid extension, const volatile sig_atomic_t &asked_to_end);

} // namespace reverse_etl
