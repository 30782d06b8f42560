#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/request_template.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// A value that goes with a statement, beside its text.
struct StatementParameter {
    std::string type; ///< the source's name of its type
    std::string value;

    bool operator==(const StatementParameter &) const = default;
};

/// The request with what only the requests of statements have in it written out: {"$parameters": ...}, the parameters
/// as an array of this, or of the only element of it, or as an object whose members have the "name", {"$number":
/// "{statement.NAME}"}, a number, and {"$given": "{option}"}, a text unless it is empty. In a query "$parameters" is a
/// member, and becomes one for each. Where there are no parameters, what would hold them is left out, and so is
/// {statement.page} alone before the first page.
Json with_parameters(const Json &request, const std::vector<StatementParameter> &parameters,
                     const RequestValues &values);

/// Fails where such a directive is not written as it has to be.
void check_directives(const ManifestNode &body);
void check_directives_of_query(const ManifestNode &query);

} // namespace reverse_etl
