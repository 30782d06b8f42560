#include "engine/requests/delivery.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <map>
#include <set>

using namespace reverse_etl;
using std::chrono::milliseconds;
using std::chrono::seconds;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

Settings with_url(Settings settings, const std::string &url) {
    settings["base_url"] = url;
    return settings;
}

/// Delivers rows of one operation, and holds the outcome of each.
struct Deliverer : OutcomeSink {
    Deliverer(const std::string &url, const Connector &connector, const std::string &object, OperationKind kind,
              const std::vector<std::string> &written, const std::string &key, const Settings &credentials = {},
              const Policy &policy = quick())
        : line(connector, object, kind, written, key, with_url({}, url), credentials, policy),
          delivery(line.bound.operation, line.dispatcher, *this, true, policy.max_attempts) {}

    void accepted(std::uint64_t row, const std::string &id) override { note(row, id.empty() ? "accepted" : id); }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        note(row, "rejected: " + reason + " (" + std::to_string(status) + ")");
    }
    void absent(std::uint64_t row) override { note(row, "absent"); }

    void note(std::uint64_t row, const std::string &outcome) {
        BOOST_TEST(outcomes.emplace(row, outcome).second, "a second outcome of row " << row << ": " << outcome);
    }

    void deliver(const std::vector<Values> &rows, std::size_t rows_a_batch = 0) {
        if (rows_a_batch == 0)
            rows_a_batch = line.bound.operation.rows_per_batch();
        std::vector<Batch> batches;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i % rows_a_batch == 0)
                batches.emplace_back(line.bound.operation.frame());
            add_row(batches.back(), line.bound.operation, i + 1, rows[i]);
        }
        delivery.deliver(std::move(batches));
    }

    /// The error that ends the delivery.
    std::string fault(const std::vector<Values> &rows, Fault expected, std::size_t rows_a_batch = 0) {
        try {
            deliver(rows, rows_a_batch);
            return "";
        } catch (const DestinationError &error) {
            BOOST_TEST((error.fault == expected));
            return std::string(error.what()) + " | " + error.detail + " | " + error.hint;
        }
    }

    std::size_t count(const std::string &beginning) const {
        return std::count_if(outcomes.begin(), outcomes.end(),
                             [&](const auto &outcome) { return outcome.second.starts_with(beginning); });
    }

    Line line;
    Delivery delivery;
    std::map<std::uint64_t, std::string> outcomes;
};

/// HubSpot's contacts, upserted by email.
struct Contacts : Deliverer {
    explicit Contacts(const ScriptedDestination &hubspot, OperationKind kind = OperationKind::upsert,
                      const Policy &policy = quick())
        : Deliverer(hubspot.url(), built_in_connector("hubspot"), "contacts", kind, {"email"}, "email",
                    {{"access_token", "pat"}}, policy) {}
};

/// An endpoint that takes one row a request.
struct Messages : Deliverer {
    explicit Messages(const ScriptedDestination &destination, const std::string &more = "",
                      const Policy &policy = quick(), const std::string &shared = "")
        : Deliverer(
              destination.url(),
              small_connector(R"({"create": {"request": "POST /messages", "body": {"$columns": "all"})" + more + "}}",
                              shared),
              "things", OperationKind::create, {"name"}, "", {}, policy) {}
};

std::vector<Values> emails(int count, const std::set<int> &bad = {}) {
    std::vector<Values> rows;
    for (int i = 1; i <= count; ++i)
        rows.push_back({(bad.contains(i) ? "bad" : "good") + std::to_string(i) + "@example.com"});
    return rows;
}

/// What HubSpot answers to a batch that it takes: in another order than it was asked.
std::string all_done(const Received &request) {
    Json results = Json::array();
    for (const Json &input : request.member("inputs"))
        results.insert(results.begin(), Json{{"id", "id of " + input["objectWriteTraceId"].get<std::string>()},
                                             {"objectWriteTraceId", input["objectWriteTraceId"]}});
    return Json{{"results", results}}.dump();
}

} // namespace

BOOST_AUTO_TEST_SUITE(outcomes)

BOOST_AUTO_TEST_CASE(every_row_has_the_id_that_the_answer_gives_it) {
    ScriptedDestination hubspot(
        [](const Received &request, auto &connection) { connection.answer(200, all_done(request)); });
    Contacts contacts(hubspot);
    contacts.deliver(emails(250));
    BOOST_TEST(hubspot.received().size() == 3u);
    BOOST_TEST(contacts.outcomes.size() == 250u);
    for (const auto &[row, outcome] : contacts.outcomes)
        BOOST_TEST(outcome == "id of " + std::to_string(row));
    BOOST_TEST(hubspot.received()[0].authorization == "Bearer pat");
}

BOOST_AUTO_TEST_CASE(a_delivery_can_go_on) {
    ScriptedDestination hubspot(
        [](const Received &request, auto &connection) { connection.answer(200, all_done(request)); });
    Contacts contacts(hubspot);
    contacts.deliver(emails(3));
    contacts.outcomes.clear();
    contacts.deliver(emails(5), 2);
    BOOST_TEST(contacts.outcomes.size() == 5u);
    BOOST_TEST(contacts.line.dispatcher.requests() == 4u);
    contacts.deliver({});
    BOOST_TEST(contacts.line.dispatcher.requests() == 4u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_rejects_some_rows) {
    ScriptedDestination hubspot([](const Received &, auto &connection) {
        connection.answer(207, R"({"results": [{"id": "7", "objectWriteTraceId": "3"}],
                                   "errors": [{"message": "no such e-mail", "context": {"ids": ["bad1@example.com"]}},
                                              {"message": "blocked", "context": {"objectWriteTraceId": ["2"]}}]})");
    });
    Contacts contacts(hubspot);
    contacts.deliver(emails(3, {1}));
    BOOST_TEST(contacts.outcomes[1] == "rejected: no such e-mail (207)");
    BOOST_TEST(contacts.outcomes[2] == "rejected: blocked (207)");
    BOOST_TEST(contacts.outcomes[3] == "7");
    BOOST_TEST(hubspot.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(halving_finds_the_bad_rows_among_a_hundred) {
    std::multiset<std::string> kept;
    ScriptedDestination hubspot([&](const Received &request, auto &connection) {
        if (contains(request.body, "bad")) {
            connection.answer(400, R"({"message": "one of them is bad"})");
            return;
        }
        for (const Json &input : request.member("inputs"))
            kept.insert(input.at("properties").at("email").get<std::string>());
        connection.answer(200, all_done(request));
    });
    Contacts contacts(hubspot, OperationKind::create);
    contacts.deliver(emails(100, {1, 50, 100}));
    BOOST_TEST(contacts.outcomes.size() == 100u);
    BOOST_TEST(contacts.count("id of ") == 97u);
    for (const int row : {1, 50, 100})
        BOOST_TEST(contacts.outcomes[row] == "rejected: one of them is bad (400)");
    BOOST_TEST(kept.size() == 97u);
    BOOST_TEST(std::set<std::string>(kept.begin(), kept.end()).size() == 97u);
    BOOST_TEST(hubspot.received().size() <= 2 * 3 * 7u);
}

BOOST_AUTO_TEST_CASE(rows_that_are_absent_are_no_rejections) {
    ScriptedDestination people(
        [](const Received &request, auto &connection) { connection.answer(request.target == "/2" ? 410 : 204, ""); });
    Deliverer gone(people.url(), built_in_connector("http"), "endpoint", OperationKind::remove, {}, "id");
    gone.deliver({{"1"}, {"2"}, {"3"}});
    BOOST_TEST(gone.outcomes[1] == "accepted");
    BOOST_TEST(gone.outcomes[2] == "absent");
    BOOST_TEST(gone.outcomes[3] == "accepted");
}

BOOST_AUTO_TEST_CASE(a_key_that_would_lead_to_the_collection_is_never_asked_for) {
    ScriptedDestination people([](const Received &, auto &connection) { connection.answer(204, ""); });
    Deliverer gone(people.url(), built_in_connector("http"), "endpoint", OperationKind::remove, {}, "id");
    // A proxy may decode a slash, or take a backslash for one.
    gone.deliver({{""}, {"."}, {".."}, {"a/.."}, {"../b"}, {"a\\..\\b"}, {"..."}, {"a/b"}});
    for (const int row : {1, 2, 3, 4, 5, 6})
        BOOST_TEST(gone.outcomes[row].starts_with("rejected: "));
    BOOST_TEST(gone.outcomes[7] == "accepted");
    BOOST_TEST(gone.outcomes[8] == "accepted");
    BOOST_TEST(people.received().size() == 2u);
    BOOST_TEST(people.count("/...") == 1u);
    BOOST_TEST(people.count("/a%2Fb") == 1u);
}

BOOST_AUTO_TEST_CASE(several_keys_in_a_url_are_guarded_each) {
    ScriptedDestination people([](const Received &, auto &connection) { connection.answer(204, ""); });
    for (const char *operation : {R"({"delete": {"request": "DELETE /v1/{keys}", "rows": 10}})",
                                  R"({"delete": {"request": "DELETE /v1", "query": {"ids": "{keys}"}, "rows": 10}})"}) {
        const bool in_path = std::string(operation).find("/v1/") != std::string::npos;
        Deliverer gone(people.url(), small_connector(operation), "things", OperationKind::remove, {}, "id");
        gone.deliver({{"1"}, {""}, {"2,3"}, {".."}, {"4"}});
        BOOST_TEST(gone.outcomes[1] == "accepted");
        BOOST_TEST(gone.outcomes[2].starts_with("rejected: "));
        BOOST_TEST(gone.outcomes[3].starts_with("rejected: ")); // it would name two others
        BOOST_TEST(gone.outcomes[4].starts_with(in_path ? "rejected: " : "accepted"));
        BOOST_TEST(gone.outcomes[5] == "accepted");
    }
    BOOST_TEST(people.count("/v1/1%2C4") == 1u);
    BOOST_TEST(people.count("/v1/") == 1u);
}

BOOST_AUTO_TEST_CASE(an_empty_key_in_a_query_deletes_nothing) {
    ScriptedDestination people([](const Received &, auto &connection) { connection.answer(204, ""); });
    Deliverer gone(people.url(), small_connector(R"({"delete": {"request": "DELETE /v1", "query": {"id": "{key}"}}})"),
                   "things", OperationKind::remove, {}, "id");
    gone.deliver({{""}, {"1"}});
    BOOST_TEST(gone.outcomes[1].starts_with("rejected: "));
    BOOST_TEST(gone.outcomes[2] == "accepted");
    BOOST_TEST(people.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(rows_that_a_create_does_not_mention_are_not_sent_again) {
    ScriptedDestination hubspot([](const Received &, auto &connection) {
        connection.answer(201, R"({"results": [{"id": "1", "objectWriteTraceId": "1"}]})");
    });
    Contacts contacts(hubspot, OperationKind::create);
    contacts.deliver(emails(3));
    BOOST_TEST(contacts.outcomes[1] == "1");
    BOOST_TEST(contacts.outcomes[2] == "rejected: outcome unknown, the destination may have the row: "
                                       "the destination's answer does not mention the row (201)");
    BOOST_TEST(contacts.outcomes[3] == contacts.outcomes[2]);
    BOOST_TEST(hubspot.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(rows_that_an_upsert_does_not_mention_are_asked_for_alone) {
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        for (const Json &input : request.member("inputs"))
            if (!contains(input.dump(), "bad")) {
                connection.answer(207, R"({"results": [{"id": "9", "objectWriteTraceId": )" +
                                           input.at("objectWriteTraceId").dump() + "}]}");
                return;
            }
        connection.answer(207, R"({"results": [], "errors": [{"message": "unnamed fault"}]})");
    });
    Contacts contacts(hubspot);
    contacts.deliver(emails(4, {3}));
    BOOST_TEST(contacts.count("9") == 3u);
    BOOST_TEST(contacts.outcomes[3] == "rejected: unnamed fault (207)");
}

BOOST_AUTO_TEST_CASE(a_key_that_rows_repeat_gets_an_outcome_for_each) {
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        std::set<std::string> seen;
        for (const Json &input : request.member("inputs"))
            if (!seen.insert(input["id"].get<std::string>()).second) {
                connection.answer(400, R"({"message": "Duplicate IDs found in batch input"})");
                return;
            }
        connection.answer(200, all_done(request));
    });
    Contacts contacts(hubspot);
    contacts.deliver({{"a@x"}, {"a@x"}, {"b@x"}, {"a@x"}});
    BOOST_TEST(contacts.count("id of ") == 4u);
}

BOOST_AUTO_TEST_CASE(rows_to_come_back_with_come_again_alone) {
    std::vector<std::size_t> sizes;
    ScriptedDestination salesforce([&](const Received &request, auto &connection) {
        const Json records = request.member("records");
        sizes.push_back(records.size());
        Json answer = Json::array();
        for (const Json &record : records) {
            const bool locked = record["Email"] == "never" || (record["Email"] == "locked" && sizes.size() < 3);
            if (locked)
                answer.push_back(Json::parse(
                    R"({"success": false, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}]})"));
            else
                answer.push_back({{"success", true}, {"id", record["Email"]}});
        }
        connection.answer(200, answer.dump());
    });
    Policy policy = quick();
    policy.max_attempts = 4;
    Deliverer contacts(salesforce.url(), built_in_connector("salesforce"), "Contact", OperationKind::create, {"Email"},
                       "", {{"access_token", "t"}}, policy);
    contacts.deliver({{"a"}, {"locked"}, {"never"}, {"b"}});
    BOOST_TEST(contacts.outcomes[1] == "a");
    BOOST_TEST(contacts.outcomes[2] == "locked");
    BOOST_TEST(contacts.outcomes[3] == "rejected: locked (200)");
    BOOST_TEST(contacts.outcomes[4] == "b");
    BOOST_TEST((sizes == std::vector<std::size_t>{4, 2, 2, 1}));
}

BOOST_AUTO_TEST_CASE(one_word_for_a_whole_batch) {
    ScriptedDestination endpoint([](const Received &request, auto &connection) {
        connection.answer(200, contains(request.body, "bad") ? R"({"ok": false, "why": "no"})" : R"({"ok": true})");
    });
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /", "rows": 100, "body": {"$rows": {"$columns": "all"}},
                       "outcome": {"accepted_when": {"/ok": true}, "reason": "/why"}}})");
    Deliverer things(endpoint.url(), connector, "things", OperationKind::create, {"email"}, "");
    things.deliver(emails(8, {6}));
    BOOST_TEST(things.count("accepted") == 7u);
    BOOST_TEST(things.outcomes[6] == "rejected: no (200)");
}

BOOST_AUTO_TEST_SUITE_END()

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
    int port = 0;
    {
        boost::asio::io_context io;
        boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
        port = acceptor.local_endpoint().port();
    }
    Policy policy = quick();
    policy.max_attempts = 3;
    Deliverer contacts("http://127.0.0.1:" + std::to_string(port), built_in_connector("hubspot"), "contacts",
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
        keys[request.body].insert(request.idempotency_key);
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
              } else if (request.authorization != "Bearer t" + std::to_string(tokens) || uses_left-- <= 0) {
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
        : Deliverer(api.destination.url(),
                    Connector::parse(R"({"manifest": 1, "name": "tokens", "title": "Tokens", "base_url": "https://x",
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

BOOST_AUTO_TEST_SUITE(ends)

BOOST_AUTO_TEST_CASE(a_stop_ends_all) {
    ScriptedDestination hubspot([](const Received &, auto &connection) {
        connection.answer(429, R"({"policyName": "DAILY", "message": "enough for today"})");
    });
    Policy policy = quick();
    policy.max_in_flight = 2;
    Contacts contacts(hubspot, OperationKind::upsert, policy);
    const std::string words = contacts.fault(emails(20), Fault::stopped, 1);
    BOOST_TEST(contains(words, "enough for today (HTTP status 429)"), words);
    BOOST_TEST(hubspot.received().size() <= 2u);
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_does_not_exist) {
    ScriptedDestination hubspot([](const Received &, auto &connection) { connection.answer(404, "<html>"); });
    Contacts contacts(hubspot);
    const std::string words = contacts.fault(emails(2), Fault::not_found);
    BOOST_TEST(contains(words, "HTTP status 404"), words);
    BOOST_TEST(contains(words, "base_url"), words);
    BOOST_TEST(hubspot.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_cancelled_leaves_a_transport_that_works) {
    struct Cancelled {};
    struct CancellingWaiter : PollWaiter {
        explicit CancellingWaiter(const LoopbackServer &server) : server(server) {}
        bool wait(int fd, long timeout_ms) override {
            if (server.requests() == 3)
                throw Cancelled();
            return PollWaiter::wait(fd, std::min(timeout_ms, 20L));
        }
        const LoopbackServer &server;
    };
    std::atomic<bool> stall = true;
    LoopbackServer server([&](const auto &, auto &connection) {
        if (stall)
            connection.stall();
        else
            connection.answer(201, "{}");
    });
    const Connector connector = small_connector(R"({"create": {"request": "POST /", "body": {"$columns": "all"}}})");
    Line line(connector, "things", OperationKind::create, {"name"}, "", with_url({}, server.url("")));
    struct Sink : OutcomeSink {
        void accepted(std::uint64_t, const std::string &) override { ++count; }
        void rejected(std::uint64_t, const std::string &, long) override {}
        void absent(std::uint64_t) override {}
        int count = 0;
    } sink;
    const auto deliver = [&](Waiter &waiter) {
        Dispatcher dispatcher(line.bound.operation, line.transport, waiter, line.limiter, line.authenticator,
                              line.policy);
        Delivery delivery(line.bound.operation, dispatcher, sink, false, 3);
        std::vector<Batch> batches;
        for (std::uint64_t number : {1, 2, 3}) {
            batches.emplace_back(line.bound.operation.frame());
            add_row(batches.back(), line.bound.operation, number, {{"x"}});
        }
        delivery.deliver(std::move(batches));
    };
    CancellingWaiter cancelling(server);
    BOOST_CHECK_THROW(deliver(cancelling), Cancelled);
    BOOST_TEST(sink.count == 0);
    stall = false;
    deliver(line.waiter);
    BOOST_TEST(sink.count == 3);
}

BOOST_AUTO_TEST_SUITE_END()
