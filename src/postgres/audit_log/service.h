#pragma once

namespace reverse_etl::audit_log {

/// What the worker does for the audit log.

/// Called in a transaction when the worker starts: pushes that an earlier life of the cluster left running have an
/// unknown end.
void start_service();

/// Does what sessions ask for, all that wait in one transaction of its own. Whether there was anything.
bool serve();

} // namespace reverse_etl::audit_log
