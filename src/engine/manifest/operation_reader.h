#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Reads one operation, or a part of one (what "defaults" holds): a missing "request" is the caller's to notice.
/// `options` are names that may still stand as placeholders, since their values are not known yet.
OperationSpec read_operation(const ManifestNode &node, OperationKind kind, const std::vector<std::string> &options);

std::vector<ErrorRule> read_error_rules(const ManifestNode &node);
std::vector<RateLimitSpec> read_rate_limits(const ManifestNode &node);

/// Fails where a request that is about one row, to change, delete or read it, does not say which.
void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &options);

} // namespace reverse_etl
