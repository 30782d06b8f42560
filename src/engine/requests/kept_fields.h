#pragma once

#include "engine/manifest/error_rule.h"
#include "engine/requests/answer.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// The values that a refusal tells of its row, as JSON, in the order of the fields. Nothing where one of them is not
/// there, is neither a text nor a number, or is longer than anything that names a row.
std::optional<std::vector<std::string>> kept_fields(const ReactionSpec &reaction, Answer &answer);

} // namespace reverse_etl
