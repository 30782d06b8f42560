#include "dispatch_fixture.h"
#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// The request that a create of one row makes: `more` are members of the manifest, `own` of the operation.
Received sent(const std::string &more, const std::string &own = "", const Settings &credentials = {}) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    const std::string operation = R"({"create": {"request": "POST /things", "body": {"$columns": "all"})" + own + "}}";
    Line line(small_connector(operation, more), "things", OperationKind::create, {"name"}, "", at(destination.url()),
              credentials);
    struct Forgetful : JobHandler {
        void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override {}
    } forgetful;
    line.dispatcher.submit(job(line.bound.operation, 1));
    line.dispatcher.run(forgetful);
    return destination.received().at(0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_headers)

BOOST_AUTO_TEST_CASE(each_goes_out_once) {
    const Received plain = sent("");
    BOOST_TEST(plain.all_of("Accept") == "application/json");
    BOOST_TEST(plain.all_of("Content-Type") == "application/json");
    BOOST_TEST(plain.all_of("User-Agent") == "reverse_etl/0.1.0");
    const std::string more =
        R"("headers": {"accept": "application/vnd.api+json", "CONTENT-TYPE": "application/vnd.api+json",
                                            "user-agent": "acme", "X-Version": "1"}, )";
    const Received replaced = sent(more);
    BOOST_TEST(replaced.all_of("Accept") == "application/vnd.api+json");
    BOOST_TEST(replaced.all_of("Content-Type") == "application/vnd.api+json");
    BOOST_TEST(replaced.all_of("User-Agent") == "acme");
    BOOST_TEST(replaced.all_of("X-Version") == "1");
    const Received own = sent(more, R"(, "headers": {"Content-type": "application/x-amz-json-1.0", "x-version": "2"})");
    BOOST_TEST(own.all_of("Accept") == "application/vnd.api+json");
    BOOST_TEST(own.all_of("Content-Type") == "application/x-amz-json-1.0");
    BOOST_TEST(own.all_of("X-Version") == "2");
    std::set<std::string> names;
    for (const Received &request : {plain, replaced, own}) {
        names.clear();
        for (const auto &[name, value] : request.headers)
            BOOST_TEST(names.insert(lower_case(name)).second, name + " came twice");
    }
}

BOOST_AUTO_TEST_CASE(what_signs_a_request_comes_last) {
    const std::string more =
        R"("headers": {"authorization": "none", "x-api-key": "none", "idempotency-key": "none"}, )";
    const std::string own = R"(, "idempotency_key": "Idempotency-Key")";
    const Received keyed = sent(more, own);
    BOOST_TEST(keyed.all_of("Authorization") == "none");
    BOOST_TEST(keyed.all_of("Idempotency-Key") == keyed.idempotency_key());
    BOOST_TEST(keyed.idempotency_key() != "none");
    Headers headers = {{"authorization", "none"}, {"x-api-key", "none"}};
    const Object http = built_in_connector("http").object("endpoint", at("https://a.example"));
    Authenticator(http.auth, {{"token", "t"}}).sign(headers);
    Authenticator(http.auth, {{"api_key", "k"}}).sign(headers);
    BOOST_TEST((headers == Headers{{"Authorization", "Bearer t"}, {"X-Api-Key", "k"}}));
}

BOOST_AUTO_TEST_CASE(content_type_tells_of_a_body) {
    const Connector connector =
        small_connector(R"({"delete": {"request": "DELETE /things/{key}"}, "list": {"request": "GET /things"}})",
                        R"("headers": {"Content-Type": "application/vnd.api+json"}, )");
    const BoundOperation remove(connector, "things", OperationKind::remove, {}, "email");
    BOOST_TEST(!has_header(remove.operation.headers(), "content-type"));
    BOOST_TEST(has_header(remove.operation.headers(), "ACCEPT"));
}

BOOST_AUTO_TEST_CASE(what_frames_a_message_is_refused) {
    const char *const framing[] = {"Host",
                                   "content-length",
                                   "Transfer-Encoding",
                                   "CONNECTION",
                                   "TE",
                                   "Trailer",
                                   "Upgrade",
                                   "Expect",
                                   "Keep-Alive",
                                   "Proxy-Authorization",
                                   "proxy-connection",
                                   "Content-Encoding",
                                   "Accept-Encoding",
                                   "HTTP2-Settings"};
    for (const std::string name : framing) {
        const std::string headers = R"("headers": {")" + name + R"(": "x"}, )";
        BOOST_TEST(contains(fault(small_manifest(create, headers)), "/headers/" + name + " cannot set the header"));
        const std::string own = R"({"create": {"request": "POST /", "headers": {")" + name + R"(": "x"}}})";
        BOOST_TEST(contains(fault(small_manifest(own)),
                            "/objects/things/operations/create/headers/" + name + " cannot set the header"));
        const std::string key = R"({"create": {"request": "POST /", "idempotency_key": ")" + name + R"("}})";
        BOOST_TEST(contains(fault(small_manifest(key)), "/create/idempotency_key cannot set the header"));
        const std::string auth = R"({"kind": "header", "name": ")" + name + R"(", "value": "x"})";
        BOOST_TEST(contains(fault(replaced(small_manifest(create), R"({"kind": "none"})", auth)),
                            "/auth/name cannot set the header"));
        // What an option says is refused as well.
        for (const auto &[option, value] : {std::pair<std::string, std::string>("headers", "{\"" + name + "\": \"x\"}"),
                                            {"api_key_header", name},
                                            {"idempotency_key", name}})
            BOOST_TEST(contains(fault_of_object(built_in_connector("http"), "endpoint",
                                                {{"base_url", "https://a.example"}, {option, value}}),
                                "cannot set the header"));
    }
}

BOOST_AUTO_TEST_CASE(names_and_values_that_are_none) {
    const auto of = [](const std::string &headers) {
        return fault(small_manifest(create, R"("headers": )" + headers + ", "));
    };
    BOOST_TEST(contains(of(R"({"X-A": "1", "x-a": "2"})"), "stands twice"));
    BOOST_TEST(contains(of(R"({"": "1"})"), "/headers/ is not named as a header may be"));
    BOOST_TEST(contains(of(R"({"X A": "1"})"), "is not named as a header may be"));
    BOOST_TEST(contains(of(R"({"X-A:": "1"})"), "is not named as a header may be"));
    BOOST_TEST(contains(of(R"({"{name}": "1"})"), "/headers/{name} has a placeholder in its name"));
    BOOST_TEST(contains(of(R"({"X-A": "1\r\nX-B: 2"})"), "/headers/X-A must not hold a line break"));
    BOOST_TEST(contains(of(R"({"X-A": "1\u00002"})"), "/headers/X-A must not hold a line break"));
    BOOST_TEST(of(R"({"X-A": "", "x-b!": "a: b"})") == "");
    // Whoever has a credential chooses its text.
    BOOST_TEST(contains(fault(replaced(small_manifest(create), R"({"kind": "none"})",
                                       R"({"kind": "header", "name": "{api_key}", "value": "x"})")),
                        "/auth/name is not named as a header may be"));
}

BOOST_AUTO_TEST_SUITE_END()
