#pragma once

#include "engine/manifest/job_spec.h"
#include "engine/requests/outcome_reader.h"
#include "engine/requests/row_writer.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// What becomes of a job's rows, gathered from all answers that tell of it.
class JobOutcomes {
  public:
    /// `operation`: whose rows they are; both must outlive this.
    JobOutcomes(const CompiledOperation &operation, const JobSpec &spec);

    /// Throws ValueRefused for a row that answers could not be paired with.
    void check(const RowValues &values);
    /// Adds a row that can be, in the order in which they are in the job.
    void add(std::uint64_t number, const RowValues &values);
    /// Adds a row that is not there any more, in its place.
    void add_gone(std::uint64_t number);
    std::size_t size() const { return rows_.rows().size(); }

    /// Begins to read anew.
    void start_over();
    /// Takes what an answer says to a request, one of the job's.
    void read(const JobRequest &request, Answer &answer);
    /// What became of each row when all has been read. `failed`: why the job failed as a whole; "" if it did not.
    const std::vector<RowOutcome> &settle(const std::string &failed);
    /// Whether an answer told of it, and it is not only what others are.
    bool was_told(std::size_t row) const { return told_[row]; }

  private:
    struct Reader {
        Reader(const CompiledOperation &of, const OperationSpec &spec);
        const OperationSpec spec;
        const CompiledOperation operation;
        OutcomeReader outcomes;
    };
    static OperationSpec pairing_of_all(const CompiledOperation &operation, const JobSpec &spec);

    const JobSpec &spec_;
    Reader of_all_; ///< by which rows are kept
    RowWriter writer_;
    Batch rows_;
    std::map<const JobRequest *, Reader> readers_;
    std::vector<RowOutcome> outcomes_;
    std::vector<bool> told_;
    bool is_unclear_ = false;
    std::string unpaired_reason_;
};

} // namespace reverse_etl
