#include "postgres/sources/source_catalog.h"

#include "engine/sources/sql_text.h"
#include "engine/text/json.h"
#include "engine/text/one_query.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/options.h"
#include "postgres/sources/source_line.h"

namespace reverse_etl {

namespace {

/// No schema has so many columns in all.
constexpr std::size_t most_columns_of_schema = 1'000'000;

/// The cells of the row that describes a column, in their order.
enum Cell { of_table, of_name, of_type, of_precision, of_scale, of_nullable, of_description };

ConnectorStatement statement_of(Oid server, const Settings &settings) {
    const auto connector = find_connector(settings.contains("connector") ? settings.at("connector") : "");
    std::optional<ConnectorStatement> statement = connector->statement(settings);
    if (!statement)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "connector \"" + connector->name() + "\" of server \"" + server_name(server) + "\" runs no SQL", "",
                    "A manifest says how in its member \"statement\".");
    return std::move(*statement);
}

StatementSettings settings_of(const Settings &options, const std::string &schema) {
    const auto found = options.find("statement_timeout");
    const long milliseconds = duration_ms("statement_timeout", found == options.end() ? "1h" : found->second);
    return {schema, "reverse_etl catalog", std::chrono::ceil<std::chrono::seconds>(Milliseconds(milliseconds))};
}

std::string cell_of(const ResultPage &page, std::size_t row, std::size_t column, std::size_t columns) {
    const char *text = column < columns ? page.cell(row, column) : nullptr;
    return text == nullptr ? "" : text;
}

/// A number where it is one, as rules compare it.
Json value_of(const std::string &text) {
    const Json number = Json::parse(text, nullptr, false);
    return text.empty() ? Json() : number.is_number() ? number : Json(text);
}

/// Puts rows of the catalog together to tables.
class Tables {
  public:
    explicit Tables(const SourceTypeRules &rules) : rules_(rules) {}

    void add(const ResultPage &page, std::size_t columns) {
        for (std::size_t row = 0; row < page.rows(); row++) {
            const auto cell = [&](Cell of) { return cell_of(page, row, of, columns); };
            const std::string table = cell(of_table);
            if (found.empty() || found.back().name != table)
                found.push_back({table, {}});
            const std::string description = Json{
                {"type", cell(of_type)},
                {"precision", value_of(cell(of_precision))},
                {"scale",
                 value_of(cell(of_scale))}}.dump(-1, ' ', false, Json::error_handler_t::replace);
            const SourceTypeRule &rule = type_of_column(rules_, parser_.parse(description));
            const std::string nullable = cell(of_nullable);
            found.back().columns.push_back(
                {cell(of_name), rule.type, nullable == "NO" || nullable == "false", cell(of_description)});
            if (++columns_ > most_columns_of_schema)
                throw DestinationError(Fault::unintelligible, "the schema has more than " +
                                                                  std::to_string(most_columns_of_schema) + " columns");
        }
    }

    std::vector<SourceTable> found;

  private:
    const SourceTypeRules &rules_;
    simdjson::dom::parser parser_;
    std::size_t columns_ = 0;
};

} // namespace

SourceCatalog::SourceCatalog(Oid server, Oid role)
    : server_(server), role_(role), settings_(options_of_server(server)), statement_(statement_of(server, settings_)) {}

std::vector<SourceTable> SourceCatalog::tables(const std::string &schema) const {
    if (!statement_.spec.catalog)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "server \"" + server_name(server_) + "\" cannot be asked for its tables", "",
                    "Use CREATE FOREIGN TABLE, or reverse_etl.import_query.");
    identity::refuse_copy();
    Policy policy = policy_of(settings_);
    policy.account = account_of(role_, server_);
    const AccountLine line = source_line(policy);
    const std::shared_ptr<Authenticator> authenticator = signer_of_account(server_, role_, statement_.object);
    const SqlText sql = catalog_text(statement_.spec.dialect, *statement_.spec.catalog, schema);
    Tables tables(statement_.spec.catalog->types);
    try {
        RecordedStatement statement(statement_, *authenticator, line, sql, settings_of(settings_, schema), server_,
                                    InvalidOid, role_);
        ResultPage page;
        while (statement.next_page(page))
            tables.add(page, statement.run().columns().size());
    } catch (const DestinationError &error) {
        throw source_error(error, "could not read the tables of server \"" + server_name(server_) + "\"", sql.text);
    }
    return std::move(tables.found);
}

std::vector<SourceColumn> SourceCatalog::columns_of_query(const std::string &query) const {
    identity::refuse_copy();
    Policy policy = policy_of(settings_);
    policy.account = account_of(role_, server_);
    const AccountLine line = source_line(policy);
    const std::shared_ptr<Authenticator> authenticator = signer_of_account(server_, role_, statement_.object);
    const SqlText sql{"SELECT * FROM (\n" + one_query(query) + "\n) AS " + quoted(statement_.spec.dialect, "source"),
                      {}};
    std::vector<SourceColumn> columns;
    try {
        for (const ResultColumn &column : describe_result(statement_, *authenticator, line, sql,
                                                          settings_of(settings_, statement_.spec.dialect.schema)))
            columns.push_back({column.name, column.type, false, ""});
    } catch (const DestinationError &error) {
        throw source_error(error, "could not ask server \"" + server_name(server_) + "\" for the columns of the query",
                           sql.text);
    }
    return columns;
}

std::string definition_of(const SourceColumn &column, const std::string &name) {
    return quoted_name(name) + " " + column.type + " OPTIONS (field " + quoted_text(column.field) + ", source_type " +
           quoted_text(column.type) + ")" + (column.is_never_null ? " NOT NULL" : "");
}

} // namespace reverse_etl
