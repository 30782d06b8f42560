#include "engine/requests/dispatcher.h"
#include "engine/requests/secret_parts.h"
#include "engine/requests/sigv4.h"
#include "engine/text/hex.h"
#include "engine/text/hmac.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// A manifest with this auth and these credentials.
Connector connector(const std::string &auth, const std::string &operations, const std::vector<std::string> &names) {
    Json manifest = Json::parse(small_manifest(operations));
    manifest["auth"] = Json::parse(auth);
    for (const std::string &name : names)
        manifest["credentials"][name] = {{"description", "x"}};
    return Connector::parse(manifest.dump());
}

const char *const create = R"({"create": {"request": "POST /things", "rows": 10, "idempotent": true,
    "body": {"rows": {"$rows": {"$columns": "all"}}}}})";

/// What ended, and what was said of it.
struct Kept : JobHandler {
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &) override {
        batch = job->batch.body();
        said += verdict.reason;
    }
    void failed(std::unique_ptr<Job>, const DestinationError &error) override {
        said += std::string(error.what()) + error.detail + error.hint;
    }
    std::string batch, said;
};

} // namespace

BOOST_AUTO_TEST_SUITE(signed_requests)

/// A destination that repeats the whole request in its refusal.
BOOST_AUTO_TEST_CASE(secrets_stand_where_the_api_wants_them_and_nowhere_else) {
    ScriptedDestination destination([](const Received &request, auto &connection) {
        connection.answer(400, Json({{"message", request.target + request.body + request.all_of("X-Key")}}).dump());
    });
    Line line(
        connector(
            R"({"kind": "parts", "headers": {"X-Key": "{api}"}, "query": {"token": "{api}"}, "body": {"api_key": "{api}"}})",
            create, {"api"}),
        "things", OperationKind::create, {"name"}, "", at(destination.url()), {{"api", "s3cr3t/k&y"}});
    Kept kept;
    line.dispatcher.submit(job(line.bound.operation, 1, 2));
    line.dispatcher.run(kept);
    const Received request = destination.received().at(0);
    BOOST_TEST(request.target == "/things?token=s3cr3t%2Fk%26y");
    BOOST_TEST(request.all_of("X-Key") == "s3cr3t/k&y");
    BOOST_TEST(request.member("api_key") == "s3cr3t/k&y");
    BOOST_TEST(request.member("rows").size() == 2u);
    BOOST_TEST(kept.batch.find("s3cr3t") == std::string::npos);
    BOOST_TEST(kept.said.find("s3cr3t") == std::string::npos, kept.said);
    BOOST_TEST(kept.said.find("***") != std::string::npos, kept.said);
}

/// It is in the address of the next page, too, and must go once.
BOOST_AUTO_TEST_CASE(a_secret_that_an_answer_repeats_goes_once) {
    std::string text = "https://a.example/p?token=old&page=2";
    SecretParts parts({{SignedPart::Place::query, "token", "new"}}, {});
    Request request;
    request.url = text;
    std::string body;
    UnsignedRequest unsigned_request{request, body, UnsignedRequest::Format::json, ""};
    parts.sign(unsigned_request);
    BOOST_TEST(request.url == "https://a.example/p?page=2&token=new");
}

BOOST_AUTO_TEST_CASE(a_signature_has_the_same_id_and_another_time_at_each_attempt) {
    int answers = 0;
    ScriptedDestination destination([&](const Received &, auto &connection) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2)); // the wait before the next attempt may be 0
        connection.answer(answers++ == 0 ? 503 : 200, "{}");
    });
    const char *auth =
        R"({"kind": "signature", "algorithm": "hmac_sha256", "key": {"base64": "{secret}", "after": "whsec_"},
        "text": "{request.id}.{request.time_ms}.{request.body}", "encode": "base64",
        "headers": {"webhook-id": "{request.id}", "webhook-timestamp": "{request.time_ms}", "webhook-signature": "v1,{request.signature}"}})";
    const Settings credentials = {{"secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
    Line line(connector(auth, create, {"secret"}), "things", OperationKind::create, {"name"}, "", at(destination.url()),
              credentials);
    Kept kept;
    line.dispatcher.submit(job(line.bound.operation, 1, 2));
    line.dispatcher.run(kept);
    const std::vector<Received> received = destination.received();
    BOOST_TEST(received.size() == 2u);
    BOOST_TEST(received[0].all_of("webhook-id").size() == 32u);
    BOOST_TEST(received[0].all_of("webhook-id") == received[1].all_of("webhook-id"));
    BOOST_TEST(received[0].all_of("webhook-signature") != received[1].all_of("webhook-signature"));
}

/// What is signed is what is sent: here the hash is made again of what came.
BOOST_AUTO_TEST_CASE(sigv4_signs_what_is_sent) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(200, "{}"); });
    const char *auth =
        R"({"kind": "sigv4", "service": "s3", "region": "eu-west-1", "access_key": "{id}", "secret_key": "{secret}",
        "session_token": "{session}", "path_as_is": true, "payload_header": true})";
    Line line(
        connector(
            auth,
            R"({"create": {"request": "PUT /b%20u/{row.name}", "query": {"x": "a b", "A": "1"}, "body": {"$columns": "all"}}})",
            {"id", "secret", "session"}),
        "things", OperationKind::create, {"name"}, "", at(destination.url()),
        {{"id", "AKID"}, {"secret", "s"}, {"session", "t0ken"}});
    Kept kept;
    line.dispatcher.submit(job(line.bound.operation, 1));
    line.dispatcher.run(kept);
    const Received received = destination.received().at(0);
    BOOST_TEST(received.all_of("X-Amz-Content-Sha256") == hex(digest(HashAlgorithm::sha256, received.body)));
    BOOST_TEST(received.all_of("X-Amz-Security-Token") == "t0ken");
    // Signed again, with the time that it names, it has the same signature.
    Sigv4Spec spec{"s3", "eu-west-1", "AKID", "s", "t0ken", true, true};
    Request request;
    request.method = received.method;
    request.url = "http://" + received.all_of("Host") + received.target;
    request.body = received.body;
    const std::string sent = received.all_of("Authorization");
    const std::string names = sent.substr(sent.find("SignedHeaders=") + 14);
    for (const auto &[name, value] : received.headers)
        if (name != "Authorization" && lower_case(name) != "host" &&
            (";" + names.substr(0, names.find(',')) + ";").find(";" + lower_case(name) + ";") != std::string::npos)
            request.headers.emplace_back(name, value);
    std::tm parts{};
    strptime(received.all_of("X-Amz-Date").c_str(), "%Y%m%dT%H%M%SZ", &parts);
    std::string body;
    UnsignedRequest unsigned_request{request, body, UnsignedRequest::Format::json, "",
                                     std::chrono::system_clock::from_time_t(timegm(&parts))};
    Sigv4(spec, {}).sign(unsigned_request);
    BOOST_TEST(request.headers.back().second == sent);
}

/// Of a compressed body, too: the same bytes at each attempt, and the hash is theirs.
BOOST_AUTO_TEST_CASE(what_is_compressed_is_signed) {
    int answers = 0;
    ScriptedDestination destination(
        [&](const Received &, auto &connection) { connection.answer(answers++ == 0 ? 503 : 200, "{}"); });
    Line line(
        connector(
            R"({"kind": "sigv4", "service": "s3", "region": "r", "access_key": "{id}", "secret_key": "{secret}", "payload_header": true})",
            R"({"create": {"request": "POST /things", "rows": 10, "idempotent": true, "format": "ndjson", "compress": "gzip",
                "body": {"$rows": {"id": "{entry.id}", "$columns": "all"}}}})",
            {"id", "secret"}),
        "things", OperationKind::create, {"name"}, "", at(destination.url()), {{"id", "AKID"}, {"secret", "s"}});
    Kept kept;
    line.dispatcher.submit(job(line.bound.operation, 1, 2));
    line.dispatcher.run(kept);
    const std::vector<Received> received = destination.received();
    BOOST_REQUIRE(received.size() == 2u);
    BOOST_TEST(received[0].body == received[1].body);
    BOOST_TEST(received[0].body.starts_with("\x1f\x8b"));
    BOOST_TEST(received[0].all_of("Content-Encoding") == "gzip");
    BOOST_TEST(received[0].all_of("Content-Length") == std::to_string(received[0].body.size()));
    BOOST_TEST(received[0].all_of("X-Amz-Content-Sha256") == hex(digest(HashAlgorithm::sha256, received[0].body)));
}

BOOST_AUTO_TEST_CASE(a_certificate_is_asked_for) {
    const Connector of_certificate = connector(R"({"kind": "certificate"})", create, {});
    const std::vector<AuthSpec> auth = of_certificate.object("things", {}).auth;
    BOOST_CHECK_EXCEPTION(Authenticator(auth, {}), MissingCredentials, [](const SettingError &error) {
        return error.hint == "It must hold client_certificate and client_key.";
    });
    BOOST_CHECK_EXCEPTION(
        Authenticator(auth, {{"client_certificate", "x"}, {"client_key", "s3cr3t"}}), SettingError,
        [](const SettingError &error) { return (error.what() + error.hint).find("s3cr3t") == std::string::npos; });
}

BOOST_AUTO_TEST_SUITE_END()
