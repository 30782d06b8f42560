/// What a destination of jobs may do to us: ids that are none, results that do not fit, answers that are lost.

#include "bulk_job_fixture.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace reverse_etl;
using namespace reverse_etl::of_jobs;

namespace {

const std::string uploaded =
    opened + R"(, "upload": {"request": "PUT /rows/{job.id}", )" + rows_of_body + "}, " + closed;
const std::string named = R"("open": {"request": "POST /jobs", "keep": {"id": "/id"}})";
const std::string plain_poll = R"("poll": {"request": "GET /jobs/{job.id}", "done_when": {"/state": "done"},
    "failed_when": {"/state": "failed"}, "reason": "/why"})";

/// A job whose results stand in files of their own.
std::string with_results(const std::string &results, const std::string &more = "") {
    return uploaded + R"(, "results": [)" + results + "]" + more;
}
std::string result(const std::string &file, const std::string &outcome, const std::string &more = "") {
    return R"({"request": "GET /)" + file + R"(/{job.id}", )" + more + R"("outcome": {)" + outcome + "}}";
}

/// The answers of a destination whose job is done, with these files.
Script::Answers with_files(const std::map<std::string, std::pair<long, std::string>> &files,
                           const std::string &state = "done") {
    std::map<std::string, std::pair<long, std::string>> others;
    others["/jobs/j"] = {200, R"({"state": ")" + state + R"(", "why": "broken"})"};
    for (const auto &[file, answer] : files)
        others["/" + file + "/j"] = answer;
    return api(others);
}

std::size_t count(const Queue &queue, const std::string &of) {
    return static_cast<std::size_t>(std::count_if(queue.transport.requests.begin(), queue.transport.requests.end(),
                                                  [&](const Seen &one) { return contains(one.line, of); }));
}

/// Until all rows have been told of.
void settle(Queue &queue, std::size_t rows) {
    for (int i = 0; i < 40 && queue.outcomes.size() < rows; i++)
        queue.turns(1);
}

} // namespace

/// The bound is one of requests as they are sent, with what earlier steps kept in them.
BOOST_AUTO_TEST_CASE(parts_are_cut_by_their_bytes) {
    for (const std::string body : {R"({"rows": {"$rows": {"$columns": "all"}}})",
                                   R"({"job": "{job.id}", "rows": {"$rows": {"$columns": "all"}}})"}) {
        Queue queue(named + R"(, "add": {"request": "POST /rows/{job.id}", "bytes": 400, "body": )" + body + "}, " +
                    closed);
        const std::string id(120, 'x');
        queue.transport.answers = [&](const Seen &seen) -> std::pair<long, std::string> {
            if (contains(seen.line, "/rows/"))
                return seen.body.size() > 400 ? std::pair(413L, std::string("{}")) : std::pair(200L, std::string("{}"));
            return api({{"POST http://api.example.com/jobs", {200, R"({"id": ")" + id + "\"}"}}})(seen);
        };
        queue.add(1, 30);
        queue.turns(60);
        std::size_t rows = 0, full = 0;
        for (const Seen &one : queue.transport.requests)
            if (contains(one.line, "/rows/")) {
                BOOST_TEST(one.body.size() <= 400U);
                full += one.body.size() > 400 - 60 ? 1 : 0; // another row would have no place
                rows += Json::parse(one.body).at("rows").size();
            }
        BOOST_TEST(rows == 30U);
        BOOST_TEST(full + 1 >= count(queue, "/rows/"));
        BOOST_TEST(count(queue, "PATCH") == 1U);
    }
    Queue large(opened + R"(, "add": {"request": "POST /rows/{job.id}", "bytes": 30, )" + rows_of_body + "}, " +
                closed);
    large.transport.answers = api();
    large.add(1, 1);
    large.turns(5);
    BOOST_TEST(large.outcomes[1].starts_with("the row makes a request of"), large.outcomes[1]);
    BOOST_TEST(large.transport.requests.empty());
}

BOOST_AUTO_TEST_CASE(a_poll_waits_as_long_as_it_is_asked_to) {
    const auto poll_times = [](const std::string &after) {
        Queue queue(uploaded);
        queue.transport.answers = api({{"GET", {200, R"({"state": "running"})"}}});
        queue.transport.headers = [&](const Seen &seen) {
            return seen.line.starts_with("GET") && !after.empty() ? Headers{{"retry-after", after}} : Headers{};
        };
        queue.add(1, 1);
        queue.turns(200);
        std::vector<Clock::time_point> at;
        for (const Seen &one : queue.transport.requests)
            if (one.line.starts_with("GET"))
                at.push_back(one.at);
        BOOST_REQUIRE(at.size() > 1U);
        return at;
    };
    const auto usual = poll_times(""), asked = poll_times("90"), long_ago = poll_times("Sun, 06 Nov 1994 08:49:37 GMT"),
               forever = poll_times("999999999");
    BOOST_TEST((usual[1] - usual[0] <= seconds(10)));
    BOOST_TEST((asked[1] - asked[0] >= seconds(90)));
    BOOST_TEST((asked[1] - asked[0] <= seconds(100)));
    BOOST_TEST((long_ago[1] - long_ago[0] <= seconds(10)));
    BOOST_TEST((forever[1] - forever[0] <= seconds(610)));
}

BOOST_AUTO_TEST_CASE(results_are_lines_or_pages_of_JSON) {
    const std::string key = R"("row": {"key": "/email"})";
    Queue lines(
        with_results(result("taken", R"("each": "", "is": "accepted", )" + key, R"("format": "ndjson", )") + ", " +
                     result("refused", R"("each": "", "is": "rejected", "reason": "/why", )" + key,
                            R"("format": "ndjson", "query": {"at": "{cursor}"}, "next": {"header": "X-Next"}, )")),
        "upsert", plain_poll);
    lines.transport.answers = [](const Seen &seen) -> std::pair<long, std::string> {
        if (contains(seen.line, "at=2"))
            return {200, "{\"email\": \"e3\", \"why\": \"c\"}"};
        return with_files({{"taken", {200, "{\"email\": \"e1\"}\r\n\n{\"email\":\"e4\"}\n"}},
                           {"refused", {200, "{\"email\": \"e2\", \"why\": \"b\"}\n"}}})(seen);
    };
    lines.transport.headers = [](const Seen &seen) {
        return contains(seen.line, "/refused/") && !contains(seen.line, "at=") ? Headers{{"x-next", "2"}} : Headers{};
    };
    lines.add(1, 4);
    lines.turns();
    BOOST_TEST((lines.outcomes == Outcomes{{1, "accepted"}, {2, "b"}, {3, "c"}, {4, "accepted"}}));

    Queue pages(with_results(result("all", R"("each": "/rows", "row": {"index": "/i"}, "accepted_when": {"/ok": true},
                                              "reason": "/why")",
                                    R"("query": {"at": "{cursor}"}, "next": {"cursor": "/next"}, )")),
                "upsert", plain_poll);
    pages.transport.answers = [](const Seen &seen) -> std::pair<long, std::string> {
        if (contains(seen.line, "at="))
            return {200, R"({"rows": [{"i": 2, "ok": true}], "next": null})"};
        return with_files({{"all", {200, R"({"rows": [{"i": 0, "ok": true}, {"i": 1, "ok": false, "why": "b"}],
                                             "next": "a/b&c"})"}}})(seen);
    };
    pages.add(1, 3);
    pages.turns();
    BOOST_TEST((pages.outcomes == Outcomes{{1, "accepted"}, {2, "b"}, {3, "accepted"}}));
    BOOST_TEST(count(pages, "at=a%2Fb%26c") == 1U);
}

BOOST_AUTO_TEST_CASE(pages_of_results_follow_by_addresses_of_the_same_host) {
    const std::string refused = R"("each": "/rows", "is": "rejected", "reason": "/why", "row": {"key": "/email"})";
    const auto outcomes_of = [&](const std::string &next, const std::string &second) {
        Queue queue(
            with_results(result("refused", refused, R"("next": {"url": "/next"}, )"), R"(, "others": "accepted")"),
            "upsert", plain_poll);
        queue.transport.answers = [&](const Seen &seen) -> std::pair<long, std::string> {
            if (contains(seen.line, "page=2"))
                return {200, second};
            return with_files(
                {{"refused", {200, R"({"rows": [{"email": "e1", "why": "a"}], "next": ")" + next + "\"}"}}})(seen);
        };
        queue.add(1, 3);
        queue.turns();
        return queue.outcomes;
    };
    const std::string last = R"({"rows": [{"email": "e2", "why": "b"}], "next": null})";
    const Outcomes all{{1, "a"}, {2, "b"}, {3, "accepted"}};
    BOOST_TEST((outcomes_of("?page=2", last) == all));
    BOOST_TEST((outcomes_of("http://api.example.com/refused/j?page=2", last) == all));
    // What cannot be read on is not taken for read.
    BOOST_TEST(outcomes_of("http://elsewhere.example.com/?page=2", last)[3] != "accepted");
    BOOST_TEST(outcomes_of("?page=2", R"({"rows": [], "next": "?page=2"})")[3] != "accepted");
}

/// Each by itself would be a job of its own.
BOOST_AUTO_TEST_CASE(rows_that_come_again_come_together) {
    Queue queue(with_results(result("again", R"("each": "", "entries": [{"then": "wait"}], "row": {"key": "/email"})",
                                    R"("format": "csv", )"),
                             R"(, "others": "accepted")"),
                "upsert", plain_poll);
    std::string all = "email\n";
    for (int i = 1; i <= 50; i++)
        all += "e" + std::to_string(i) + "\n";
    queue.transport.answers = with_files({{"again", {200, all}}});
    queue.add(1, 50);
    queue.turns(8);
    BOOST_TEST(queue.outcomes[50] == "again");
    BOOST_TEST(queue.pauses.size() == 1U);
}

/// What no answer says of a row is not made up.
BOOST_AUTO_TEST_CASE(results_that_do_not_fit_leave_rows_in_doubt) {
    const std::string taken = R"("each": "", "is": "accepted", "row": {"key": "/email"})";
    const std::string refused = R"("each": "", "is": "rejected", "reason": "/why", "row": {"key": "/email"})";
    const std::string again = R"("each": "", "entries": [{"then": "wait"}], "row": {"key": "/email"})";
    const std::string csv = R"("format": "csv", )";
    const std::string unknown = "outcome unknown, the destination may have the row";
    struct Case {
        std::string why, job, operation;
        std::map<std::string, std::pair<long, std::string>> files;
        Outcomes outcomes; ///< how they begin
    };
    const std::string two = result("taken", taken, csv) + ", " + result("refused", refused, csv);
    const std::string three = two + ", " + result("again", again, csv);
    const std::string rest = R"(, "others": "accepted")";
    const std::string only_refused = result("refused", refused);
    const std::vector<Case> cases = {
        {"a row that is in no file",
         with_results(two),
         "upsert",
         {{"taken", {200, "email\ne1\n"}}, {"refused", {200, "email,why\n"}}},
         {{1, "accepted"}, {2, unknown + ": the results of its job do not mention the row"}}},
        {"files without a line",
         with_results(two),
         "upsert",
         {{"taken", {200, ""}}, {"refused", {204, ""}}},
         {{1, unknown}, {2, unknown}}},
        {"a row that is in two",
         with_results(two),
         "upsert",
         {{"taken", {200, "email\ne1\ne2\n"}}, {"refused", {200, "email,why\ne2,bad\n"}}},
         {{1, "accepted"}, {2, "bad"}}},
        {"a row that is to come again, and was taken",
         with_results(three),
         "upsert",
         {{"taken", {200, "email\ne1\ne2\n"}}, {"refused", {200, "email,why\n"}}, {"again", {200, "email\ne2\n"}}},
         {{1, "accepted"}, {2, "again"}}},
        {"the same of a create",
         with_results(three),
         "create",
         {{"taken", {200, "email\ne1\ne2\n"}}, {"refused", {200, "email,why\n"}}, {"again", {200, "email\ne2\n"}}},
         {{1, "accepted"}, {2, unknown + ": the results of its job say that it was taken, and that it was not"}}},
        {"a failure of nobody",
         with_results(two),
         "upsert",
         {{"taken", {200, "email\ne1\n"}}, {"refused", {200, "email,why\nstranger,bad\n"}}},
         {{1, "accepted"}, {2, unknown + ": bad"}}},
        {"only failures are told, and there are none",
         with_results(only_refused, rest),
         "upsert",
         {{"refused", {200, "[]"}}},
         {{1, "accepted"}, {2, "accepted"}}},
        {"only failures are told, and nothing is said",
         with_results(only_refused, rest),
         "upsert",
         {{"refused", {200, ""}}},
         {{1, unknown}, {2, unknown}}},
        {"only failures are told, and no content",
         with_results(only_refused, rest),
         "upsert",
         {{"refused", {204, ""}}},
         {{1, unknown}, {2, unknown}}},
        {"only failures are told, and they are none",
         with_results(only_refused, rest),
         "upsert",
         {{"refused", {200, "\"none\""}}},
         {{1, unknown}, {2, unknown}}},
        {"only failures are told, in an empty text",
         with_results(result("refused", refused, R"("format": "ndjson", )"), rest),
         "upsert",
         {{"refused", {200, ""}}},
         {{1, "accepted"}, {2, "accepted"}}},
    };
    for (const Case &one : cases) {
        BOOST_TEST_CONTEXT(one.why) {
            Queue queue(one.job, one.operation, plain_poll);
            queue.transport.answers = with_files(one.files);
            queue.add(1, 2);
            settle(queue, 2);
            BOOST_TEST(queue.outcomes.size() == one.outcomes.size());
            for (const auto &[row, begin] : one.outcomes)
                BOOST_TEST(queue.outcomes[row].starts_with(begin), queue.outcomes[row]);
        }
    }
}

/// What cannot be read is asked for again, and nothing is judged by it.
BOOST_AUTO_TEST_CASE(results_that_are_broken_settle_nothing) {
    const std::string csv =
        result("refused", R"("each": "", "is": "rejected", "row": {"key": "/email"})", R"("format": "csv", )");
    const std::string lines =
        result("refused", R"("each": "", "is": "rejected", "row": {"key": "/email"})", R"("format": "ndjson", )");
    for (const auto &[results, text] : std::vector<std::pair<std::string, std::string>>{
             {csv, "email,why\ne1,\"cut"},
             {csv, "email,why\ne1\n"},
             {csv, "<!DOCTYPE html><html>log in</html>"},
             {lines, "{\"email\": \"e1\"}\n{\"ema"},
             {lines, "e1"},
         }) {
        Queue queue(with_results(results, R"(, "others": "accepted")"), "upsert", plain_poll);
        queue.transport.answers = with_files({{"refused", {200, text}}});
        queue.add(1, 2);
        queue.turns(20);
        BOOST_TEST(queue.outcomes.empty(), text);
        queue.transport.answers = with_files({{"refused", {200, ""}}});
        queue.turns(40);
        BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "accepted"}}), text);
    }
}

BOOST_AUTO_TEST_CASE(a_job_that_failed_may_have_no_results) {
    for (const long status : {200L, 400L, 404L, 410L}) {
        Queue queue(with_results(result("taken", R"("each": "", "is": "accepted", "row": {"key": "/email"})") + ", " +
                                 result("refused",
                                        R"("each": "", "is": "rejected", "row": {"key": "/email"}, "reason": "/why")")),
                    "upsert", plain_poll);
        queue.transport.answers =
            with_files({{"taken", {status, R"([{"email": "e1"}])"}}, {"refused", {404, "{}"}}}, "failed");
        queue.add(1, 2);
        settle(queue, 2);
        const std::string failed = "the job failed: broken";
        BOOST_TEST((queue.outcomes == Outcomes{{1, status == 200 ? "accepted" : failed}, {2, failed}}), status);
    }
    // One that did not fail has them, some time.
    Queue done(with_results(result("taken", R"("each": "", "is": "accepted", "row": {"key": "/email"})")), "upsert",
               plain_poll);
    done.transport.answers = with_files({{"taken", {404, "{}"}}});
    done.add(1, 1);
    done.turns(20);
    BOOST_TEST(done.outcomes.empty());
}

/// What is handed over may be so although the answer was lost: its state tells, not what a second attempt is answered.
BOOST_AUTO_TEST_CASE(a_close_whose_answer_was_lost_is_no_refusal) {
    Queue queue(uploaded);
    queue.policy.max_attempts = 3;
    bool is_closed = false;
    queue.transport.answers = [&](const Seen &seen) -> std::pair<long, std::string> {
        if (!seen.line.starts_with("PATCH"))
            return api()(seen);
        return std::exchange(is_closed, true) ? std::pair(400L, std::string(R"({"message": "it is closed"})"))
                                              : std::pair(0L, std::string());
    };
    queue.add(1, 3);
    queue.turns();
    BOOST_TEST(count(queue, "PATCH") == 2U);
    BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}));

    Queue refused(uploaded);
    refused.transport.answers = api({{"PATCH", {400, R"({"message": "too few"})"}}});
    refused.add(1, 1);
    refused.turns();
    BOOST_TEST(refused.outcomes[1] == "the destination refused the job: too few");
}

BOOST_AUTO_TEST_CASE(an_id_stays_a_value) {
    struct Case {
        std::string id, url; ///< JSON of it, and what of it stands in URLs; "" where it can be none
    };
    for (const Case &one : std::vector<Case>{
             {R"("../../admin")", "/jobs/..%2F..%2Fadmin"},
             {R"("a b?c#d&e=f")", "/jobs/a%20b%3Fc%23d%26e%3Df"},
             {R"("{job.url}")", "/jobs/%7Bjob.url%7D"},
             {R"("\u0000\r\nX-Evil: 1")", "/jobs/%00%0D%0AX-Evil%3A%201"},
             {R"("é\ud83d\ude00")", "/jobs/%C3%A9%F0%9F%98%80"},
             {"18446744073709551615", "/jobs/18446744073709551615"},
             {"\"" + std::string(8192, 'x') + "\"", "/jobs/" + std::string(8192, 'x')},
             {R"("..")", ""},
             {R"(".")", ""},
             {R"("")", ""},
             {"null", ""},
             {"true", ""},
             {"[1]", ""},
             {R"({"id": 1})", ""},
             {"\"" + std::string(1 << 20, 'x') + "\"", ""},
         }) {
        Queue queue(named + R"(, "upload": {"request": "PUT /rows/{job.id}", )" + rows_of_body + "}, " + closed);
        queue.transport.answers = api({{"POST", {200, "{\"id\": " + one.id + "}"}}});
        queue.add(1, 1);
        queue.turns(one.url.empty() ? 2 : 5);
        for (const Seen &seen : queue.transport.requests)
            for (const auto &[name, value] : seen.headers)
                BOOST_TEST(!contains(name + value, "Evil"));
        BOOST_TEST(count(queue, one.url.empty() ? "PUT" : "PATCH http://api.example.com" + one.url) ==
                       (one.url.empty() ? 0U : 1U),
                   one.id.substr(0, 40));
        BOOST_TEST(queue.outcomes[1].size() < 1000U);
        BOOST_TEST((queue.outcomes[1] == "again") == one.url.empty());
    }
}

/// An address that is refused says nothing of our credentials, and what redirects is not followed.
BOOST_AUTO_TEST_CASE(an_upload_that_is_refused_elsewhere_stops_nothing_else) {
    for (const long status : {301L, 307L, 308L, 401L, 403L, 404L, 500L, 503L}) {
        Queue queue(opened + R"(, "upload": {"address": "{job.url}", "hosts": ["files.example.com"], )" + rows_of_body +
                    "}, " + closed);
        bool is_refused = true;
        queue.transport.answers = [&](const Seen &seen) {
            return is_refused && seen.line.starts_with("PUT") ? std::pair(status, std::string("no")) : api()(seen);
        };
        queue.transport.headers = [](const Seen &) { return Headers{{"location", "https://evil.example.com/"}}; };
        queue.add(1, 3);
        queue.turns(2);
        BOOST_TEST(queue.outcomes[1] == "again", status);
        BOOST_TEST((queue.health.of(1).state() != Circuit::State::paused), status);
        is_refused = false;
        queue.health.retry_now();
        queue.queue.rows().release_all();
        queue.turns();
        BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}), status);
        BOOST_TEST(count(queue, "POST") == 2U, "another address, " << status);
        for (const Seen &seen : queue.transport.requests)
            BOOST_TEST(!contains(seen.line, "evil"));
    }
}

/// A destination that takes only so many jobs at a time says so when one is opened.
BOOST_AUTO_TEST_CASE(a_job_for_which_there_is_no_place_waits) {
    Queue queue(uploaded);
    int refusals = 3;
    queue.policy.max_attempts = 8;
    queue.transport.answers = [&](const Seen &seen) {
        return seen.line.starts_with("POST") && refusals-- > 0
                   ? std::pair(429L, std::string(R"({"message": "one at a time"})"))
                   : api()(seen);
    };
    queue.transport.headers = [&](const Seen &) { return refusals >= 0 ? Headers{{"retry-after", "30"}} : Headers{}; };
    queue.add(1, 3);
    queue.turns(100);
    BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}));
    BOOST_REQUIRE(count(queue, "POST") == 4U);
    BOOST_TEST((queue.transport.requests[3].at - queue.transport.requests[0].at >= seconds(90)));
}

/// What a job asks counts against the limits of all requests.
BOOST_AUTO_TEST_CASE(polls_count_against_the_limits) {
    const auto duration = [](const std::string &limits) {
        Queue queue(opened + R"(, "add": {"request": "POST /rows/{job.id}", "rows": 1, )" + rows_of_body + "}, " +
                        closed,
                    "upsert", of_jobs::poll, limits);
        queue.transport.answers = api();
        queue.add(1, 3);
        queue.turns(200);
        BOOST_TEST((queue.outcomes == Outcomes{{1, "accepted"}, {2, "bad"}, {3, "accepted"}}));
        BOOST_REQUIRE(queue.transport.requests.size() == 6U);
        return queue.transport.requests.back().at - queue.transport.requests.front().at;
    };
    BOOST_TEST((duration("") < seconds(60)));
    BOOST_TEST((duration(R"("rate_limits": [{"name": "all", "requests": 2, "seconds": 60}], )") >= seconds(120)));
}
