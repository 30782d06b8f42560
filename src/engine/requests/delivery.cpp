#include "engine/requests/delivery.h"

#include "engine/requests/outcome_unknown.h"
#include "engine/requests/row_groups.h"

namespace reverse_etl {

RowDelivery::Counts counts_of(const Dispatcher &dispatcher) {
    return {dispatcher.jobs(), dispatcher.jobs_in_flight(), dispatcher.rows_in_flight(), dispatcher.requests(),
            dispatcher.bytes()};
}

Delivery::Delivery(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink, bool with_ids,
                   int max_attempts)
    : SinkHandler(operation, dispatcher, sink), reader_(operation), with_ids_(with_ids), max_attempts_(max_attempts) {}

void Delivery::start(std::vector<Batch> batches) {
    submit(std::move(batches));
    advance();
}

void Delivery::deliver(std::vector<Batch> batches) {
    submit(std::move(batches));
    run();
}

std::vector<const StartableJob *> Delivery::held() const {
    std::vector<const StartableJob *> held;
    for (const StartableJob &one : dispatcher_.held())
        held.push_back(&one);
    return held;
}

RowDelivery::Counts Delivery::counts() const {
    return counts_of(dispatcher_);
}

void Delivery::submit(std::vector<Batch> batches) {
    for (Batch &batch : grouped(operation_, std::move(batches))) {
        for (const BatchRow &row : operation_.take_unreachable(batch))
            sink_.rejected(row.number, names_no_row, 0);
        if (!batch.rows().empty())
            dispatcher_.submit(std::make_unique<Job>(std::move(batch)));
    }
}

void Delivery::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    const Batch &batch = job->batch;
    switch (verdict.action) {
    case Action::proceed:
        read_outcomes(*job, verdict, answer);
        break;
    case Action::accept:
        for (const BatchRow &row : batch.rows())
            sink_.accepted(row.number, "");
        break;
    case Action::absent:
    case Action::reject:
    case Action::react:
        // The destination speaks of the whole: nothing of it was done, so whose fault it is can be tried out.
        // What it does not know is what all of them have in common.
        if (batch.rows().size() > 1 && operation_.path_names_group() && answer.response().status == 404)
            settle_all(batch, verdict, answer.response().status);
        else if (batch.rows().size() > 1)
            halve(batch);
        else if (verdict.action == Action::absent)
            sink_.absent(batch.rows().front().number);
        else if (verdict.action == Action::react)
            sink_.reacts(batch, *verdict.rule, verdict.reason, answer);
        else
            reject_all(batch, verdict.reason, answer.response().status);
        break;
    default:
        std::string reason = outcome_unknown;
        reason += ": ";
        reason += verdict.reason;
        sink_.unknown(batch, reason, answer.response().status);
    }
}

void Delivery::read_outcomes(Job &job, const Verdict &verdict, Answer &answer) {
    Batch &batch = job.batch;
    const std::vector<RowOutcome> &outcomes = reader_.read(batch, answer, with_ids_);
    long status = answer.response().status;
    bool refused =
        outcomes.front().kind == RowOutcome::Kind::rejected || outcomes.front().kind == RowOutcome::Kind::absent;
    if (reader_.of_whole() && refused && outcomes.size() > 1) {
        halve(batch);
        return;
    }
    std::vector<std::size_t> unmentioned, waiting;
    for (std::size_t i = 0; i < outcomes.size(); i++) {
        BatchRow &row = batch.rows()[i];
        switch (outcomes[i].kind) {
        case RowOutcome::Kind::accepted:
            sink_.accepted(row.number, outcomes[i].text);
            break;
        case RowOutcome::Kind::rejected:
            sink_.rejected(row.number, outcomes[i].text, status);
            break;
        case RowOutcome::Kind::absent:
            sink_.absent(row.number);
            break;
        case RowOutcome::Kind::retry:
            if (!operation_.spec().idempotent) {
                sink_.rejected(row.number, std::string(outcome_unknown) + ": " + outcomes[i].text, status);
                break;
            }
            [[fallthrough]];
        case RowOutcome::Kind::wait:
            if (++row.attempts < max_attempts_)
                waiting.push_back(i);
            else
                sink_.rejected(row.number, outcomes[i].text, status);
            break;
        case RowOutcome::Kind::unmentioned:
            unmentioned.push_back(i);
            break;
        }
    }
    if (!waiting.empty()) {
        auto again = std::make_unique<Job>(batch.subset(waiting));
        again->ready = Clock::now() + dispatcher_.delay(batch.rows()[waiting.front()].attempts);
        sink_.put_off(again->batch);
        dispatcher_.submit(std::move(again));
    }
    if (unmentioned.empty())
        return;
    if (unmentioned.size() < batch.rows().size() || batch.rows().size() > 1) {
        if (operation_.spec().idempotent) {
            halve(batch.subset(unmentioned));
            return;
        }
    }
    std::string reason = reader_.unpaired_reason();
    if (reason.empty())
        reason = verdict.reason;
    // Nobody said that these were refused.
    const bool is_unknown = reason.empty() || reader_.is_miscounted() || status >= 500;
    if (reason.empty())
        reason = "the destination's answer does not mention the row";
    if (is_unknown)
        reason = std::string(outcome_unknown) + ": " + reason;
    for (std::size_t position : unmentioned)
        sink_.rejected(batch.rows()[position].number, reason, status);
}

void Delivery::halve(const Batch &batch) {
    if (sink_.divides(batch))
        return;
    sink_.put_off(batch);
    for (Batch &half : batch.halves())
        dispatcher_.submit(std::make_unique<Job>(std::move(half)));
}

void Delivery::settle_all(const Batch &batch, const Verdict &verdict, long status) {
    if (verdict.action == Action::absent)
        for (const BatchRow &row : batch.rows())
            sink_.absent(row.number);
    else
        reject_all(batch, verdict.reason, status);
}

void Delivery::reject_all(const Batch &batch, const std::string &reason, long status) {
    for (const BatchRow &row : batch.rows())
        sink_.rejected(row.number, reason, status);
}

} // namespace reverse_etl
