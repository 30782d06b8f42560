#pragma once

namespace reverse_etl::statement_cancellers {

/// Has a process end statements at sources that processes left behind which are gone: for the background worker, which
/// asks in a transaction, when it starts and now and then. What the source answers, and when, keeps nobody waiting.
void start_if_needed();

} // namespace reverse_etl::statement_cancellers
