#pragma once

#include <stdexcept>
#include <string>

namespace reverse_etl {

/// A fault in a manifest, with the JSON pointer of the place.
class ManifestError : public std::runtime_error {
  public:
    ManifestError(std::string pointer, const std::string &message)
        : std::runtime_error(message), pointer(std::move(pointer)) {}
    const std::string pointer;
};

/// A fault in what a user set: an option, a column, a missing credential.
class SettingError : public std::runtime_error {
  public:
    explicit SettingError(const std::string &message, std::string hint = {})
        : std::runtime_error(message), hint(std::move(hint)) {}
    const std::string hint;
};

/// Why nothing more can be delivered to, or read from, a destination.
enum class Fault {
    unknown_host,
    unreachable,   ///< no connection, or transient failures that outlasted every attempt
    not_trusted,   ///< TLS
    unauthorized,  ///< the credentials are refused
    stopped,       ///< the destination said that nothing more can be sent for now
    not_found,     ///< the endpoint does not exist
    unintelligible ///< answers that cannot be understood
};

/// One per statement at most: delivery ends with this error.
class DestinationError : public std::runtime_error {
  public:
    DestinationError(Fault fault, const std::string &message, std::string detail = {}, std::string hint = {})
        : std::runtime_error(message), fault(fault), detail(std::move(detail)), hint(std::move(hint)) {}
    const Fault fault;
    const std::string detail;
    const std::string hint;
    bool may_be_done = false; ///< what was asked for may have been carried out all the same
    bool is_of_token = false; ///< there was no access token to ask with: it says nothing of what was to be asked for
};

} // namespace reverse_etl
