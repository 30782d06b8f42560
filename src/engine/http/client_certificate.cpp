#include "engine/http/client_certificate.h"

#include "engine/text/errors.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace reverse_etl {

namespace {

template <auto release>
struct Release {
    template <class Value>
    void operator()(Value *value) const {
        release(value);
    }
};
using Bio = std::unique_ptr<BIO, Release<BIO_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;

/// OpenSSL would ask the terminal.
int no_passphrase(char *, int, int, void *) {
    return 0;
}

Bio reader_of(const std::string &pem) {
    return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate read_certificate(const std::string &pem) {
    Certificate certificate(PEM_read_bio_X509(reader_of(pem).get(), nullptr, &no_passphrase, nullptr));
    ERR_clear_error(); // what fails next would be told with it
    return certificate;
}

Key read_key(const std::string &pem) {
    Key key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, &no_passphrase, nullptr));
    ERR_clear_error();
    return key;
}

} // namespace

bool is_certificate(const std::string &pem) {
    return read_certificate(pem) != nullptr;
}

bool is_private_key(const std::string &pem) {
    return read_key(pem) != nullptr;
}

std::shared_ptr<const ClientCertificate> client_certificate(const std::string &certificate, const std::string &key) {
    const Certificate shown = read_certificate(certificate);
    const Key own = read_key(key);
    const bool fit = shown != nullptr && own != nullptr && X509_check_private_key(shown.get(), own.get()) == 1;
    ERR_clear_error();
    if (!fit)
        throw SettingError("the client certificate of the user mapping cannot be used",
                           "client_certificate and client_key must be PEM and belong together.");
    return std::make_shared<const ClientCertificate>(ClientCertificate{certificate, key});
}

} // namespace reverse_etl
