#include "engine/manifest/statement_reader.h"
#include "engine/sources/statement_run.h"

namespace reverse_etl {

namespace {

/// Takes the columns of the answer to a request that describes a result.
class Description : public JobHandler {
  public:
    explicit Description(const ConnectorStatement &source) : source_(source) {}

    void settled(std::unique_ptr<Job>, const Verdict &verdict, Answer &answer) override {
        if (verdict.action != Action::proceed)
            throw DestinationError(Fault::stopped, source_.object.base_url + ": " + verdict.reason);
        columns = read_result_columns(source_.spec.described, source_.spec.result, answer);
    }

    std::vector<ResultColumn> columns;

  private:
    const ConnectorStatement &source_;
};

} // namespace

std::vector<ResultColumn> describe_result(const ConnectorStatement &source, Authenticator &authenticator,
                                          const AccountLine &line, const SqlText &sql,
                                          const StatementSettings &settings) {
    if (source.spec.describe.spec.method.empty()) {
        SqlText none = sql;
        none.text += " LIMIT 0";
        StatementRun run(source, authenticator, line, std::move(none), settings);
        ResultPage page;
        run.next_page(page);
        return run.columns();
    }
    const OperationSpec spec = statement_request(
        source.spec.describe, values_of_statement(source.spec.dialect, sql, settings), sql.parameters);
    const CompiledOperation operation(source.object, spec, {}, -1, {});
    Dispatcher dispatcher(operation, line.transport, line.waiter, line.limiter, authenticator, line.policy);
    Description description(source);
    const BatchFrame body{operation.page_body(""), "", ""};
    dispatcher.submit(std::make_unique<Job>(Batch(body)));
    dispatcher.run(description);
    if (description.columns.empty())
        throw DestinationError(Fault::unintelligible,
                               source.object.base_url + ": the answer does not describe the columns of the result",
                               operation.request_line());
    return std::move(description.columns);
}

} // namespace reverse_etl
