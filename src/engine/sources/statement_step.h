#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/discovery.h"
#include "engine/requests/dispatcher.h"

#include <utility>

namespace reverse_etl {

/// What the requests of one statement go through. What it refers to must stay as long as they do.
struct StatementContext {
    const ConnectorStatement &source;
    Authenticator &authenticator;
    const AccountLine &line;
    RequestObserver *observer = nullptr; ///< is told of every request
};

/// One request of a statement that is being made.
struct StatementStep {
    StatementStep(const StatementContext &context, OperationSpec of_step)
        : spec(std::move(of_step)),
          operation(context.source.object, spec, {}, -1, {}), body{operation.page_body(""), "", ""},
          dispatcher(operation, context.line.transport, context.line.waiter, context.line.limiter,
                     context.authenticator, context.line.policy) {
        if (context.observer != nullptr)
            dispatcher.report_to(*context.observer);
    }

    const OperationSpec spec;
    const CompiledOperation operation;
    const BatchFrame body;
    Dispatcher dispatcher;
};

} // namespace reverse_etl
