#include "engine/requests/server_check.h"

#include "delivery_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// Takes requests, and gives the answers that it has.
class Notes : public Rehearsal {
  public:
    std::optional<Response> exchange(const ShownRequest &request) override {
        requests.push_back(request);
        if (answers.empty())
            return std::nullopt;
        Response answer = answers.front();
        answers.erase(answers.begin());
        return answer;
    }

    std::vector<ShownRequest> requests;
    std::vector<Response> answers;
};

std::string header(const ShownRequest &request, std::string_view name) {
    for (const auto &[known, value] : request.headers)
        if (known == name)
            return value;
    return "";
}

Policy rehearsed(Notes &notes) {
    Policy policy = quick();
    policy.rehearsal = &notes;
    return policy;
}

/// Rows whose requests are noted; nobody listens at their address.
struct Rehearsed {
    Rehearsed(const Connector &connector, const std::string &object, const Settings &credentials)
        : rows("http://127.0.0.1:1", connector, object, OperationKind::create, {"email"}, "", credentials,
               rehearsed(notes)) {}

    Notes notes;
    Deliverer rows;
};

} // namespace

BOOST_AUTO_TEST_SUITE(rehearsal)

BOOST_AUTO_TEST_CASE(shows_requests_and_takes_their_rows_for_accepted) {
    Rehearsed hubspot(built_in_connector("hubspot"), "contacts", {{"access_token", "pat-0123456789"}});
    hubspot.rows.deliver({{"a@x"}, {"pat-0123456789"}});
    BOOST_REQUIRE_EQUAL(hubspot.notes.requests.size(), 1u);
    const ShownRequest &request = hubspot.notes.requests.front();
    BOOST_TEST(request.method == "POST");
    BOOST_TEST(request.url == "http://127.0.0.1:1/crm/v3/objects/contacts/batch/create");
    BOOST_TEST(header(request, "Authorization") == "Bearer ***");
    BOOST_TEST(header(request, "Content-Type") == "application/json");
    BOOST_TEST(request.body.find("0123456789") == std::string::npos);
    BOOST_TEST(request.body.find("a@x") != std::string::npos);
    BOOST_TEST(request.rows == (std::vector<std::uint64_t>{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(hubspot.rows.count("accepted") == 2u);
    BOOST_TEST(hubspot.rows.line.dispatcher.requests() == 0u);
}

BOOST_AUTO_TEST_CASE(fetches_no_token) {
    Rehearsed hubspot(built_in_connector("hubspot"), "contacts",
                      {{"client_id", "id-1234"}, {"client_secret", "secret-1234"}, {"refresh_token", "refresh-1234"}});
    hubspot.rows.deliver({{"a@x"}});
    BOOST_REQUIRE_EQUAL(hubspot.notes.requests.size(), 1u);
    BOOST_TEST(header(hubspot.notes.requests.front(), "Authorization") == "Bearer ***");
}

/// Whatever is signed: nothing of it is shown but the scheme.
BOOST_AUTO_TEST_CASE(hides_every_kind_of_signature) {
    const auto shown = [](const Settings &credentials) {
        Rehearsed http(built_in_connector("http"), "endpoint", credentials);
        http.rows.deliver({{"a@x"}});
        std::string signature;
        for (const auto &[name, value] : http.notes.requests.front().headers)
            if (name != "Content-Type" && name != "Accept" && name != "User-Agent")
                signature += name + ": " + value;
        return signature;
    };
    BOOST_TEST(shown({{"token", "t"}}) == "Authorization: Bearer ***");
    BOOST_TEST(shown({{"username", "u"}, {"password", "p"}}) == "Authorization: Basic ***");
    BOOST_TEST(shown({{"api_key", "k"}}) == "X-Api-Key: ***");
    BOOST_TEST(shown({}) == "");
}

BOOST_AUTO_TEST_CASE(counts_against_no_limit) {
    const Connector limited = small_connector(R"({"create": {"request": "POST /things", "body": {"$columns": "all"}}})",
                                              R"("rate_limits": [{"name": "one", "requests": 1, "seconds": 3600}], )");
    Rehearsed things(limited, "things", {});
    things.rows.deliver({{"a@x"}, {"b@x"}, {"c@x"}}, 1);
    BOOST_TEST(things.notes.requests.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_check_says_who_we_are_and_what_is_missing) {
    const Connector connector = small_connector("{}", R"("check": {"request": "GET /me", "identity": ["/email", "/id"],
                           "scopes": {"at": "/scopes", "needed": ["read", "write"]}}, "reason": "/error", )");
    const std::optional<ConnectorCheck> check = connector.check({});
    BOOST_REQUIRE(check);
    const auto answer = [&](long status, const std::string &body) {
        Notes notes;
        notes.answers.resize(1);
        notes.answers.front().status = status;
        notes.answers.front().body = body;
        const CompiledOperation operation(check->object, check->spec.operation, {}, -1, {});
        Policy policy = rehearsed(notes);
        policy.max_attempts = 1;
        CurlTransport transport;
        PollWaiter waiter;
        RateLimiter limiter;
        Authenticator authenticator(check->object.auth, {});
        Dispatcher dispatcher(operation, transport, waiter, limiter, authenticator, policy);
        try {
            const CheckAnswer found = run_check(check->spec, operation, dispatcher);
            std::string text = found.identity + (found.scopes ? " may" : " does not know");
            for (const std::string &scope : found.scopes.value_or(std::vector<std::string>()))
                text += " " + scope;
            for (const std::string &scope : found.missing)
                text += " -" + scope;
            return text;
        } catch (const DestinationError &error) {
            return std::to_string(static_cast<int>(error.fault)) + ": " + error.what();
        }
    };
    BOOST_TEST(answer(200, R"({"email": "a@x", "scopes": ["read", "write"]})") == "a@x may read write");
    BOOST_TEST(answer(200, R"({"id": 7, "scopes": "read,  admin"})") == "7 may read admin -write");
    BOOST_TEST(answer(200, R"({"id": 7})") == "7 does not know");
    BOOST_TEST(answer(200, R"({"scopes": []})") == " may -read -write");
    const auto fails_for = [&](Fault fault, long status, const std::string &body) {
        const std::string text = answer(status, body);
        BOOST_TEST(text.starts_with(std::to_string(static_cast<int>(fault)) + ": "), text);
    };
    fails_for(Fault::unauthorized, 401, R"({"error": "expired"})");
    fails_for(Fault::not_found, 404, "");
    fails_for(Fault::unintelligible, 200, "<html><body>Sign in</body></html>");
    fails_for(Fault::unintelligible, 200, "hello");
    fails_for(Fault::stopped, 400, R"({"error": "no"})");
    BOOST_TEST(!small_connector("{}").check({}));
}

BOOST_AUTO_TEST_SUITE_END()
