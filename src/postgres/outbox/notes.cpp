#include "postgres/outbox/notes.h"

#include "postgres/border/attempt.h"

#include <optional>

namespace reverse_etl {

void note_requests(OutboxQueue &queue) {
    if (queue.settles_before_marks())
        queue.settle();
    if (queue.settles_before_marks()) {
        queue.drop_marked();
    } else if (std::optional<Error> failure = attempt([&] { queue.mark(); })) {
        queue.hold(*failure, "requests cannot be noted");
        queue.drop_marked();
    } else {
        queue.submit_marked();
    }
}

void note_jobs(OutboxQueue &queue) {
    if (queue.settles_before_job_notes())
        queue.settle();
    if (queue.settles_before_job_notes()) {
        queue.drop_job_notes();
    } else if (std::optional<Error> failure = attempt([&] { queue.note_jobs(); })) {
        queue.hold(*failure, "jobs cannot be noted");
        queue.drop_job_notes();
    } else {
        queue.jobs_noted();
    }
}

} // namespace reverse_etl
