#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/token_spec.h"
#include "engine/requests/token_store.h"
#include "engine/requests/words.h"

namespace reverse_etl {

/// What an answer to the request for a token brings.
TokenResult read_token_answer(const TokenSpec &spec, const Response &response, const Words &words);

} // namespace reverse_etl
