#pragma once

#include "engine/manifest/connector.h"
#include "engine/sources/result_page.h"
#include "postgres/border/postgres.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// A column that a source has.
struct SourceColumn {
    std::string field;
    std::string type; ///< the Postgres type that it is
    bool is_never_null = false;
    std::string description; ///< "" for none
};

/// A table that a source has.
struct SourceTable {
    std::string name;
    std::vector<SourceColumn> columns;
};

/// What a source is asked for by a role, where no table leads to it. Errors are those of a scan.
class SourceCatalog {
  public:
    /// Throws an Error where the server's connector runs no SQL.
    SourceCatalog(Oid server, Oid role);

    const ConnectorStatement &statement() const { return statement_; }
    /// The tables of a schema, in the source's order. Throws an Error where the connector does not say how.
    std::vector<SourceTable> tables(const std::string &schema) const;
    /// The columns of a query in the source's own SQL. No row of it is read.
    std::vector<SourceColumn> columns_of_query(const std::string &query) const;

  private:
    const Oid server_, role_;
    const Settings settings_;
    const ConnectorStatement statement_;
};

/// The definition of a foreign table's column, as SQL has it. `name`: what it is called here.
std::string definition_of(const SourceColumn &column, const std::string &name);

} // namespace reverse_etl
