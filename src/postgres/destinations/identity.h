#pragma once

namespace reverse_etl::identity {

/// A copy of a database has the servers and credentials of the original. So that it does not talk to the world by
/// itself, the fingerprint of the database is kept in reverse_etl.identity, and a copy knows itself by another one.

/// Remembers whether the cluster begins as a standby. Called by _PG_init in the postmaster.
void remember_start();

/// Throws an Error if the database is a copy that nobody has confirmed. It writes nothing, so it works anywhere.
void refuse_copy();

/// For the worker, in a transaction: whether the database may send. The first time that it may not, a WARNING says so;
/// a standby that was promoted is confirmed.
bool matches();

/// reverse_etl.confirm_identity()
void confirm();

} // namespace reverse_etl::identity
