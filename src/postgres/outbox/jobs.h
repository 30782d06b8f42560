#pragma once

#include "engine/queue/job_record.h"
#include "postgres/border/postgres.h"

#include <cstdint>
#include <vector>

namespace reverse_etl {

/// The jobs of one destination that rows of the outbox are in, as they stand in reverse_etl_internal.outbox_jobs: from
/// the moment before the destination may begin with one until all its rows have their outcomes.
class OutboxJobs {
  public:
    explicit OutboxJobs(Oid destination) : destination_(destination) {}

    /// The number of a job that is about to be made.
    std::int64_t next() { return next_++; }
    /// Its rows have been told of; what became of them is about to be written.
    void ended(std::int64_t number) { ended_.push_back(number); }
    bool has_changes() const { return !ended_.empty(); }

    // In a transaction:

    /// The jobs that are stored, the last one first, if they were not read before.
    std::vector<JobRecord> read();
    void note(const std::vector<const JobRecord *> &records) const;
    /// Removes what has ended; forget_changes() once that has committed.
    void store() const;
    void forget_changes() { ended_.clear(); }
    /// They are to be read anew, with their rows.
    void start_over() { is_read_ = false; }

  private:
    Oid destination_;
    bool is_read_ = false;
    std::int64_t next_ = 1;
    std::vector<std::int64_t> ended_;
};

} // namespace reverse_etl
