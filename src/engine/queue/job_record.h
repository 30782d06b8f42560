#pragma once

#include "engine/manifest/job_reader.h"
#include "engine/world/clock.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace reverse_etl {

/// What has to be known of a job when whoever follows it is gone.
struct JobRecord {
    std::int64_t number = 0;
    std::vector<std::uint64_t> rows;                               ///< in the order in which they are in the job
    std::vector<std::pair<std::uint64_t, std::uint64_t>> replaced; ///< changes, and the rows that stand for them
    JobValues values;                                              ///< what its steps kept and later ones need
    bool submitted = false; ///< all its steps have been made: only its end is waited for
    Milliseconds age{};     ///< when it was read

    bool is_stored = false;
};

struct RowToRepeat {
    std::uint64_t id;
    std::string reason; ///< the destination's
};

/// Takes what becomes of a job, beside the outcomes of its rows.
class JobSink {
  public:
    virtual ~JobSink() = default;
    /// The rows wait again: nothing was done with them, or the same may be done twice. `divided`: their job was refused
    /// for what may be one row's fault, so fewer of them are to go together.
    virtual void job_comes_again(const std::vector<std::uint64_t> &rows, const DestinationError &error) = 0;
    virtual void job_is_divided(const std::vector<std::uint64_t> &rows) = 0;
    /// The destination asks to come again with these rows, which then can go together.
    virtual void rows_come_again(const std::vector<RowToRepeat> &rows) = 0;
    /// What the job waits for cannot be asked now.
    virtual void job_stalls(const JobRecord &record, const DestinationError &error) = 0;
    virtual void job_goes_on(const JobRecord &record) = 0;
    /// All its rows have been told of.
    virtual void job_ended(const JobRecord &record) = 0;
};

} // namespace reverse_etl
