#pragma once

#include <boost/asio/ssl/context.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace reverse_etl {

/// A fresh certificate for a host, signed by nobody but itself, and a TLS context that shows it.
class TestCertificate {
  public:
    explicit TestCertificate(const std::string &host) {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
        X509_set_version(certificate.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME *name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>(host.c_str()), -1,
                                   -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        X509_EXTENSION *alternative =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
        X509_add_ext(certificate.get(), alternative, -1);
        X509_EXTENSION_free(alternative);
        if (!X509_sign(certificate.get(), key.get(), EVP_sha256()))
            throw std::runtime_error("cannot sign a certificate");

        write(certificate.get());
        key_ = pem_of(
            [&](BIO *out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
        certificate_ = pem_of([&](BIO *out) { return PEM_write_bio_X509(out, certificate.get()); });
        SSL_CTX_use_certificate(context_.native_handle(), certificate.get());
        SSL_CTX_use_PrivateKey(context_.native_handle(), key.get());
    }

    ~TestCertificate() { unlink(file_); }

    TestCertificate(const TestCertificate &) = delete;
    TestCertificate &operator=(const TestCertificate &) = delete;

    boost::asio::ssl::context &context() { return context_; }

    /// The certificate as a PEM file: who trusts it trusts the host.
    const char *file() const { return file_; }
    const std::string &certificate() const { return certificate_; }
    const std::string &key() const { return key_; }

  private:
    template <class Write>
    static std::string pem_of(Write write) {
        const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
        const char *text = nullptr;
        if (!write(out.get()))
            throw std::runtime_error("cannot write PEM");
        const long size = BIO_get_mem_data(out.get(), &text);
        return std::string(text, size);
    }

    void write(X509 *certificate) {
        FILE *out = fdopen(mkstemp(file_), "w");
        if (!out || !PEM_write_X509(out, certificate) || std::fclose(out) != 0)
            throw std::runtime_error("cannot write a certificate");
    }

    boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
    std::string certificate_, key_;
    char file_[64] = "/tmp/reverse_etl_certificate.XXXXXX";
};

} // namespace reverse_etl
