#pragma once

namespace reverse_etl {

/// Has Postgres ask the worker of a database to get out of the way of statements that need the database for
/// themselves, and wake it for rows of a transaction that was prepared. Called by _PG_init.
void install_worker_hooks();

} // namespace reverse_etl
