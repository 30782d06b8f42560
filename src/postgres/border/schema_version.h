#pragma once

#include <string>

namespace reverse_etl {

/// The version of this library: the one whose objects its package has.
extern const char *const library_version;

/// The version of the extension's objects in this database, as CREATE or ALTER EXTENSION left it; "" for no extension.
std::string installed_version();

/// An error where the two differ: a server that was not restarted after an upgrade, or ALTER EXTENSION that was
/// forgotten. Neither may read what it does not know. Nor may anybody who would be in the way of DROP EXTENSION.
void check_version();

/// The same for a process that nobody waits for: it tells the log, and is to end.
bool has_other_version();

} // namespace reverse_etl
