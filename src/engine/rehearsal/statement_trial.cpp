#include "engine/rehearsal/statement_trial.h"

#include "engine/rehearsal/no_network.h"
#include "engine/rehearsal/trial.h"
#include "engine/sources/statement_run.h"

namespace reverse_etl {

namespace {

/// The statement's parameters, as the dialect has them.
SqlText text_of(const StatementTrial &trial, const DialectSpec &dialect) {
    SqlText sql{trial.sql, {}};
    for (const auto &[type, value] : trial.parameters) {
        if (!dialect.parameters.contains(type))
            throw SettingError("the dialect has no parameters of the type \"" + type + "\"");
        sql.parameters.push_back(parameter_of(dialect, type, value));
    }
    return sql;
}

void read_all(StatementRun &run, StatementTrialResult &result) {
    for (ResultPage page; run.next_page(page);)
        for (std::size_t row = 0; row < page.rows(); row++) {
            Json cells = Json::array();
            for (std::size_t i = 0; i < run.columns().size(); i++)
                cells.push_back(page.cell(row, i) == nullptr ? Json() : Json(page.cell(row, i)));
            result.rows.push_back(std::move(cells));
        }
}

} // namespace

StatementTrialResult run_statement_trial(const Connector &connector, const StatementTrial &trial,
                                         Rehearsal &rehearsal) {
    const std::optional<ConnectorStatement> source = connector.statement(trial.options);
    if (!source)
        throw SettingError("connector \"" + connector.name() + "\" runs no SQL");
    Settings credentials;
    for (const std::string &name : source->object.credentials)
        credentials[name] = "***";
    Authenticator authenticator(source->object.auth, trial.credentials.value_or(credentials));
    NoTransport transport;
    NoWaiter waiter;
    RateLimiter limiter;
    Policy policy;
    policy.rehearsal = &rehearsal;
    policy.keep_rate_limits = false;
    const AccountLine line{transport, waiter, limiter, policy};
    StatementTrialResult result;
    StatementRun run(*source, authenticator, line, text_of(trial, source->spec.dialect),
                     {source->spec.dialect.schema, "reverse_etl", std::chrono::hours(1), id_of_trial});
    try {
        read_all(run, result);
    } catch (const DestinationError &error) {
        result.failure = error.what();
    } catch (const NoMoreAnswers &) {
        result.failure = "there is no answer left";
    }
    for (const ResultColumn &column : run.columns())
        result.columns[column.name] = column.type;
    return result;
}

} // namespace reverse_etl
