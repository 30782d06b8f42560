#include "delivery_fixture.h"

#include <boost/test/unit_test.hpp>

#include <atomic>

using namespace reverse_etl;
using std::chrono::milliseconds;
using std::chrono::seconds;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

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
    BOOST_TEST(hubspot.received()[0].authorization() == "Bearer pat");
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
        Deliverer gone(people.url(), small_connector(operation), "things", OperationKind::remove, {}, "id");
        gone.deliver({{"1"}, {""}, {"2,3"}, {".."}, {"4"}});
        BOOST_TEST(gone.outcomes[1] == "accepted");
        BOOST_TEST(gone.outcomes[2].starts_with("rejected: "));
        BOOST_TEST(gone.outcomes[3].starts_with("rejected: ")); // it would name two others
        BOOST_TEST(gone.outcomes[4].starts_with("rejected: "));
        BOOST_TEST(gone.outcomes[5] == "accepted");
    }
    BOOST_TEST(people.count("/v1/1%2C4") == 1u);
    BOOST_TEST(people.count("/v1/") == 1u);
}

BOOST_AUTO_TEST_CASE(where_a_parameter_is_repeated_a_comma_joins_nothing) {
    ScriptedDestination people([](const Received &, auto &connection) { connection.answer(204, ""); });
    Deliverer gone(
        people.url(),
        small_connector(R"({"delete": {"request": "DELETE /v1", "query": {"ids": ["{keys}"]}, "rows": 10}})"), "things",
        OperationKind::remove, {}, "id");
    gone.deliver({{"1"}, {"2,3"}, {""}});
    BOOST_TEST(gone.outcomes[1] == "accepted");
    BOOST_TEST(gone.outcomes[2] == "accepted");
    BOOST_TEST(gone.outcomes[3].starts_with("rejected: "));
    BOOST_TEST(people.count("/v1?ids=1&ids=2%2C3") == 1u);
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

/// As of amplitude and mixpanel: 400, and only the rows at fault are named; by their places in the request.
BOOST_AUTO_TEST_CASE(an_error_that_tells_of_rows) {
    ScriptedDestination endpoint([](const Received &request, auto &connection) {
        Json failed = Json::array();
        const Json rows = Json::parse(request.body);
        for (std::size_t i = 0; i < rows.size(); i++)
            if (contains(rows[i].dump(), "bad"))
                failed.push_back(i);
        if (rows.size() == 1 && contains(request.body, "bad9"))
            connection.answer(400, R"({"message": "nothing can be read"})"); // names no row
        else if (failed.empty())
            connection.answer(200, "{}");
        else
            connection.answer(400, Json{{"invalid", {{"age", failed}}}}.dump());
    });
    const std::string operation = R"({"request": "POST /", "rows": 100, "body": {"$rows": {"$columns": "all"}},
        "errors": [{"status": 400, "then": "outcome"}],
        "outcome": [{"map": "/invalid", "is": "rejected", "row": {"index": ""}, "reason": {"text": "{entry.name} is bad"}},
                    {"others": "accepted"}]})";
    const Connector connector = small_connector(R"({"create": )" + operation + "}", R"("reason": "/message", )");
    Deliverer things(endpoint.url(), connector, "things", OperationKind::create, {"email"}, "");
    things.deliver(emails(8, {2, 6}));
    BOOST_TEST(things.count("accepted") == 6u);
    BOOST_TEST(things.outcomes[2] == "rejected: age is bad (400)");
    BOOST_TEST(things.outcomes[6] == "rejected: age is bad (400)");
    BOOST_TEST(endpoint.received().size() == 1u);
    Deliverer refused(endpoint.url(), connector, "things", OperationKind::create, {"email"}, "");
    refused.deliver({{"bad9"}});
    BOOST_TEST(refused.outcomes[1] == "rejected: nothing can be read (400)");
}

/// An API that says which rows it changed, and skips those that it does not have.
BOOST_AUTO_TEST_CASE(rows_that_the_answer_leaves_out_are_not_there) {
    std::string answer;
    int status = 200;
    ScriptedDestination endpoint([&](const Received &, auto &connection) { connection.answer(status, answer); });
    const Connector connector = small_connector(R"({"delete": {"request": "POST /delete", "rows": 10,
        "body": {"ids": {"$rows": "{key}"}}, "errors": [{"status": 400, "then": "outcome"}],
        "outcome": [{"each": "/data", "is": "accepted", "row": {"key": "/id"}}, {"others": "absent"}]}})");
    const auto outcomes = [&](const std::string &data) {
        answer = data;
        Deliverer gone(endpoint.url(), connector, "things", OperationKind::remove, {}, "id");
        gone.deliver({{"1"}, {"2"}, {"3"}});
        return gone.outcomes[1] + ", " + gone.outcomes[2] + ", " + gone.outcomes[3];
    };
    BOOST_TEST(outcomes(R"({"data": [{"id": "3"}, {"id": "1"}]})") == "accepted, absent, accepted");
    BOOST_TEST(outcomes(R"({"data": []})") == "absent, absent, absent");
    // Whose entry it is nobody knows, so nobody knows who is left out either.
    BOOST_TEST(
        contains(outcomes(R"({"data": [{"id": "6"}, {"id": "7"}, {"id": "8"}, {"id": "9"}]})"), "outcome unknown"));
    BOOST_TEST(contains(outcomes(R"({"data": "many"})"), "outcome unknown"));
    BOOST_TEST(!contains(outcomes(R"({"data": ["1"]})"), "absent"));
    status = 400;
    BOOST_TEST(!contains(outcomes("{}"), "absent"));
}

BOOST_AUTO_TEST_CASE(an_entry_that_may_have_been_done) {
    int asked = 0;
    ScriptedDestination endpoint([&](const Received &request, auto &connection) {
        Json items = Json::array();
        for (const Json &row : Json::parse(request.body))
            items.push_back({{"status", contains(row.dump(), "bad") && asked == 0 ? 503 : 201}});
        asked++;
        connection.answer(200, Json{{"items", items}}.dump());
    });
    const std::string operation = R"({"request": "POST /", "rows": 100, "body": {"$rows": {"$columns": "all"}},
        "outcome": {"each": "/items", "row": "position", "entries": [
            {"when": {"/status": {"below": 300}}, "then": "accept"},
            {"when": {"/status": 503}, "then": "retry", "reason": {"text": "no shard"}}, {"then": "reject"}]}})";
    const Connector connector = small_connector(R"({"upsert": )" + operation + R"(, "create": )" + operation + "}");
    Deliverer again(endpoint.url(), connector, "things", OperationKind::upsert, {"email"}, "email");
    again.deliver(emails(3, {2}));
    BOOST_TEST(again.count("accepted") == 3u);
    BOOST_TEST(endpoint.received().size() == 2u);
    asked = 0;
    Deliverer once(endpoint.url(), connector, "things", OperationKind::create, {"email"}, "");
    once.deliver(emails(3, {2}));
    BOOST_TEST(once.outcomes[2] == "rejected: outcome unknown, the destination may have the row: no shard (200)");
    BOOST_TEST(endpoint.received().size() == 3u);
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
