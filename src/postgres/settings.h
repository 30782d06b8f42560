#pragma once

#include "postgres/postgres.h"

namespace reverse_etl::settings {

/// reverse_etl.allow_immediate_in_transaction: deliver inside a transaction block, though a rollback takes nothing
/// back.
extern bool allow_immediate_in_transaction;

/// reverse_etl.progress: a long statement prints a NOTICE about itself every few seconds.
extern bool progress;

/// reverse_etl.inject_error, for tests: the name of the callback that is to fail.
extern char *inject_error;

void define();

} // namespace reverse_etl::settings
