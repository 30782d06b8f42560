#pragma once

#include <memory>
#include <string>

namespace reverse_etl {

/// What shows a server over TLS who we are. Both are PEM; behind the certificate may stand those that lead to its
/// authority.
struct ClientCertificate {
    std::string certificate;
    std::string key;
};

/// Whether the text can be one of the two; a key must have no passphrase, since nobody could be asked for it.
bool is_certificate(const std::string &pem);
bool is_private_key(const std::string &pem);

/// Throws SettingError unless the two belong together. A certificate is no secret, and a kept connection is known by it
/// alone: whoever shows one must have its key.
std::shared_ptr<const ClientCertificate> client_certificate(const std::string &certificate, const std::string &key);

} // namespace reverse_etl
