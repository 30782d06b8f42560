#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl::settings {

/// reverse_etl.allow_immediate_in_transaction: deliver inside a transaction block, though a rollback takes nothing
/// back.
extern bool allow_immediate_in_transaction;

/// reverse_etl.progress: a long statement prints a NOTICE about itself every few seconds.
extern bool progress;

/// reverse_etl.host: the name of the host, where its own does not last.
extern char *host;

/// reverse_etl.pause_on_promotion: a standby that was promoted counts as a copy.
extern bool pause_on_promotion;

/// reverse_etl.token_key_file: a file with the key that seals tokens which are kept.
extern char *token_key_file;

void define();

} // namespace reverse_etl::settings
