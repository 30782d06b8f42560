#include "engine/http/client_certificate.h"
#include "engine/text/errors.h"

#include "test_certificate.h"
#include "transport_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// A server that speaks only with who shows one of these certificates, and tells which it was.
struct StrictServer {
    StrictServer(TestCertificate &own, const std::vector<const TestCertificate *> &trusted)
        : server([](const auto &, auto &connection) { connection.answer(200, "welcome"); }, &own.context()) {
        for (const TestCertificate *one : trusted)
            own.context().load_verify_file(one->file());
        own.context().set_verify_mode(boost::asio::ssl::verify_peer | boost::asio::ssl::verify_fail_if_no_peer_cert);
    }
    LoopbackServer server;
};

Request request_to(const LoopbackServer &server, const TestCertificate &authority) {
    Request request = post(server.url("/", "localhost"), "row");
    request.ca_file = authority.file();
    return request;
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_certificates)

BOOST_AUTO_TEST_CASE(a_server_that_asks_for_one_gets_it) {
    TestCertificate own("localhost"), client("client"), stranger("stranger");
    StrictServer strict(own, {&client});
    CurlTransport transport;
    Request request = request_to(strict.server, own);
    // The server tells late, and the request was not looked at all the same.
    BOOST_TEST((exchange(transport, request).failure == Failure::not_trusted));
    request.client_certificate = client_certificate(stranger.certificate(), stranger.key());
    const Response response = exchange(transport, request);
    BOOST_TEST((response.failure == Failure::not_trusted), response.failure_text);
    request.client_certificate = client_certificate(client.certificate(), client.key());
    BOOST_TEST(exchange(transport, request).body == "welcome");
    BOOST_TEST(exchange(transport, request).body == "welcome");
    BOOST_TEST(strict.server.requests() == 2);
}

/// The connection that one role's certificate opened is kept, in the process that serves many roles.
BOOST_AUTO_TEST_CASE(a_kept_connection_serves_nobody_else) {
    TestCertificate own("localhost"), client("client"), other("other");
    StrictServer strict(own, {&client, &other});
    CurlTransport transport;
    Request request = request_to(strict.server, own);
    request.client_certificate = client_certificate(client.certificate(), client.key());
    BOOST_TEST(exchange(transport, request).body == "welcome");
    Request of_other = request;
    of_other.client_certificate = client_certificate(other.certificate(), other.key());
    BOOST_TEST(exchange(transport, of_other).body == "welcome");
    BOOST_TEST(strict.server.connections() == 2);
    Request of_nobody = request;
    of_nobody.client_certificate.reset();
    BOOST_TEST((exchange(transport, of_nobody).failure == Failure::not_trusted));
    BOOST_TEST(strict.server.requests() == 2);
}

BOOST_AUTO_TEST_CASE(a_certificate_without_its_key_is_refused) {
    const TestCertificate client("client"), other("other");
    BOOST_TEST(is_certificate(client.certificate()));
    BOOST_TEST(is_private_key(client.key()));
    BOOST_TEST(is_certificate(client.certificate() + other.certificate()));
    for (const std::string &text : {std::string(), std::string("x"), client.key()})
        BOOST_TEST(!is_certificate(text));
    for (const std::string &text : {std::string(), std::string("x"), client.certificate()})
        BOOST_TEST(!is_private_key(text));
    for (const auto &[certificate, key] : {std::pair(client.certificate(), other.key()),
                                           {client.certificate(), std::string()},
                                           {std::string(), client.key()},
                                           {client.key(), client.certificate()}})
        BOOST_CHECK_THROW(client_certificate(certificate, key), SettingError);
}

/// Its passphrase would be asked for at the terminal of the server.
BOOST_AUTO_TEST_CASE(a_key_with_a_passphrase_is_refused) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    char passphrase[] = "secret";
    PEM_write_bio_PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase);
    const char *text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    BOOST_TEST(!is_private_key(std::string(text, size)));
}

BOOST_AUTO_TEST_SUITE_END()
