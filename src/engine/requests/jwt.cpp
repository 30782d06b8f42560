#include "engine/requests/jwt.h"

#include "engine/text/base64.h"
#include "engine/text/errors.h"
#include "engine/text/hmac.h"
#include "engine/text/json.h"
#include "engine/text/letter_case.h"
#include "engine/world/random.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <optional>

namespace reverse_etl {

namespace {

template <auto function>
struct Free {
    template <class T>
    void operator()(T *one) const {
        function(one);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

/// RFC 7518 section 3.4: each of the two numbers of a signature over P-256 has 32 bytes.
constexpr int number_bytes = 32;

/// A token is taken for made so long ago, since the destination's clock may be behind.
constexpr std::chrono::seconds clock_margin{30};

[[noreturn]] void fail(const std::string &what) {
    ERR_clear_error();
    throw DestinationError(Fault::unauthorized, what, "", "Check the credentials in the user mapping.");
}

/// RFC 7515 appendix C.
std::string base64url(std::string_view bytes) {
    std::string text = base64(bytes);
    text.erase(text.find_last_not_of('=') + 1);
    for (char &c : text)
        c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

/// Options on one line are common: vendors give keys with "\n" in JSON files.
std::string with_line_breaks(std::string pem) {
    for (std::size_t at = pem.find("\\n"); at != pem.npos; at = pem.find("\\n", at))
        pem.replace(at, 2, "\n");
    return pem;
}

/// Nobody is there to be asked for the password of a key.
int no_password(char *, int, int, void *) {
    return -1;
}

Key private_key(const std::string &text) {
    const std::string pem = with_line_breaks(text);
    const std::unique_ptr<BIO, Free<BIO_free>> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Key(source ? PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr) : nullptr);
}

bool fits(const EVP_PKEY *key, JwtSpec::Algorithm algorithm) {
    if (algorithm == JwtSpec::Algorithm::rs256)
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= 2048;
    char group[32] = "";
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), nullptr) == 1 && std::string_view(group) == "prime256v1";
}

/// The two numbers side by side, out of OpenSSL's DER.
std::optional<std::string> raw_signature(const std::string &der) {
    const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
    const Signature signature(d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
    std::string raw(2 * number_bytes, '\0');
    auto *target = reinterpret_cast<unsigned char *>(raw.data());
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), target, number_bytes) != number_bytes ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), target + number_bytes, number_bytes) != number_bytes)
        return std::nullopt;
    return raw;
}

std::optional<std::string> signature_of(const std::string &text, EVP_PKEY *key, JwtSpec::Algorithm algorithm) {
    const Context context(EVP_MD_CTX_new());
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
        return std::nullopt;
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size, bytes, text.size()) !=
        1)
        return std::nullopt;
    signature.resize(size);
    return algorithm == JwtSpec::Algorithm::es256 ? raw_signature(signature) : signature;
}

std::string random_id() {
    char id[33];
    std::snprintf(id, sizeof(id), "%08x%08x%08x%08x", Random::draw(), Random::draw(), Random::draw(), Random::draw());
    return id;
}

/// How the public half of a key is known: "SHA256:" and the digest of its SubjectPublicKeyInfo, RFC 5280 section 4.1.
std::string fingerprint_of(EVP_PKEY *key) {
    unsigned char *der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0)
        fail("the key that signs tokens has no public half");
    const std::string text(reinterpret_cast<const char *>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return "SHA256:" + base64(digest(HashAlgorithm::sha256, text));
}

/// A claim as it is sent.
std::string claim_of(const JwtSpec &spec, const std::string &text, EVP_PKEY *key) {
    if (text == "{jwt.id}")
        return random_id();
    std::string claim;
    for (std::size_t begin = 0; begin <= text.size();) {
        static constexpr std::string_view mark = "{jwt.key_fingerprint}";
        const std::size_t end = std::min(text.find(mark, begin), text.size());
        const std::string_view piece = std::string_view(text).substr(begin, end - begin);
        if (spec.upper_case)
            append_upper_letters(claim, piece);
        else
            claim += piece;
        if (end == text.size())
            break;
        claim += fingerprint_of(key);
        begin = end + mark.size();
    }
    return claim;
}

/// RFC 7519 section 2: dates are seconds since 1970.
std::int64_t numeric_date(WallClock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

} // namespace

std::string signed_jwt(const JwtSpec &spec, const FillIn &fill_in, WallClock::time_point now) {
    const bool is_rsa = spec.algorithm == JwtSpec::Algorithm::rs256;
    const Key key = private_key(fill_in(spec.key));
    if (!key)
        fail("the key that signs tokens is no private key in PEM, without a password");
    if (!fits(key.get(), spec.algorithm))
        fail(is_rsa ? "the key that signs tokens must be an RSA key of at least 2048 bits, for RS256"
                    : "the key that signs tokens must be a key of the curve P-256, for ES256");
    Json header = Json::parse(filled_json(spec.header, fill_in));
    header["alg"] = is_rsa ? "RS256" : "ES256";
    header["typ"] = "JWT";
    Json claims = Json::parse(filled_json(spec.claims, fill_in));
    if (!claims.contains("iat"))
        claims["iat"] = numeric_date(now - clock_margin);
    if (!claims.contains("exp"))
        claims["exp"] = numeric_date(now - clock_margin) + spec.seconds;
    for (auto &[name, value] : claims.items())
        if (value.is_string())
            value = claim_of(spec, value.get<std::string>(), key.get());
    const std::string text = base64url(header.dump()) + "." + base64url(claims.dump());
    const std::optional<std::string> signature = signature_of(text, key.get(), spec.algorithm);
    if (!signature)
        fail("the key that signs tokens could not sign one");
    return text + "." + base64url(*signature);
}

} // namespace reverse_etl
