#include "engine/requests/jwt.h"

#include "engine/text/base64.h"
#include "engine/text/errors.h"
#include "engine/text/json.h"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

using namespace reverse_etl;

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key rsa_key(int bits) {
    return {EVP_RSA_gen(bits), EVP_PKEY_free};
}
Key ec_key(const char *curve) {
    return {EVP_EC_gen(curve), EVP_PKEY_free};
}

std::string pem_of(const Key &key) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char *begin = nullptr;
    const long size = BIO_get_mem_data(text.get(), &begin);
    return {begin, static_cast<std::size_t>(size)};
}

std::string from_base64url(std::string text) {
    for (char &c : text)
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    text.append((4 - text.size() % 4) % 4, '=');
    return from_base64(text).value();
}

/// A token in its three parts, as whoever takes it sees it.
struct Taken {
    explicit Taken(const std::string &token)
        : text(token.substr(0, token.rfind('.'))),
          header(Json::parse(from_base64url(token.substr(0, token.find('.'))))),
          claims(Json::parse(from_base64url(text.substr(text.find('.') + 1)))),
          signature(from_base64url(token.substr(token.rfind('.') + 1))) {}

    bool is_signed_by(const Key &key) const {
        std::string der = signature;
        if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC) {
            // RFC 7518 section 3.4: the two numbers, of 32 bytes each
            BOOST_TEST(signature.size() == 64u);
            const auto *bytes = reinterpret_cast<const unsigned char *>(signature.data());
            const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
            ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
            der.assign(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
            auto *target = reinterpret_cast<unsigned char *>(der.data());
            i2d_ECDSA_SIG(pair.get(), &target);
        }
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
        return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char *>(der.data()), der.size(),
                                reinterpret_cast<const unsigned char *>(text.data()), text.size()) == 1;
    }

    std::string text;
    Json header, claims;
    std::string signature;
};

JwtSpec spec(JwtSpec::Algorithm algorithm) {
    return {algorithm, "{key}", R"({"kid": "k1"})", R"({"iss": "{key_id}", "n": [1, true]})", 600};
}

FillIn fill_in(const std::string &key) {
    return [key](std::string_view text) {
        return text == "{key}" ? key : text == "{key_id}" ? "me \"q\"" : std::string(text);
    };
}

const WallClock::time_point now{std::chrono::seconds(1'700'000'000)};

std::string fault(JwtSpec::Algorithm algorithm, const std::string &key) {
    try {
        signed_jwt(spec(algorithm), fill_in(key), now);
        return "";
    } catch (const DestinationError &error) {
        BOOST_TEST((error.fault == Fault::unauthorized));
        return error.what();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(jwt)

BOOST_AUTO_TEST_CASE(rs256) {
    const Key key = rsa_key(2048);
    const Taken token(signed_jwt(spec(JwtSpec::Algorithm::rs256), fill_in(pem_of(key)), now));
    BOOST_TEST(token.header == Json::parse(R"({"kid": "k1", "alg": "RS256", "typ": "JWT"})"));
    BOOST_TEST(token.claims ==
               Json::parse(R"({"iss": "me \"q\"", "n": [1, true], "iat": 1699999970, "exp": 1700000570})"));
    BOOST_TEST(token.is_signed_by(key));
    BOOST_TEST(!token.is_signed_by(rsa_key(2048)));
}

BOOST_AUTO_TEST_CASE(es256) {
    const Key key = ec_key("P-256");
    // Numbers that begin with zeros keep their 32 bytes.
    for (int i = 0; i < 300; i++) {
        const Taken token(signed_jwt(spec(JwtSpec::Algorithm::es256), fill_in(pem_of(key)), now));
        if (i == 0)
            BOOST_TEST(token.header["alg"] == "ES256");
        BOOST_REQUIRE(token.is_signed_by(key));
    }
}

BOOST_AUTO_TEST_CASE(a_key_on_one_line) {
    const Key key = ec_key("P-256");
    std::string line = pem_of(key);
    for (std::size_t at = line.find('\n'); at != line.npos; at = line.find('\n'))
        line.replace(at, 1, "\\n");
    BOOST_TEST(Taken(signed_jwt(spec(JwtSpec::Algorithm::es256), fill_in(line), now)).is_signed_by(key));
}

BOOST_AUTO_TEST_CASE(claims_of_its_own) {
    const Key key = ec_key("P-256");
    JwtSpec own = spec(JwtSpec::Algorithm::es256);
    own.claims = R"({"iat": 1, "exp": 2, "jti": "{jwt.id}"})";
    const Taken one(signed_jwt(own, fill_in(pem_of(key)), now)), other(signed_jwt(own, fill_in(pem_of(key)), now));
    BOOST_TEST(one.claims["iat"] == 1);
    BOOST_TEST(one.claims["exp"] == 2);
    BOOST_TEST(one.claims["jti"].get<std::string>().size() == 32u);
    BOOST_TEST(one.claims["jti"] != other.claims["jti"]);
}

BOOST_AUTO_TEST_CASE(keys_that_cannot_sign) {
    using Algorithm = JwtSpec::Algorithm;
    for (const std::string &key :
         {std::string(), std::string("secret"), std::string("-----BEGIN PRIVATE KEY-----\nsecret\n")}) {
        BOOST_TEST(fault(Algorithm::rs256, key).starts_with("the key that signs tokens is no private key in PEM"));
        BOOST_TEST(fault(Algorithm::rs256, key).find("secret") == std::string::npos);
    }
    BOOST_TEST(fault(Algorithm::rs256, pem_of(ec_key("P-256"))).find("must be an RSA key") != std::string::npos);
    BOOST_TEST(fault(Algorithm::rs256, pem_of(rsa_key(1024))).find("at least 2048 bits") != std::string::npos);
    BOOST_TEST(fault(Algorithm::es256, pem_of(rsa_key(2048))).find("P-256") != std::string::npos);
    BOOST_TEST(fault(Algorithm::es256, pem_of(ec_key("P-384"))).find("P-256") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
