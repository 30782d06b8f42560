#pragma once

namespace reverse_etl {

/// Has Postgres tell of the end of each transaction. Called by _PG_init.
void register_transaction_end();

} // namespace reverse_etl
