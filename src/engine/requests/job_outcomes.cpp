#include "engine/requests/job_outcomes.h"

#include "engine/requests/outcome_unknown.h"

#include <utility>

namespace reverse_etl {

using Kind = RowOutcome::Kind;

namespace {

/// An operation that makes no request, but reads what is said of its rows.
OperationSpec reading_spec(const CompiledOperation &operation, std::vector<ResultSpec> results, Pointers reason) {
    OperationSpec spec;
    spec.kind = operation.spec().kind;
    spec.results = std::move(results);
    spec.reason = std::move(reason);
    spec.idempotent = operation.spec().idempotent;
    return spec;
}

/// Whether a row that was taken is to go again, too: a create would be made twice.
bool contradict(Kind one, Kind other) {
    const auto goes_again = [](Kind kind) { return kind == Kind::wait || kind == Kind::retry; };
    return (one == Kind::accepted && goes_again(other)) || (goes_again(one) && other == Kind::accepted);
}

} // namespace

JobOutcomes::Reader::Reader(const CompiledOperation &of, const OperationSpec &spec)
    : spec(spec), operation(of.object(), this->spec, of.columns(), of.key(), {}), outcomes(operation) {
    outcomes.stay_with_batch();
}

OperationSpec JobOutcomes::pairing_of_all(const CompiledOperation &operation, const JobSpec &spec) {
    std::vector<ResultSpec> all = spec.poll.spec.results;
    for (const JobResult &result : spec.results)
        all.insert(all.end(), result.request.spec.results.begin(), result.request.spec.results.end());
    return reading_spec(operation, std::move(all), {});
}

JobOutcomes::JobOutcomes(const CompiledOperation &operation, const JobSpec &spec)
    : spec_(spec), of_all_(operation, pairing_of_all(operation, spec)), writer_(of_all_.operation, NullAs::omit),
      rows_(of_all_.operation.frame()) {
    const auto add = [&](const JobRequest &request) {
        readers_.try_emplace(&request, operation, reading_spec(operation, request.spec.results, request.spec.reason));
    };
    add(spec.poll);
    for (const JobResult &result : spec.results)
        add(result.request);
}

void JobOutcomes::add(std::uint64_t number, const RowValues &values) {
    std::string &out = rows_.begin_row();
    try {
        writer_.write(values, number, rows_, out);
    } catch (...) {
        rows_.drop_row();
        throw;
    }
    rows_.end_row(number);
}

void JobOutcomes::check(const RowValues &values) {
    Batch alone(of_all_.operation.frame());
    writer_.write(values, 1, alone, alone.begin_row());
    alone.end_row(1);
}

void JobOutcomes::add_gone(std::uint64_t number) {
    rows_.begin_row();
    for (std::size_t i = 0; i < of_all_.operation.kept_columns().size(); i++)
        rows_.keep("\n" + std::to_string(number)); // nobody's key, and no other row's
    rows_.end_row(number);
}

void JobOutcomes::start_over() {
    outcomes_.assign(rows_.rows().size(), {});
    is_unclear_ = false;
    unpaired_reason_.clear();
}

void JobOutcomes::read(const JobRequest &request, Answer &answer) {
    if (request.spec.results.empty())
        return;
    // An answer without content says of no row what became of it.
    if (!answer.is_json()) {
        is_unclear_ = true;
        return;
    }
    OutcomeReader &reader = readers_.at(&request).outcomes;
    const std::vector<RowOutcome> &said = reader.read(rows_, answer, false);
    for (std::size_t i = 0; i < said.size(); i++) {
        // What one answer says against a row, another does not take back.
        const Kind before = outcomes_[i].kind;
        if (contradict(before, said[i].kind) && !of_all_.spec.idempotent)
            outcomes_[i] = {Kind::rejected, std::string(outcome_unknown) +
                                                ": the results of its job say that it was taken, and that it was not"};
        else if (said[i].kind != Kind::unmentioned && (before == Kind::unmentioned || before == Kind::accepted))
            outcomes_[i] = said[i];
    }
    is_unclear_ |= !reader.is_clear();
    if (!reader.unpaired_reason().empty())
        unpaired_reason_ = reader.unpaired_reason();
}

const std::vector<RowOutcome> &JobOutcomes::settle(const std::string &failed) {
    RowOutcome others;
    if (!failed.empty())
        others = {Kind::rejected, "the job failed: " + failed};
    else if (is_unclear_ || spec_.others == Others::unknown)
        others = {Kind::rejected,
                  std::string(outcome_unknown) + ": " +
                      (unpaired_reason_.empty() ? "the results of its job do not mention the row" : unpaired_reason_)};
    else if (spec_.others == Others::accepted)
        others.kind = Kind::accepted;
    else
        others = {Kind::rejected, "the results of its job do not name the row among those that were taken"};
    // A create of which a failed job tells nothing may have been made.
    if (!failed.empty() && !of_all_.spec.idempotent)
        others.text = std::string(outcome_unknown) + ": " + others.text;
    told_.clear();
    for (RowOutcome &outcome : outcomes_) {
        told_.push_back(outcome.kind != Kind::unmentioned);
        if (!told_.back())
            outcome = others;
    }
    return outcomes_;
}

} // namespace reverse_etl
