#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Text that is kept: sealed with a key (AES-256-GCM), or as it is where the key is "". `place` belongs to it: what was
/// sealed for one place opens at no other. Throws std::runtime_error where the system has no random numbers.
std::string sealed(std::string_view text, const std::string &key, std::string_view place);

/// The text again; nothing where the key is not the one, or it was changed.
std::optional<std::string> opened(std::string_view kept, const std::string &key, std::string_view place);

/// The key that a secret of any length makes.
std::string key_of(std::string_view secret);

} // namespace reverse_etl
