#include "statement_fixture.h"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const std::string first_page =
    R"({"handle": "h/1", "scanned": "123", "pages": [1, 2, 3], "columns": [{"name": "A", "type": "day"}, {"name": "B", "type": "x"}], "rows": [["0", "x"], [null, ""]]})";

} // namespace

BOOST_AUTO_TEST_CASE(a_statement_is_sent_polled_and_read_page_by_page) {
    int polls = 0;
    const ScriptedDestination destination([&](const Received &request, auto &connection) {
        if (request.method == "POST")
            connection.answer(202, R"({"handle": "h/1"})");
        else if (request.target.find("page=") == std::string::npos)
            connection.answer(polls < 2 ? 202 : 200, polls < 2 ? R"({"handle": "h/1"})" : first_page), polls++;
        else
            connection.answer(200, request.target.ends_with("=1") ? R"({"rows": [["-1", "y"]]})" : R"({"rows": []})");
    });
    Reading reading(destination, polled, {"SELECT \"{x}\" = ?", {{"TEXT", "it's {y}"}}});
    BOOST_TEST(reading.rows() == "1970-01-01 x, NULL , 1969-12-31 y");
    const std::vector<Received> all = destination.received();
    BOOST_TEST(all.size() == 6);
    BOOST_TEST(Json::parse(all[0].body) ==
               Json::parse(R"({"sql": "SELECT \"{x}\" = ?", "seconds": 7, "tag": "the tag", "where": "the schema",
                               "values": {"1": {"type": "TEXT", "value": "it's {y}"}}})"));
    BOOST_TEST(all[1].target == "/run/h%2F1");
    BOOST_TEST(all[4].target == "/run/h%2F1?page=1");
    BOOST_TEST(reading.run.progress().id == "h/1");
    BOOST_TEST(reading.run.progress().rows == 3);
    BOOST_TEST(reading.run.progress().source_bytes == 123);
    BOOST_TEST(!reading.run.may_be_running());
}

BOOST_AUTO_TEST_CASE(what_is_sent_again_has_the_same_id) {
    int attempts = 0;
    const ScriptedDestination destination([&](const Received &, auto &connection) {
        if (attempts++ == 0)
            connection.reset();
        else
            connection.answer(attempts == 2 ? 503 : 200, first_page);
    });
    Reading reading(destination, polled);
    ResultPage page;
    BOOST_TEST(reading.run.next_page(page));
    const std::vector<Received> all = destination.received();
    BOOST_TEST(all[0].target == all[2].target);
    BOOST_TEST(all[0].target.size() == std::string("/run?id=").size() + 36);
}

BOOST_AUTO_TEST_CASE(faults_name_the_statement) {
    const auto fault = [](int status, const std::string &body, const std::string &later = "{}") {
        int requests = 0;
        const ScriptedDestination destination([&](const Received &, auto &connection) {
            const bool is_first = requests++ == 0;
            connection.answer(is_first ? status : 200, is_first ? body : later);
        });
        return Reading(destination, polled).fault();
    };
    BOOST_TEST(fault(202, R"({"handle": "h1"})", R"({"state": "failed", "why": "no such table"})") ==
               ": no such table | Statement h1.");
    BOOST_TEST(fault(422, R"({"message": "syntax", "handle": "h2"})") == ": syntax | Statement h2.");
    BOOST_TEST(fault(202, "{}").starts_with(": the answer does not name the statement | Statement "));
    BOOST_TEST(fault(422, R"({"message": "syntax"})").starts_with(": syntax | Statement "));
    BOOST_TEST(fault(200, R"({"handle": "h1", "rows": [["1"]], "columns": [{"type": "x"}, {"type": "x"}]})")
                   .ends_with("a row has fewer cells than the result has columns | Statement h1."));
    BOOST_TEST(fault(200, R"({"handle": "h1", "rows": [["1", "2"]], "columns": [{"type": "x"}]})")
                   .ends_with("a row has more cells than the result has columns | Statement h1."));
    BOOST_TEST(fault(200, R"({"handle": "h1", "rows": []})").find("does not describe the columns") !=
               std::string::npos);
    BOOST_TEST(fault(200, R"({"handle": "h1", "rows": 5, "columns": [{}]})").find("its rows are no array") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_abandoned_is_cancelled_there) {
    const ScriptedDestination destination(
        [](const Received &, auto &connection) { connection.answer(202, R"({"handle": "h1"})"); });
    Reading reading(destination, polled);
    while (destination.count("/run/h1") == 0)
        reading.run.go_on();
    BOOST_TEST(reading.run.may_be_running());
    reading.run.abandon(std::chrono::seconds(5));
    BOOST_TEST(destination.count("/run/h1/cancel") == 1);
    BOOST_TEST(!reading.run.may_be_running());
    reading.run.abandon(std::chrono::seconds(5));
    BOOST_TEST(destination.count("/run/h1/cancel") == 1);
}

BOOST_AUTO_TEST_CASE(a_statement_whose_name_is_not_known_yet_is_waited_for) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.target.starts_with("/run?"))
            std::this_thread::sleep_for(Milliseconds(200));
        connection.answer(202, R"({"handle": "h1"})");
    });
    Reading reading(destination, polled);
    while (destination.count("/run?") == 0)
        reading.run.go_on();
    reading.run.abandon(std::chrono::seconds(5));
    BOOST_TEST(destination.count("/run/h1/cancel") == 1);
}

BOOST_AUTO_TEST_CASE(nothing_is_waited_for_longer_than_said) {
    std::atomic<bool> came = false;
    const ScriptedDestination destination([&](const Received &, auto &connection) {
        came = true;
        connection.stall();
    });
    Reading reading(destination, polled);
    while (!came)
        reading.run.go_on();
    const Clock::time_point begin = Clock::now();
    reading.run.abandon(Milliseconds(100));
    BOOST_TEST((Clock::now() - begin < std::chrono::seconds(3)));
}

BOOST_AUTO_TEST_CASE(an_answer_may_come_when_it_is_done) {
    const std::string waits = R"({
        "submit": { "request": "POST /run", "body": ["{statement.id}", "{statement.sql}"], "answers": "when_done" },
        "result": { "columns": "/columns", "types": [{ "type": "text" }], "rows": "/rows" }, "dialect": { "relation": "{object}" } })";
    const ScriptedDestination destination([](const Received &, auto &connection) {
        std::this_thread::sleep_for(Milliseconds(400));
        connection.answer(200, R"({"columns": [{"name": "a"}], "rows": [["x"]]})");
    });
    BOOST_TEST(Reading(destination, waits, {"SELECT 1", {}}, std::chrono::seconds(7), Milliseconds(100)).rows() == "x");
    BOOST_TEST(Reading(destination, waits, {"SELECT 1", {}}, std::chrono::seconds(-5), Milliseconds(100)).fault() !=
               "read x");
}

BOOST_AUTO_TEST_CASE(what_nobody_can_look_at_any_more_is_cancelled) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        const bool is_poll = request.method == "GET";
        connection.answer(is_poll ? 401 : 202, is_poll ? R"({"message": "no"})" : R"({"handle": "h1"})");
    });
    Reading reading(destination, polled);
    BOOST_TEST(reading.fault().find("Statement h1") != std::string::npos);
    BOOST_TEST(reading.run.may_be_running());
    ResultPage page;
    BOOST_TEST(!reading.run.next_page(page));
    reading.run.abandon(std::chrono::seconds(5));
    BOOST_TEST(destination.count("/run/h1/cancel") == 1);
    BOOST_TEST(!reading.run.may_be_running());
}

BOOST_AUTO_TEST_CASE(what_no_source_ends_is_ended_here) {
    const ScriptedDestination destination(
        [](const Received &, auto &connection) { connection.answer(202, R"({"handle": "h1"})"); });
    // That much less than what is waited beyond it.
    Reading reading(destination, polled, {"SELECT 1", {}}, std::chrono::seconds(-4));
    BOOST_TEST(reading.fault() == ": the statement took longer than -4 s | Statement h1.");
    BOOST_TEST(reading.run.may_be_running());
    reading.run.abandon(std::chrono::seconds(5));
    BOOST_TEST(destination.count("/run/h1/cancel") == 1);
}

BOOST_AUTO_TEST_CASE(a_statement_of_another_process_is_cancelled) {
    const auto script = [](const Received &, auto &connection) { connection.answer(202, R"({"handle": "h1"})"); };
    const ScriptedDestination known(script);
    Reading taken(known, polled);
    taken.run.take_up({{"handle", "h7"}});
    BOOST_TEST(taken.run.cancel());
    BOOST_TEST(known.received().size() == 1);
    BOOST_TEST(known.count("/run/h7/cancel") == 1);

    // Where its name is not known, the source is asked for it; unless that would begin another one.
    const ScriptedDestination unknown(script);
    Reading asked(unknown, polled);
    asked.run.take_up({{"handle", ""}});
    BOOST_TEST(asked.run.cancel());
    BOOST_TEST(unknown.received().front().target.starts_with("/run?id="));
    BOOST_TEST(unknown.count("/run/h1/cancel") == 1);
    const ScriptedDestination blind(script);
    std::string begins_another = polled;
    begins_another.insert(begins_another.find(R"("request": "POST /run",)"), R"("repeated": "begins_another", )");
    BOOST_TEST(!Reading(blind, begins_another).run.cancel());
    BOOST_TEST(blind.received().empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_may_say_nothing_of_the_statement) {
    std::string refusing = polled;
    const std::string poll = R"("poll": { "request": "GET /run/{statement.handle}",)";
    refusing.insert(refusing.find(poll) + poll.size(), R"( "errors": [{ "status": [403, 404], "then": "reject" }],)");
    for (const auto &[status, is_in_doubt] : {std::pair(403, true), std::pair(404, false)}) {
        const ScriptedDestination destination([status = status](const Received &request, auto &connection) {
            connection.answer(request.method == "GET" ? status : 202, R"({"handle": "h1", "message": "no"})");
        });
        Reading reading(destination, refusing);
        BOOST_TEST(reading.fault() == ": no | Statement h1.");
        BOOST_TEST(reading.run.is_in_doubt() == is_in_doubt);
        BOOST_TEST(reading.run.abandon(std::chrono::seconds(5)));
        BOOST_TEST(destination.count("/run/h1/cancel") == (is_in_doubt ? 1 : 0));
    }
}
