#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/statement_reader.h"
#include "engine/requests/discovery.h"
#include "engine/requests/dispatcher.h"
#include "engine/requests/elsewhere.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// What the requests of one statement have in common. What it refers to must stay as long as they do.
struct StatementContext {
    /// A source that ends what takes too long is given the time to say so itself.
    static constexpr std::chrono::seconds grace{5};

    [[noreturn]] void fail(Fault fault, const std::string &what) const;
    /// Throws DestinationError where the source should have ended the statement by now.
    void fail_when_late() const;

    const ConnectorStatement &source;
    Authenticator &authenticator;
    const AccountLine &line;
    const std::vector<StatementParameter> &parameters;
    const std::chrono::seconds longest;
    Clock::time_point deadline{};        ///< the source should have ended it
    RequestObserver *observer = nullptr; ///< is told of every request
};

/// One request of a statement that is being made.
struct StatementStep {
    /// Throws DestinationError where the values do not name the statement. `patience`: the answer is waited for so
    /// long, if that is longer than for others.
    StatementStep(const StatementContext &context, const RequestTemplate &request, const RequestValues &values,
                  Milliseconds patience = Milliseconds(0));
    /// One that goes somewhere else.
    StatementStep(const StatementContext &context, OperationSpec of_step, std::unique_ptr<const Elsewhere> where);

    /// Has it sent when the pause is over. `url`: where it goes, if not where the operation goes.
    void submit(const std::string &url = "", Milliseconds pause = Milliseconds(0));

    const OperationSpec spec;
    const std::unique_ptr<const Elsewhere> away; ///< nullptr: it goes to the API
    const Policy policy;
    const CompiledOperation operation;
    const BatchFrame body;
    Dispatcher dispatcher;
};

} // namespace reverse_etl
