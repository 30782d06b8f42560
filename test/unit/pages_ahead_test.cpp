#include "engine/sources/pages_ahead.h"

#include "statement_fixture.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

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

/// A result of 30 pages, of which each but the first is so many blanks long.
ScriptedDestination::Script pages_of(std::size_t blanks) {
    return [=](const Received &request, LoopbackServer::Connection &connection) {
        const std::size_t at = request.target.find("page=");
        std::string page = R"({"handle": "h1", "columns": [{"name": "A", "type": "x"}], "rows": [["0"]], "pages": [0)";
        for (int i = 1; i < 30; i++)
            page += ", 0";
        connection.answer(200, at == std::string::npos ? page + "]}"
                                                       : R"({"rows": [[")" + request.target.substr(at + 5) + R"("]]})" +
                                                             std::string(blanks, ' '));
    };
}

/// Pages that were asked for when the second is not.
std::size_t asked_for_ahead(std::size_t blanks) {
    const ScriptedDestination destination(pages_of(blanks));
    Reading reading(destination, polled);
    ResultPage page;
    reading.run.next_page(page);
    const Clock::time_point until = Clock::now() + Milliseconds(300);
    while (Clock::now() < until)
        reading.run.go_on();
    return destination.received().size() - 1;
}

} // namespace

BOOST_AUTO_TEST_CASE(numbered_pages_come_in_order_and_ahead) {
    const ScriptedDestination destination(pages_of(0));
    std::string expected = "0";
    for (int i = 1; i < 30; i++)
        expected += ", " + std::to_string(i);
    BOOST_TEST(Reading(destination, polled).rows() == expected);
    BOOST_TEST(asked_for_ahead(0) == quick().max_in_flight);
}

BOOST_AUTO_TEST_CASE(what_is_read_ahead_is_bounded) {
    // The first page is small, and says nothing of the others.
    const std::size_t large = PagesAhead::most_bytes / 2;
    std::atomic<std::size_t> asked = 0; // the destination cannot be asked while it answers
    const auto pages = pages_of(large);
    const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
        asked++;
        pages(request, connection);
    });
    Reading reading(destination, polled);
    ResultPage page;
    for (std::size_t read = 1; read <= 8; read++) {
        reading.run.next_page(page);
        const Clock::time_point until = Clock::now() + Milliseconds(50);
        while (Clock::now() < until)
            reading.run.go_on();
        BOOST_TEST(asked.load() <= read + 2);
    }
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

BOOST_AUTO_TEST_CASE(pages_end_whatever_answers_say) {
    const ScriptedDestination destination([](const Received &, auto &connection) {
        connection.answer(200, R"({"columns": [{"name": "a"}], "token": "again", "rows": []})");
    });
    BOOST_TEST(Reading(destination, at_once).fault().find("one that was read before") != std::string::npos);
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
    const auto stored =
        std::find_if(all.begin(), all.end(), [](const Received &one) { return one.target == "/stored?key=1"; });
    BOOST_TEST(stored->all_of("x-key") == "{k}");
    BOOST_TEST(!stored->has("authorization"));
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

BOOST_AUTO_TEST_CASE(the_next_page_is_asked_for_while_rows_are_fetched) {
    std::atomic<bool> is_asked_for = false;
    // It answers several at once, unlike a scripted destination.
    const LoopbackServer server([&](const Received &request, LoopbackServer::Connection &connection) {
        const std::string link = R"("link": "http://)" + request.all_of("host") + "/stored/";
        if (request.method == "POST") {
            connection.answer(200, R"({"columns": [{"name": "a"}], )" + link + R"(1", "next": 1})");
        } else if (request.target == "/chunk/1") {
            is_asked_for = true;
            connection.answer(200, "{" + link + R"(2"})");
        } else if (request.target == "/stored/2") {
            connection.answer(200, R"([["y"]])");
        } else {
            for (int i = 0; i < 500 && !is_asked_for; i++)
                std::this_thread::sleep_for(Milliseconds(10));
            connection.answer(200, is_asked_for ? R"([["x"]])" : R"([["alone"]])");
        }
    });
    BOOST_TEST(Reading(server.url(""), by_links).rows() == "x, y");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_ahead_is_told_when_it_is_its_turn) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.target.find("page=3") != std::string::npos)
            connection.answer(422, R"({"message": "gone"})");
        else
            pages_of(0)(request, connection);
    });
    Reading reading(destination, polled);
    ResultPage page;
    for (int read = 0; read < 3; read++) {
        BOOST_TEST(reading.run.next_page(page));
        const Clock::time_point until = Clock::now() + Milliseconds(50);
        while (Clock::now() < until)
            reading.run.go_on();
        BOOST_TEST(page.cell(0, 0) == std::to_string(read));
    }
    BOOST_TEST(reading.fault() == ": gone | Statement h1.");
    BOOST_TEST(!reading.run.next_page(page));
}

BOOST_AUTO_TEST_CASE(the_first_page_may_have_a_request_of_its_own) {
    const std::string apart = R"({
        "submit": { "request": "POST /run", "body": ["{statement.id}", "{statement.sql}"] }, "keep": { "handle": "/id" },
        "result": { "request": "GET /rows", "query": { "id": "{statement.handle}", "page": "{statement.page}" }, "columns": "/columns", "types": [{ "type": "text" }],
                    "rows": "/rows", "skip": 1, "next": { "cursor": "/next" } }, "dialect": { "relation": "{object}" } })";
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.method == "POST")
            connection.answer(200, R"({"id": "h1"})");
        else if (request.target == "/rows?id=h1")
            connection.answer(200, R"({"columns": [{"name": "a"}], "rows": [["a"], ["x"]], "next": "2"})");
        else
            connection.answer(200, R"({"columns": [{"name": "a"}], "rows": [["y"], ["z"]]})");
    });
    Reading reading(destination, apart);
    BOOST_TEST(reading.rows() == "x, y, z");
    BOOST_TEST(destination.received().back().target == "/rows?id=h1&page=2");
}
