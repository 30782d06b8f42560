#pragma once

#include "engine/manifest/statement_spec.h"
#include "engine/requests/answer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace reverse_etl {

/// What an answer says of a statement besides where it stands.
struct StatementNews {
    std::int64_t source_bytes = -1;   ///< that the source read for it; -1: it does not say
    std::optional<std::string> fault; ///< why it failed
};

/// Whether a refusal with that HTTP status says that there is no statement to ask for any more: others are about who
/// asks, how often, or about whom.
bool tells_of_statement(long status);

StatementNews read_news(const StatementSpec &spec, Answer &answer);

} // namespace reverse_etl
