#include "bulk_job_fixture.h"

#include "engine/http/url_reference.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace reverse_etl;
using namespace reverse_etl::of_jobs;

BOOST_AUTO_TEST_CASE(rows_are_added_in_parts_and_what_became_of_them_is_read) {
    Queue queue(opened + R"(, "add": {"request": "POST /rows/{job.id}", "rows": 2, )" + rows_of_body + "}, " + closed);
    queue.transport.answers = api();
    queue.add(1, 3);
    queue.turns();
    BOOST_TEST(queue.lines() ==
               "POST/jobs POST/rows/j%2F1%7B POST/rows/j%2F1%7B PATCH/jobs/j%2F1%7B GET/jobs/j%2F1%7B ");
    BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}));
    BOOST_TEST(queue.notes.size() == 2U);
    BOOST_TEST(queue.notes.front() == "about to be");
    BOOST_TEST(queue.ended == 1);
}

BOOST_AUTO_TEST_CASE(so_many_rows_that_they_fill_several_jobs_leave_in_jobs) {
    for (const std::uint64_t rows : {4, 5}) {
        Queue queue(R"("from": 5, "rows": 2, )" + opened + R"(, "add": {"request": "POST /rows", )" + rows_of_body +
                        "}, " + closed,
                    "upsert", of_jobs::poll, "", R"("request": "POST /single", "rows": 10, )" + rows_of_body + ", ");
        queue.transport.answers =
            api({{"GET", {200, R"({"state": "done", "results": [{"ok": true}, {"ok": true}]})"}}});
        queue.add(1, rows);
        queue.turns();
        const std::string lines = queue.lines();
        const auto count = [&](const std::string &line) {
            std::size_t found = 0;
            for (std::size_t at = lines.find(line); at != lines.npos; at = lines.find(line, at + 1))
                found++;
            return found;
        };
        BOOST_TEST(count("POST/jobs ") == (rows == 5 ? 2u : 0u), lines);
        BOOST_TEST(count("POST/single ") == 1u, lines);
        BOOST_TEST(queue.outcomes.size() == rows);
        BOOST_TEST(std::ranges::all_of(queue.outcomes, [](const auto &one) { return one.second == "accepted"; }));
    }
}

BOOST_AUTO_TEST_CASE(an_upload_goes_elsewhere_without_credentials_and_only_where_it_may) {
    for (const std::string host : {"files.example.com", "*.example.com", "other.example.com"}) {
        Queue queue(opened + R"(, "upload": {"address": "{job.url}", "hosts": [")" + host + "\"], " + rows_of_body +
                    "}, " + closed);
        queue.transport.answers = api();
        queue.add(1, 3);
        queue.turns(10);
        const bool went =
            std::any_of(queue.transport.requests.begin(), queue.transport.requests.end(), [](const Seen &one) {
                return one.line == "PUT https://files.example.com/up?sig=1" && one.authorization.empty();
            });
        BOOST_TEST(went == (host != "other.example.com"));
        BOOST_TEST(queue.outcomes[1] == (went ? "accepted" : "again"));
    }
    for (const char *url :
         {"http://files.example.com/", "https://files.example.com.evil/", "https://evil/files.example.com",
          "https://me@files.example.com/", "https://evilexample.com/", "files.example.com", "file:///etc/passwd"})
        BOOST_TEST(!goes_to(url, {"files.example.com", "*.example.com"}, "https"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_noted_is_not_handed_over) {
    Queue queue(opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed);
    queue.transport.answers = api();
    queue.is_stored = false;
    queue.add(1, 3);
    queue.turns(10);
    BOOST_TEST(!contains(queue.lines(), "PATCH"));
    queue.is_stored = true;
    queue.turns();
    BOOST_TEST(queue.outcomes.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_job_is_taken_up_where_it_stood) {
    const std::string by_close = opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed;
    const std::string by_open = R"("open": {"request": "POST /jobs", "keep": {"id": "/id"}, )" + rows_of_body + "}";
    JobRecord record;
    record.number = 7;
    record.rows = {1, 2, 3};
    record.values = {{"id", "j"}};

    for (const bool refused : {false, true}) {
        Queue closing(by_close);
        closing.transport.answers =
            api(refused ? std::map<std::string, std::pair<long, std::string>>{{"PATCH", {400, "{}"}}}
                        : std::map<std::string, std::pair<long, std::string>>{});
        closing.take_up(record, {1, 2, 3});
        closing.turns();
        BOOST_TEST(closing.lines() == "PATCH/jobs/j GET/jobs/j ");
        BOOST_TEST((closing.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}));
        BOOST_TEST(closing.ended == 1);
    }
    Queue opening(by_open);
    opening.transport.answers = api();
    opening.take_up(record, {1, 2, 3});
    opening.turns(1);
    BOOST_TEST((opening.outcomes == Outcomes{{1, "again"}, {2, "again"}, {3, "again"}}));

    Queue creating(by_open, "create");
    creating.transport.answers = api();
    creating.take_up(record, {1, 2, 3});
    creating.turns(1);
    BOOST_TEST(creating.outcomes[1].starts_with("outcome unknown"));
    BOOST_TEST(creating.transport.requests.empty());

    record.submitted = true;
    Queue running(by_open);
    running.transport.answers = api();
    running.take_up(record, {2, 3}); // the first was removed by hand
    BOOST_TEST(running.queue.rows_in_jobs() == 2U);
    running.turns();
    BOOST_TEST(running.lines() == "GET/jobs/j ");
    BOOST_TEST((running.outcomes == Outcomes{{2, "bad"}, {3, "accepted"}}));
}

BOOST_AUTO_TEST_CASE(a_job_that_does_not_end_is_given_up) {
    Queue queue(opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed +
                R"(, "give_up_after": {"hours": 1})");
    queue.transport.answers = api({{"GET", {200, R"({"state": "running"})"}}});
    queue.add(1, 3);
    queue.turns(20);
    BOOST_TEST(queue.outcomes.empty());
    BOOST_TEST(queue.queue.rows_in_jobs() == 3U);
    queue.may_start = false; // somebody paused it: nothing is judged unasked
    queue.turns(1000);
    BOOST_TEST(queue.outcomes.empty());
    queue.may_start = true;
    queue.turns(20);
    BOOST_TEST(
        queue.outcomes[1].starts_with("outcome unknown, the destination may have the row: its job has not ended"));
}

BOOST_AUTO_TEST_CASE(a_job_that_fails_or_is_refused_rejects_its_rows) {
    const std::string job = opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed;
    Queue failing(job);
    failing.transport.answers = api({{"GET", {200, R"({"state": "failed", "why": "too late"})"}}});
    failing.add(1, 2);
    failing.turns();
    BOOST_TEST(failing.outcomes[1] == "the job failed: too late");

    Queue refused(job);
    refused.transport.answers = api({{"POST", {400, R"({"message": "no"})"}}});
    refused.add(1, 2);
    refused.turns();
    BOOST_TEST(refused.outcomes[1] == "the destination refused the job: no");

    Queue divided(job);
    divided.transport.answers = [](const Seen &seen) -> std::pair<long, std::string> {
        if (seen.line.starts_with("PUT") && contains(seen.body, "\"e2\""))
            return {422, R"({"message": "bad row"})"};
        if (seen.line.starts_with("GET"))
            return {200, R"({"state": "done", "results": [{"ok": true}]})"};
        return api()(seen);
    };
    divided.add(1, 3);
    divided.turns(200);
    BOOST_TEST((divided.outcomes ==
                Outcomes{{1, "accepted"}, {2, "the destination refused the job: bad row"}, {3, "accepted"}}));

    Queue nameless(job);
    nameless.transport.answers = api({{"POST", {200, "{}"}}});
    nameless.add(1, 1);
    nameless.turns(2);
    BOOST_TEST(nameless.outcomes[1] == "again");
}

BOOST_AUTO_TEST_CASE(a_create_that_may_be_in_a_job_is_unknown) {
    Queue queue(R"("open": {"request": "POST /jobs", "keep": {"id": "/id"}, )" + rows_of_body + "}", "create");
    queue.transport.answers = api({{"POST", {0, ""}}});
    queue.add(1, 2);
    queue.turns();
    BOOST_TEST(queue.outcomes[1].starts_with("outcome unknown"));
    BOOST_TEST(queue.transport.requests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(results_of_another_length_are_unknown) {
    Queue queue(opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed);
    queue.transport.answers = api();
    queue.add(1, 2);
    queue.turns();
    BOOST_TEST(queue.outcomes[1].starts_with("outcome unknown"));
    BOOST_TEST(queue.outcomes[2].starts_with("outcome unknown"));
}

/// Rows of which a page would have told that they failed are not taken for accepted.
BOOST_AUTO_TEST_CASE(results_that_cannot_go_on_settle_nothing) {
    for (const char *next : {R"({"id": 2})", "null", "true"}) {
        Queue queue(opened + R"(, "upload": {"request": "PUT /rows", )" + rows_of_body + "}, " + closed + R"(,
            "results": [{"request": "GET /failed/{job.id}", "query": {"at": "{cursor}"}, "format": "json",
                         "outcome": {"each": "/rows", "is": "rejected", "row": {"key": "/email"}, "reason": "/why"},
                         "next": {"cursor": "/next", "more_when": {"/more": true}}}], "others": "accepted")");
        std::string page = std::string(R"({"rows": [{"email": "e1", "why": "bad"}], "more": true, "next": )") + next;
        queue.transport.answers = [&](const Seen &seen) -> std::pair<long, std::string> {
            if (contains(seen.line, "/failed/"))
                return {200, page + "}"};
            return seen.line.starts_with("GET") ? std::pair(200L, std::string(R"({"state": "done"})")) : api()(seen);
        };
        queue.add(1, 2);
        queue.turns();
        BOOST_TEST(queue.outcomes.empty(), next);
        page = R"({"rows": [{"email": "e1", "why": "bad"}], "more": false)";
        queue.turns(400);
        BOOST_TEST((queue.outcomes == Outcomes{{1, "bad"}, {2, "accepted"}}), next);
    }
}
