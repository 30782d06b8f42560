#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Reads one operation, or a part of one (what "defaults" holds): a missing "request" is the caller's to notice.
OperationSpec read_operation(const ManifestNode &node, OperationKind kind);

std::vector<ErrorRule> read_error_rules(const ManifestNode &node);
std::vector<RateLimitSpec> read_rate_limits(const ManifestNode &node);

/// Fails where a request that is about one row, to change, delete or read it, does not say which. `key` and `id` are
/// the fields by which the manifest knows rows of the object.
void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &key,
                     const std::string &id);

} // namespace reverse_etl
