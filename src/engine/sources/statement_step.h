#pragma once

#include "engine/requests/elsewhere.h"
#include "engine/sources/statement_run.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace reverse_etl {

/// One request that is being made.
struct StatementRun::Step {
    /// A source that ends what takes too long is given the time to say so itself.
    static constexpr std::chrono::seconds grace{5};

    /// `where`: nullptr for the API.
    Step(const StatementRun &run, OperationSpec of_step, std::unique_ptr<const Elsewhere> where = nullptr)
        : spec(std::move(of_step)), away(std::move(where)), policy(policy_of(run)),
          operation(away == nullptr ? run.source_.object : *away->object, spec, {}, -1, {}), body{operation.page_body(
                                                                                                      ""),
                                                                                                  "", ""},
          dispatcher(operation, run.line_.transport, run.line_.waiter, run.line_.limiter,
                     away == nullptr ? run.authenticator_ : *away->authenticator, policy) {
        if (run.observer_ != nullptr)
            dispatcher.report_to(*run.observer_);
    }

    static Policy policy_of(const StatementRun &run) {
        Policy policy = run.line_.policy;
        if (run.phase_ == Phase::submitting && run.spec_.answers_when_done)
            policy.timeout = std::max(policy.timeout, Milliseconds(run.longest_ + grace));
        return policy;
    }

    const OperationSpec spec;
    const std::unique_ptr<const Elsewhere> away;
    const Policy policy;
    const CompiledOperation operation;
    const BatchFrame body;
    Dispatcher dispatcher;
};

} // namespace reverse_etl
