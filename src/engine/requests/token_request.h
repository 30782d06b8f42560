#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/token_spec.h"

#include <functional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// What a template says, once credentials are filled in.
using FillIn = std::function<std::string(std::string_view text)>;

/// The JSON with its strings filled in.
std::string filled_json(const std::string &json, const FillIn &fill_in);

/// The request for a token, with this refresh token in place of the user mapping's. The body goes into `body`, which
/// the request looks at.
Request token_request(const TokenSpec &spec, const FillIn &fill_in, const std::string &refresh_token,
                      std::string &body);

} // namespace reverse_etl
