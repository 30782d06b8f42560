#pragma once

namespace reverse_etl {

/// Statements of the machine's own run functions of superusers alone. Names and operators in them are pinned; but some
/// of Postgres' functions look for others by the type of a value, as those do that write JSON and find a cast, and
/// types are anybody's.
void install_trusted_functions_hook();

} // namespace reverse_etl
