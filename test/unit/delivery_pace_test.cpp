#include "delivery_fixture.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace reverse_etl;
using std::chrono::milliseconds;
using std::chrono::seconds;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

BOOST_AUTO_TEST_SUITE(repeating)

BOOST_AUTO_TEST_CASE(a_wait_that_is_asked_for_is_kept) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &request, auto &connection) {
        if (++requests <= 2)
            connection.answer(429, R"({"policyName": "TEN_SECONDLY_ROLLING"})",
                              "X-HubSpot-RateLimit-Interval-Milliseconds: 150\r\n");
        else
            connection.answer(200, all_done(request));
    });
    Contacts contacts(hubspot, OperationKind::create);
    contacts.deliver(emails(2));
    const auto received = hubspot.received();
    BOOST_TEST(received.size() == 3u);
    BOOST_TEST((received[1].at - received[0].at >= milliseconds(150)));
    BOOST_TEST((received[2].at - received[1].at >= milliseconds(150)));
    BOOST_TEST(received[2].body == received[0].body);
    BOOST_TEST(contacts.count("id of ") == 2u);
    BOOST_TEST(contacts.line.dispatcher.retries() == 2u);
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_of_every_request) {
    struct Observer : RequestObserver {
        void sent(std::size_t rows, bool again) override {
            told += "sent " + std::to_string(rows) + (again ? " again, " : ", ");
        }
        void answered(std::size_t rows, const Response &response, const Verdict &verdict) override {
            told += std::to_string(response.status) + " for " + std::to_string(rows) +
                    (verdict.action == Action::wait ? ": wait, " : ", ");
            time += response.traffic.time;
        }
        std::string told;
        std::chrono::microseconds time{};
    } observer;
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &request, auto &connection) {
        if (++requests == 1)
            connection.answer(429, R"({"status": "error", "message": "slow down"})");
        else
            connection.answer(200, all_done(request));
    });
    Policy one_at_a_time = quick();
    one_at_a_time.max_in_flight = 1;
    Contacts contacts(hubspot, OperationKind::upsert, one_at_a_time);
    contacts.line.dispatcher.report_to(observer);
    contacts.deliver(emails(2));
    BOOST_TEST(observer.told == "sent 2, 429 for 2: wait, sent 2 again, 200 for 2, ");
    BOOST_TEST(observer.time.count() > 0);
}

BOOST_AUTO_TEST_CASE(all_requests_of_the_account_keep_the_wait) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &request, auto &connection) {
        if (++requests == 1)
            connection.answer(429, "{}", "Retry-After: 0.3\r\n");
        else
            connection.answer(200, all_done(request));
    });
    Policy policy = quick();
    policy.max_in_flight = 1;
    Contacts contacts(hubspot, OperationKind::upsert, policy);
    contacts.deliver(emails(6), 2);
    const auto received = hubspot.received();
    BOOST_TEST(received.size() == 4u);
    BOOST_TEST((received[1].at - received[0].at >= milliseconds(300)));
    BOOST_TEST(contacts.count("id of ") == 6u);
}

BOOST_AUTO_TEST_CASE(attempts_run_out) {
    ScriptedDestination hubspot([](const Received &, auto &connection) { connection.answer(503); });
    Policy policy = quick();
    policy.max_attempts = 3;
    Contacts contacts(hubspot, OperationKind::upsert, policy);
    const std::string words = contacts.fault(emails(5), Fault::unreachable);
    BOOST_TEST(contains(words, hubspot.url() + ": HTTP status 503, after 3 attempts"), words);
    BOOST_TEST(contains(words, "POST /crm/v3/objects/contacts/batch/upsert, rows 1 to 5"), words);
    BOOST_TEST(hubspot.received().size() == 3u);
    BOOST_TEST(contacts.outcomes.empty());
}

BOOST_AUTO_TEST_CASE(a_create_that_may_have_been_done_is_not_repeated) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &, auto &connection) {
        switch (++requests % 3) {
        case 0:
            connection.reset();
            break;
        case 1:
            connection.answer(500, "{}");
            break;
        case 2:
            connection.answer(200, "<html>");
        }
    });
    Contacts contacts(hubspot, OperationKind::create);
    contacts.deliver(emails(6), 2);
    BOOST_TEST(hubspot.received().size() == 3u);
    BOOST_TEST(contacts.count("rejected: outcome unknown, the destination may have the row: ") == 6u);
}

BOOST_AUTO_TEST_CASE(an_upsert_is_repeated) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &request, auto &connection) {
        switch (++requests) {
        case 1:
            connection.reset();
            break;
        case 2:
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"results\": [");
            connection.close();
            break;
        case 3:
            connection.answer(502, "<html>");
            break;
        default:
            connection.answer(200, all_done(request));
        }
    });
    Contacts contacts(hubspot);
    contacts.deliver(emails(3));
    BOOST_TEST(requests == 4);
    BOOST_TEST(contacts.count("id of ") == 3u);
}

BOOST_AUTO_TEST_CASE(a_create_that_never_arrived_is_repeated) {
    Policy policy = quick();
    policy.max_attempts = 3;
    Deliverer contacts("http://127.0.0.1:" + std::to_string(closed_port()), built_in_connector("hubspot"), "contacts",
                       OperationKind::create, {"email"}, "email", {{"access_token", "pat"}}, policy);
    const std::string words = contacts.fault(emails(1), Fault::unreachable);
    BOOST_TEST(contains(words, "after 3 attempts"), words);
    BOOST_TEST(!contains(words, "pat"), words);
}

BOOST_AUTO_TEST_CASE(an_idempotency_key_is_stable_over_retries_and_makes_a_create_safe) {
    int requests = 0;
    ScriptedDestination endpoint([&](const Received &, auto &connection) {
        if (++requests <= 4)
            connection.reset();
        else
            connection.answer(201, "{}");
    });
    Messages messages(endpoint, R"(, "idempotency_key": "Idempotency-Key")");
    messages.deliver({{"one"}, {"two"}});
    BOOST_TEST(messages.count("accepted") == 2u);
    std::map<std::string, std::set<std::string>> keys;
    for (const Received &request : endpoint.received())
        keys[request.body].insert(request.idempotency_key());
    BOOST_TEST(keys.size() == 2u);
    std::set<std::string> all;
    for (const auto &[body, of_body] : keys) {
        BOOST_TEST(of_body.size() == 1u);
        BOOST_TEST(of_body.begin()->size() >= 32u);
        all.insert(of_body.begin(), of_body.end());
    }
    BOOST_TEST(all.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(credentials)

/// An API with tokens that last for a few requests. What it creates, it creates only with a token that is good.
struct TokenApi {
    explicit TokenApi(int uses_of_a_token)
        : destination([this, uses_of_a_token](const Received &request, auto &connection) {
              if (request.target == "/token") {
                  uses_left = uses_of_a_token;
                  connection.answer(200, R"({"access_token": "t)" + std::to_string(++tokens) + "\"}");
              } else if (request.authorization() != "Bearer t" + std::to_string(tokens) || uses_left-- <= 0) {
                  connection.answer(401, R"({"message": "token expired"})");
              } else {
                  created.insert(request.member("name").get<std::string>());
                  connection.answer(201, "{}");
              }
          }) {}

    int tokens = 0, uses_left = 0;
    std::multiset<std::string> created;
    ScriptedDestination destination;
};

struct WithTokens : Deliverer {
    explicit WithTokens(const TokenApi &api)
        : Deliverer(
              api.destination.url(),
              Connector::parse(
                  R"({"manifest": 1, "name": "tokens", "title": "Tokens", "credentials": {"client_id": {"description": "-"}, "client_secret": {"description": "-"}}, "base_url": "https://x",
                        "auth": {"kind": "oauth2", "grant": "client_credentials", "token_url": "{base_url}/token",
                                 "client_id": "{client_id}", "client_secret": "{client_secret}"},
                        "reason": "/message",
                        "objects": {"things": {"operations": {"create":
                            {"request": "POST /things", "body": {"$columns": "all"}}}}}})"),
              "things", OperationKind::create, {"name"}, "", {{"client_id", "i"}, {"client_secret", "hush"}}) {}
};

BOOST_AUTO_TEST_CASE(a_token_that_expires_in_the_middle_is_renewed_and_nothing_doubled) {
    TokenApi api(14);
    WithTokens things(api);
    std::vector<Values> rows;
    for (int i = 1; i <= 24; ++i)
        rows.push_back({"row " + std::to_string(i)});
    things.deliver(rows);
    BOOST_TEST(things.count("accepted") == 24u);
    BOOST_TEST(api.created.size() == 24u);
    BOOST_TEST(std::set<std::string>(api.created.begin(), api.created.end()).size() == 24u);
    BOOST_TEST(api.tokens == 2); // one more, however many were in flight with the old one
}

BOOST_AUTO_TEST_CASE(a_token_that_is_refused_twice_ends_the_delivery) {
    TokenApi api(0);
    WithTokens things(api);
    const std::string words = things.fault({{"one"}}, Fault::unauthorized);
    BOOST_TEST(contains(words, "token expired (HTTP status 401)"), words);
    BOOST_TEST(!contains(words, "hush"), words);
    BOOST_TEST(api.tokens == 2);
    BOOST_TEST(api.created.empty());
}

BOOST_AUTO_TEST_CASE(refused_credentials_end_the_delivery) {
    ScriptedDestination hubspot(
        [](const Received &, auto &connection) { connection.answer(401, R"({"message": "who are you?"})"); });
    Contacts contacts(hubspot);
    const std::string words = contacts.fault(emails(2), Fault::unauthorized);
    BOOST_TEST(contains(words, "who are you? (HTTP status 401)"), words);
    BOOST_TEST(contains(words, "Check the credentials in the user mapping"), words);
    BOOST_TEST(hubspot.received().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pace)

/// Delivers twelve rows, a request each; the most that were under way at once.
int most_in_flight(const Policy &policy, const std::string &more) {
    std::atomic<int> now = 0, most = 0;
    LoopbackServer server([&](const auto &, auto &connection) {
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);)
            ;
        std::this_thread::sleep_for(milliseconds(30));
        --now;
        connection.answer(201, "{}");
    });
    Deliverer things(server.url(""),
                     small_connector(R"({"create": {"request": "POST /", "body": {"$columns": "all"}}})", more),
                     "things", OperationKind::create, {"name"}, "", {}, policy);
    things.deliver(std::vector<Values>(12, {"x"}));
    BOOST_TEST(things.count("accepted") == 12u);
    return most;
}

BOOST_AUTO_TEST_CASE(no_more_in_flight_than_allowed) {
    Policy policy = quick();
    policy.max_in_flight = 3;
    const int most = most_in_flight(policy, "");
    BOOST_TEST(most <= 3);
    BOOST_TEST(most > 1);
}

BOOST_AUTO_TEST_CASE(no_more_in_flight_than_the_connector_permits) {
    const int most = most_in_flight(quick(), R"("rate_limits": [{"name": "open", "concurrent": 2}], )");
    BOOST_TEST(most == 2);
}

BOOST_AUTO_TEST_CASE(rate_limits_are_kept) {
    ScriptedDestination endpoint([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Messages messages(endpoint, "", quick(), R"("rate_limits": [{"name": "all", "requests": 3, "seconds": 1}], )");
    messages.deliver({{"a"}, {"b"}, {"c"}, {"d"}, {"e"}});
    const auto received = endpoint.received();
    BOOST_TEST(received.size() == 5u);
    // It is the sending that keeps the limit; what arrives may have been on its way a little longer.
    BOOST_TEST((received[3].at - received[0].at >= milliseconds(900)));
}

BOOST_AUTO_TEST_CASE(rate_limits_of_one_value_hold_up_no_other) {
    ScriptedDestination endpoint([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Messages messages(endpoint,
                      R"(, "rate_limits": [{"name": "one", "requests": 1, "seconds": 1, "for_each": "{row.name}"}])");
    messages.deliver({{"a"}, {"a"}, {"b"}, {"a"}, {"c"}});
    const auto received = endpoint.received();
    for (int i : {3, 4}) {
        BOOST_TEST((received[i].at - received[0].at >= milliseconds(900 * (i - 2))));
        BOOST_TEST(contains(received[i].member("name").dump(), "a"));
    }
}

BOOST_AUTO_TEST_CASE(rate_limits_can_be_let_go) {
    ScriptedDestination endpoint([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Policy policy = quick();
    policy.keep_rate_limits = false;
    Messages messages(endpoint, "", policy, R"("rate_limits": [{"name": "all", "requests": 1, "seconds": 60}], )");
    messages.deliver({{"a"}, {"b"}, {"c"}});
    BOOST_TEST(messages.count("accepted") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
