#pragma once

#include "postgres/outbox/queue.h"

namespace reverse_etl {

/// Notes the requests that cannot simply be made again, then sends them; not before what they follow is written.
void note_requests(OutboxQueue &queue);
/// The same of jobs that are to be handed over, or were.
void note_jobs(OutboxQueue &queue);

} // namespace reverse_etl
