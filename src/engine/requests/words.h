#pragma once

#include "engine/requests/secrets.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Where the words of a destination become text for people. Whatever it says, the text that leaves here may be shown to
/// everyone who may use the destination, and be stored: it holds no secret of the account, is UTF-8 on one line, has no
/// character that is not seen, and a bounded length.
class Words {
  public:
    /// Writes as escapes what the store has no character for. Takes and gives UTF-8, and must not fail.
    using Storable = std::string (*)(const std::string &utf8);

    /// The longest reason, in bytes.
    static constexpr std::size_t most_bytes = 500;

    explicit Words(Storable storable = nullptr) : storable_(storable) {}

    Storable storable() const { return storable_; }
    Secrets &secrets() { return secrets_; }
    const Secrets &secrets() const { return secrets_; }

    std::string of(std::string_view said, std::size_t most = most_bytes) const;
    /// What a body says to a reader: of a web page its text, of anything else the beginning as it is.
    std::string of_body(std::string_view body) const;

  private:
    Secrets secrets_;
    Storable storable_;
};

/// Whether a body is a web page, which no API answers with.
bool is_web_page(std::string_view body);

/// At most so many bytes of a text in UTF-8, cut between characters.
std::string beginning(std::string text, std::size_t most_bytes);

} // namespace reverse_etl
