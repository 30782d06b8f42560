#include "engine/sources/statement_run.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// Polled, cancelled, and read by numbered pages of which the first comes with the state.
const std::string polled = R"({
    "submit": { "request": "POST /run", "query": { "id": "{statement.id}" },
                "body": { "sql": "{statement.sql}", "seconds": { "$number": "{statement.seconds}" }, "tag": "{statement.tag}", "where": "{statement.schema}",
                          "values": { "$parameters": { "name": "{parameter.number}", "value": { "type": "{parameter.type}", "value": "{parameter.value}" } } } } },
    "keep": { "handle": "/handle" },
    "done_when": { "/rows": { "exists": true } }, "failed_when": { "/state": "failed" }, "reason": "/why",
    "poll": { "request": "GET /run/{statement.handle}", "every": { "milliseconds": 1, "up_to": 5 } },
    "cancel": { "request": "POST /run/{statement.handle}/cancel" },
    "result": { "request": "GET /run/{statement.handle}", "query": { "page": "{statement.page}" }, "inline": true,
                "columns": "/columns", "types": [{ "when": { "/type": "day" }, "type": "date", "cell": "days" }, { "type": "text" }],
                "rows": "/rows", "next": { "number": "/pages" } },
    "facts": { "bytes": "/scanned" },
    "dialect": { "relation": "{object}", "parameters": { "types": { "text": "TEXT" } } } })";

/// One answer is all.
const std::string at_once = R"({
    "submit": { "request": "POST /run", "body": [{ "id": "{statement.id}", "sql": "{statement.sql}" }] },
    "result": { "request": "GET /more", "query": { "token": "{statement.page}" }, "inline": true, "columns": "/columns", "types": [{ "type": "text" }],
                "rows": "/rows", "cells": "/f", "cell": ["/v", "/w"], "skip": 1, "next": { "cursor": "/token" } },
    "dialect": { "relation": "{object}" } })";

/// Pages come while it runs, by addresses.
const std::string while_it_runs = R"({
    "submit": { "request": "POST /run", "format": "text", "body": "{statement.sql}",
                "headers": { "X-Id": "{statement.id}", "X-Tag": "{statement.tag}" }, "query": { "$parameters": { "name": "p{parameter.number}", "value": "{parameter.value}" } } },
    "keep": { "handle": "/id" }, "failed_when": { "/error": { "exists": true } }, "reason": "/error",
    "cancel": { "request": "DELETE /query/{statement.handle}" },
    "result": { "request": "GET /run", "inline": true, "columns": "/columns", "types": [{ "type": "text" }], "rows": "/data",
                "next": { "url": ["/nextUri", "/next"] }, "while_running": { "milliseconds": 1, "up_to": 4 } },
    "facts": { "bytes": "/scanned" },
    "dialect": { "relation": "{object}" } })";

/// Rows are where a page says.
const std::string by_links = R"({
    "submit": { "request": "POST /run", "body": { "id": "{statement.id}", "sql": "{statement.sql}", "more": { "$given": "" } } },
    "result": { "request": "GET /chunk/{statement.page}", "inline": true, "columns": "/columns", "types": [{ "type": "text" }], "rows": "/rows",
                "link": { "at": "/link", "headers": "/headers", "hosts": ["*.storage.example"] }, "next": { "cursor": "/next" } },
    "dialect": { "relation": "{object}" } })";

Connector connector(const std::string &statement) {
    return Connector::parse(R"({"manifest": 1, "name": "house", "title": "House", "base_url": "http://localhost",
        "auth": {"kind": "bearer", "token": "{token}"}, "credentials": {"token": {"description": "the token"}}, "reason": "/message",
        "statement": )" + statement +
                            R"(, "objects": {"*": {}}})");
}

struct Reading {
    Reading(const ScriptedDestination &destination, const std::string &statement, SqlText sql = {"SELECT 1", {}},
            std::chrono::seconds longest = std::chrono::seconds(7), Milliseconds of_request = Milliseconds(0))
        : source(*connector(statement).statement(at(destination.url()))), policy(quick_within(of_request)),
          authenticator(source.object.auth, {{"token", "secret"}}), line{transport, waiter, limiter, policy},
          run(source, authenticator, line, std::move(sql), {"the schema", "the tag", longest}) {}

    static Policy quick_within(Milliseconds timeout) {
        Policy policy = quick();
        if (timeout > Milliseconds(0)) {
            policy.timeout = timeout;
            policy.max_attempts = 1;
        }
        return policy;
    }

    /// All rows, with blanks between their cells.
    std::string rows() {
        std::string all;
        for (ResultPage page; run.next_page(page);)
            for (std::size_t row = 0; row < page.rows(); row++) {
                all += all.empty() ? "" : ", ";
                for (std::size_t i = 0; i < run.columns().size(); i++)
                    all += (i == 0 ? "" : " ") + std::string(page.cell(row, i) == nullptr ? "NULL" : page.cell(row, i));
            }
        return all;
    }

    std::string fault() {
        try {
            return "read " + rows();
        } catch (const DestinationError &error) {
            return std::string(error.what()).substr(source.object.base_url.size()) + " | " + error.detail;
        }
    }

    const ConnectorStatement source;
    const Policy policy;
    PollWaiter waiter;
    RateLimiter limiter;
    Authenticator authenticator;
    CurlTransport transport;
    const AccountLine line;
    StatementRun run;
};

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

BOOST_AUTO_TEST_CASE(an_answer_may_be_all) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        connection.answer(
            200,
            request.method == "POST"
                ? R"({"columns": [{"name": "a"}], "token": "t", "rows": [{"f": [{"v": "head"}]}, {"f": [{"w": 12345678901234567890123}]}]})"
                : R"({"rows": [{"f": [{"v": null}]}, {"f": [{}]}]})");
    });
    Reading reading(destination, at_once);
    BOOST_TEST(reading.rows() == "12345678901234567890123, NULL, NULL");
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

BOOST_AUTO_TEST_CASE(pages_end_whatever_answers_say) {
    const ScriptedDestination destination([](const Received &, auto &connection) {
        connection.answer(200, R"({"columns": [{"name": "a"}], "token": "again", "rows": []})");
    });
    BOOST_TEST(Reading(destination, at_once).fault().find("one that was read before") != std::string::npos);
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

BOOST_AUTO_TEST_CASE(pages_may_come_while_it_runs) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.method == "POST")
            connection.answer(200, R"({"id": "q1", "nextUri": "/run/1"})");
        else if (request.target == "/run/1")
            connection.answer(200, R"({"id": "q1", "nextUri": "/run/2", "scanned": 7})");
        else if (request.target == "/run/2")
            connection.answer(200, R"({"nextUri": "/run/3", "columns": [{"name": "a"}]})");
        else if (request.target == "/run/3")
            connection.answer(200, R"({"next": "/run/4", "columns": [{"name": "a"}], "data": [["x"]], "scanned": 9})");
        else
            connection.answer(200, R"({"columns": [{"name": "a"}], "data": [["y"], [null]]})");
    });
    Reading reading(destination, while_it_runs, {"SELECT '{{x}}'", {{"TEXT", "{y}"}}});
    BOOST_TEST(reading.rows() == "x, y, NULL");
    const std::vector<Received> all = destination.received();
    BOOST_TEST(all.size() == 5);
    BOOST_TEST(all[0].body == "SELECT '{{x}}'");
    BOOST_TEST(all[0].target == "/run?p1=%7By%7D");
    BOOST_TEST(all[0].all_of("x-tag") == "the tag");
    BOOST_TEST(all[0].all_of("content-type") == "text/plain; charset=utf-8");
    BOOST_TEST(reading.run.progress().id == "q1");
    BOOST_TEST(reading.run.progress().source_bytes == 9);
    BOOST_TEST(!reading.run.may_be_running());
}

BOOST_AUTO_TEST_CASE(a_page_may_say_that_it_failed) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        connection.answer(200, request.method == "POST" ? R"({"id": "q1", "nextUri": "/run/1"})"
                                                        : R"({"id": "q1", "error": "no memory"})");
    });
    BOOST_TEST(Reading(destination, while_it_runs).fault() == ": no memory | Statement q1.");
}

BOOST_AUTO_TEST_CASE(what_runs_while_it_is_read_is_cancelled) {
    for (const char *next : {"/run/2", "http://elsewhere.example/run/2"}) {
        const ScriptedDestination destination([next](const Received &request, auto &connection) {
            if (request.method == "DELETE")
                connection.answer(204, "");
            else
                connection.answer(
                    200, std::string(R"({"id": "q1", "columns": [{"name": "a"}], "data": [["x"]], "nextUri": ")") +
                             (request.method == "POST" ? "/run/1" : next) + "\"}");
        });
        Reading reading(destination, while_it_runs);
        ResultPage page;
        // The page behind it may be there before it is asked for.
        try {
            while (reading.run.next_page(page) && destination.count("/run/2") == 0)
                ;
        } catch (const DestinationError &error) {
            const std::string said = error.what();
            BOOST_TEST((said.ends_with("said to be elsewhere") || said.ends_with("one that was read before")), said);
        }
        BOOST_TEST(reading.run.may_be_running());
        reading.run.abandon(std::chrono::seconds(5));
        BOOST_TEST(destination.count("/query/q1") == 1);
    }
}

BOOST_AUTO_TEST_CASE(rows_may_be_where_a_page_says) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.method == "POST")
            connection.answer(200, R"({"columns": [{"name": "a"}], "link": ")"
                                   "http://" +
                                       request.all_of("host") +
                                       R"(/stored?key=1", "headers": {"X-Key": "{k}"}, "next": 1})");
        else if (request.target == "/stored?key=1")
            connection.answer(200, R"([["x"], [null]])");
        else if (request.target == "/chunk/1")
            connection.answer(200, R"({"rows": [["y"]], "next": 2})");
        else
            connection.answer(200, R"({})");
    });
    Reading reading(destination, by_links);
    BOOST_TEST(reading.rows() == "x, NULL, y");
    const std::vector<Received> all = destination.received();
    BOOST_TEST(all.size() == 4);
    BOOST_TEST(Json::parse(all[0].body).size() == 2);
    BOOST_TEST(all[0].all_of("authorization") == "Bearer secret");
    BOOST_TEST(all[1].all_of("x-key") == "{k}");
    BOOST_TEST(!all[1].has("authorization"));
}

BOOST_AUTO_TEST_CASE(rows_are_fetched_from_no_other_host) {
    for (const char *link : {"http://evil.example/x", "https://storage.example/x", "https://a.storage.example.evil/x",
                             "ftp://a.storage.example/x", "x", "https://user@a.storage.example/x"}) {
        const ScriptedDestination destination([link](const Received &, auto &connection) {
            connection.answer(200, R"({"columns": [{"name": "a"}], "link": ")" + std::string(link) + "\"}");
        });
        BOOST_TEST(Reading(destination, by_links).fault().find("at a host that the connector does not allow") !=
                       std::string::npos,
                   link);
        BOOST_TEST(destination.received().size() == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_link_that_has_ended_is_a_fault_that_does_not_tell_it) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.method == "POST")
            connection.answer(200, R"({"columns": [{"name": "a"}], "link": ")"
                                   "http://" +
                                       request.all_of("host") + R"(/stored?key=1"})");
        else
            connection.answer(403, "<Code>AccessDenied</Code>");
    });
    const std::string fault = Reading(destination, by_links).fault();
    BOOST_TEST(fault.find("AccessDenied") != std::string::npos, fault);
    BOOST_TEST(fault.find("key=1") == std::string::npos, fault);
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
