#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/statement_directives.h"
#include "engine/manifest/statement_spec.h"

namespace reverse_etl {

/// Adds the options that tables have of a connector that runs SQL: "query" and "schema_name".
void add_statement_options(const ManifestNode &manifest, std::vector<OptionSpec> &options);

/// Reads the member "statement" of a manifest. Rules for answers, limits and reasons of the manifest itself are not
/// yet in its requests.
StatementSpec read_statement(const ManifestNode &node);

/// The request with these values in the places of {statement.NAME}, and the parameters where they belong. Throws
/// SettingError where a value cannot stand.
OperationSpec statement_request(const RequestTemplate &request, const RequestValues &values,
                                const std::vector<StatementParameter> &parameters = {});

/// All that a statement asks of its source.
template <class Use>
void for_each_request(StatementSpec &statement, Use &&use) {
    for (RequestTemplate *request :
         {&statement.submit, &statement.poll, &statement.cancel, &statement.describe, &statement.result.request})
        use(request->spec);
}

} // namespace reverse_etl
