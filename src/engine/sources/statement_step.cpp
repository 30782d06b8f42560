#include "engine/sources/statement_step.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

OperationSpec spec_of(const StatementContext &context, const RequestTemplate &request, const RequestValues &values) {
    try {
        return statement_request(request, values, context.parameters);
    } catch (const SettingError &) {
        context.fail(Fault::unintelligible, "the answer does not name the statement"); // no part of a path is empty
    }
}

Policy policy_of(const StatementContext &context, Milliseconds patience) {
    Policy policy = context.line.policy;
    policy.timeout = std::max(policy.timeout, patience);
    return policy;
}

} // namespace

void StatementContext::fail(Fault fault, const std::string &what) const {
    throw DestinationError(fault, source.object.base_url + ": " + what);
}

void StatementContext::fail_when_late() const {
    if (Clock::now() >= deadline)
        fail(Fault::stopped, "the statement took longer than " + std::to_string(longest.count()) + " s");
}

StatementStep::StatementStep(const StatementContext &context, const RequestTemplate &request,
                             const RequestValues &values, Milliseconds patience)
    : spec(spec_of(context, request, values)), policy(policy_of(context, patience)),
      operation(context.source.object, spec, {}, -1, {}), body{operation.page_body(""), "", ""},
      dispatcher(operation, context.line.transport, context.line.waiter, context.line.limiter, context.authenticator,
                 policy) {
    if (context.observer != nullptr)
        dispatcher.report_to(*context.observer);
}

StatementStep::StatementStep(const StatementContext &context, OperationSpec of_step,
                             std::unique_ptr<const Elsewhere> where)
    : spec(std::move(of_step)), away(std::move(where)), policy(context.line.policy),
      operation(*away->object, spec, {}, -1, {}), body{operation.page_body(""), "", ""},
      dispatcher(operation, context.line.transport, context.line.waiter, context.line.limiter, *away->authenticator,
                 policy) {
    if (context.observer != nullptr)
        dispatcher.report_to(*context.observer);
}

void StatementStep::submit(const std::string &url, Milliseconds pause) {
    auto job = std::make_unique<Job>(Batch(body));
    job->url = url;
    job->ready = Clock::now() + pause;
    dispatcher.submit(std::move(job));
}

} // namespace reverse_etl
