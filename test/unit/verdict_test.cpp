#include "engine/requests/verdict.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

const std::vector<std::string> email = {"email"};

/// An operation, and what it makes of answers.
struct Judge : BoundOperation {
    using BoundOperation::BoundOperation;

    Verdict operator()(const Response &response) {
        Answer answer(response, parser, words);
        return judge(operation, answer);
    }

    Verdict operator()(long status, std::string body = "{}", Headers headers = {}) {
        Response response;
        response.status = status;
        response.body = std::move(body);
        response.headers = std::move(headers);
        return (*this)(response);
    }

    simdjson::dom::parser parser;
    Words words;
};

struct Small : Judge {
    explicit Small(const std::string &members, OperationKind kind = OperationKind::create)
        : Judge(small_connector(R"({")" + std::string(operation_name(kind)) + R"(": {)" + members + "}}"), "things",
                kind, email, "email") {}
};

struct HubSpot : Judge {
    explicit HubSpot(OperationKind kind = OperationKind::upsert)
        : Judge(built_in_connector("hubspot"), "contacts", kind, email, "email") {}
};

struct Slack : Judge {
    Slack() : Judge(built_in_connector("slack"), "messages", OperationKind::create, {"channel", "text"}) {}
};

const std::string to_collection = R"("request": "POST /things", "body": {"$rows": {"$columns": "all"}})";

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(Action)
BOOST_TEST_DONT_PRINT_LOG_VALUE(Fault)
BOOST_TEST_DONT_PRINT_LOG_VALUE(std::optional<Milliseconds>)

BOOST_AUTO_TEST_CASE(what_a_status_says_without_rules) {
    Small judge(to_collection);
    const std::vector<std::pair<Action, std::vector<long>>> expected = {
        {Action::proceed, {200, 201, 202, 204, 207}},
        {Action::unauthorized, {401, 403}},
        {Action::wait, {408, 425, 429}},
        {Action::retry, {500, 502, 503, 504, 520}},
        {Action::reject, {400, 409, 410, 413, 422}},
        {Action::stop, {300, 301, 302, 307, 404, 405, 407, 501, 505}}};
    for (const auto &[action, statuses] : expected)
        for (const long status : statuses)
            BOOST_TEST((judge(status).action == action), status);
    BOOST_TEST((judge(503, "", {{"retry-after", "1"}}).action == Action::wait));
    BOOST_TEST(judge(404).fault == Fault::not_found);
    BOOST_TEST(judge(401).fault == Fault::unauthorized);
    BOOST_TEST(judge(301).reason == "the destination redirects elsewhere, which is not followed");
}

BOOST_AUTO_TEST_CASE(not_found_is_the_rows_fault_where_the_path_names_it) {
    BOOST_TEST((Small(R"("request": "PATCH /things/{key}")")(404).action == Action::reject));
    BOOST_TEST((Small(R"("request": "POST /things", "query": {"a": "{key}"})")(404).action == Action::stop));
    BOOST_TEST((Small(to_collection)(404).action == Action::stop));
}

BOOST_AUTO_TEST_CASE(headers_of_a_rule_have_values_in_any_case) {
    Small judge(to_collection + R"(, "errors": [
        {"header": {"X-Error": ["Quota", "rate limit"], "X-Of": "app"}, "then": "stop"},
        {"header": {"x-error": "rate limit"}, "then": "wait"}])");
    BOOST_TEST((judge(403, "{}", {{"x-error", "quota"}, {"x-of", "APP"}}).action == Action::stop));
    BOOST_TEST((judge(200, "{}", {{"x-error", "Rate Limit"}, {"x-of", "app"}}).action == Action::stop));
    BOOST_TEST((judge(403, "{}", {{"x-error", "RATE LIMIT"}}).action == Action::wait));
    BOOST_TEST((judge(403, "{}", {{"x-error", "rate limits"}, {"x-of", "app"}}).action == Action::unauthorized));
    BOOST_TEST((judge(403).action == Action::unauthorized));
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_fits_counts) {
    Small judge(to_collection + R"(, "errors": [
        {"status": 400, "header": {"X-Busy": "yes"}, "then": "wait"},
        {"status": [400, 422], "body": {"/code": ["GONE", 7], "/fatal": false}, "then": "absent"},
        {"status": 400, "body": {"/code": null}, "then": "accept"},
        {"status": 400, "then": "retry", "reason": ["/detail"]},
        {"status": 400, "then": "stop"}])");
    BOOST_TEST((judge(400, "{}", {{"x-busy", "yes"}}).action == Action::wait));
    BOOST_TEST((judge(400, "{}", {{"x-busy", "no"}}).action == Action::retry));
    BOOST_TEST((judge(422, R"({"code": "GONE", "fatal": false})").action == Action::absent));
    BOOST_TEST((judge(422, R"({"code": 7.0, "fatal": false})").action == Action::absent));
    BOOST_TEST((judge(422, R"({"code": "7", "fatal": false})").action == Action::reject));
    BOOST_TEST((judge(422, R"({"code": "GONE"})").action == Action::reject)); // every pointer must hold
    BOOST_TEST((judge(400, R"({"code": null})").action == Action::accept));
    BOOST_TEST((judge(400, "not JSON").action == Action::retry));
    BOOST_TEST(judge(400, R"({"detail": "too dear", "message": "no"})").reason == "too dear");
}

BOOST_AUTO_TEST_CASE(reasons_are_the_destinations_own_words) {
    HubSpot judge;
    BOOST_TEST(judge(400, R"({"message": "Property \"x\" does not exist"})").reason == "Property \"x\" does not exist");
    BOOST_TEST(judge(400, R"({"message": ""})").reason == R"({"message": ""})");
    BOOST_TEST(judge(400, R"({"message": {"a": [1]}})").reason == R"({"a":[1]})");
    BOOST_TEST(judge(400, "").reason == "HTTP status 400");
}

BOOST_AUTO_TEST_CASE(without_a_reason_that_fits_the_body_is_what_the_destination_says) {
    HubSpot judge;
    const std::pair<const char *, const char *> cases[] = {
        {R"({"errors": [{"code": "E7", "text": "too long"}]})", R"({"errors": [{"code": "E7", "text": "too long"}]})"},
        {R"({"type": "about:blank", "title": "Bad",
             "detail": "no"})",
         R"({"type": "about:blank", "title": "Bad", "detail": "no"})"},
        {"  email is\n\ttaken  ", "email is taken"},
        {"<!DOCTYPE html><html><head><style>b{}</style><script>x<y</script></head><body><h1>502</h1>Bad <!-- b -->"
         "Gateway</body></html>",
         "502 Bad Gateway"},
        {"<html>", "HTTP status 422"},
        {"\xff\x01 odd", "\\xff\\u0001 odd"},
        {"", "HTTP status 422"}};
    for (const auto &[body, reason] : cases)
        BOOST_TEST(judge(422, body).reason == reason);
    BOOST_TEST(judge(422, std::string(100000, 'x')).reason.size() == 500u);
}

BOOST_AUTO_TEST_CASE(words_hold_no_secret) {
    HubSpot judge;
    judge.words.secrets().add("pat-na1-secret");
    BOOST_TEST(judge(400, R"({"message": "you sent Authorization: Bearer pat-na1-secret"})").reason ==
               "you sent Authorization: Bearer ***");
    BOOST_TEST(judge(502, "GET / with pat%2Dna1-secret").reason == "GET / with ***");
    Response response;
    response.failure = Failure::interrupted;
    response.failure_text = "could not read pat-na1-secret";
    BOOST_TEST(judge(response).reason == "could not read ***");
}

BOOST_AUTO_TEST_CASE(long_reasons_are_cut_between_characters) {
    HubSpot judge;
    for (std::size_t before = 0; before < 3; ++before) {
        std::string text(before, 'x');
        while (text.size() < 2000)
            text += "\u20ac";
        const std::string reason = judge(400, R"({"message": ")" + text + "\"}").reason;
        BOOST_TEST(reason.size() <= 500u);
        BOOST_TEST(reason.size() >= 490u);
        BOOST_TEST((reason.size() - before) % 3 == 0u);
    }
}

BOOST_AUTO_TEST_CASE(slack_says_no_with_200) {
    Slack judge;
    BOOST_TEST((judge(200, R"({"ok": true, "ts": "1.2"})").action == Action::proceed));
    BOOST_TEST((judge(200, R"({"ok": false, "error": "channel_not_found"})").action == Action::reject));
    BOOST_TEST(judge(200, R"({"ok": false, "error": "channel_not_found"})").reason == "channel_not_found");
    BOOST_TEST((judge(200, R"({"ok": false, "error": "invalid_auth"})").action == Action::unauthorized));
    BOOST_TEST((judge(200, R"({"ok": false, "error": "fatal_error"})").action == Action::retry));
    BOOST_TEST((judge(200, R"({"ok": false, "error": "message_not_found"})").action == Action::absent));
    const Verdict limited = judge(429, R"({"ok": false, "error": "ratelimited"})", {{"retry-after", "30"}});
    BOOST_TEST((limited.action == Action::wait));
    BOOST_TEST((limited.delay == Milliseconds(30000)));
}

BOOST_AUTO_TEST_CASE(hubspot_says_how_long_to_wait_in_a_header_of_its_own) {
    HubSpot judge;
    const std::string burst = R"({"policyName": "TEN_SECONDLY_ROLLING", "message": "slow down"})";
    const char *header = "x-hubspot-ratelimit-interval-milliseconds";
    BOOST_TEST((judge(429, burst, {{header, "10000"}}).action == Action::wait));
    BOOST_TEST((judge(429, burst, {{header, "10000"}}).delay == Milliseconds(10000)));
    BOOST_TEST((judge(429, burst, {{header, "250"}, {"retry-after", "7"}}).delay == Milliseconds(250)));
    BOOST_TEST((judge(429, burst, {{"retry-after", "7"}}).delay == Milliseconds(7000)));
    BOOST_TEST((judge(429, burst).delay == std::nullopt));
    BOOST_TEST((judge(423).action == Action::wait));
    const Verdict daily = judge(429, R"({"policyName": "DAILY", "message": "enough for today"})");
    BOOST_TEST((daily.action == Action::stop));
    BOOST_TEST(daily.fault == Fault::stopped);
    BOOST_TEST(daily.reason == "enough for today");
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_no_number_leaves_retry_after) {
    HubSpot judge;
    const char *header = "x-hubspot-ratelimit-interval-milliseconds";
    for (const char *text : {"", "soon", "nan", "inf", "10s"})
        BOOST_TEST((judge(429, "{}", {{header, text}, {"retry-after", "7"}}).delay == Milliseconds(7000)), text);
    BOOST_TEST((judge(429, "{}", {{header, "-5"}}).delay == Milliseconds(0)));
    BOOST_TEST((judge(429, "{}", {{header, "1e300"}}).delay > Milliseconds(0)));
}

BOOST_AUTO_TEST_CASE(an_answer_that_must_be_json_and_is_not) {
    HubSpot upsert;
    for (const char *body : {"<html>", "{\"results\": [", "\xff", " ", "{\"results\": [NotANumber]}"}) {
        const Verdict verdict = upsert(200, body);
        BOOST_TEST((verdict.action == Action::retry));
        BOOST_TEST(verdict.fault == Fault::unintelligible);
    }
    BOOST_TEST((upsert(204, "").action == Action::retry)); // nor does that
    BOOST_TEST((upsert(200, "").action == Action::retry)); // it should say what became of each row
    BOOST_TEST((HubSpot(OperationKind::lookup)(200, "").action == Action::proceed)); // there are none
    BOOST_TEST((HubSpot(OperationKind::list)(204, "").action == Action::proceed));
    for (const char *page : {"<!doctype HTML><html>Log in</html>", "\xef\xbb\xbf\n<html><body>Log in</body></html>"}) {
        const Verdict verdict = Small(to_collection)(200, page); // where the status alone would speak
        BOOST_TEST((verdict.action == Action::retry));
        BOOST_TEST(verdict.fault == Fault::unintelligible);
        BOOST_TEST(verdict.reason == "the answer is a web page, as a login or a proxy shows it: Log in");
    }
    BOOST_TEST((Small(to_collection)(200, "ok").action == Action::proceed));
    BOOST_TEST((HubSpot(OperationKind::remove)(204, "<html>").action == Action::proceed)); // the status speaks
}

BOOST_AUTO_TEST_CASE(exchanges_that_failed) {
    HubSpot judge;
    const auto failed = [&](Failure failure) {
        Response response;
        response.failure = failure;
        response.failure_text = "words";
        return judge(response);
    };
    BOOST_TEST((failed(Failure::unknown_host).action == Action::stop));
    BOOST_TEST(failed(Failure::unknown_host).fault == Fault::unknown_host);
    BOOST_TEST(failed(Failure::not_trusted).fault == Fault::not_trusted);
    BOOST_TEST((failed(Failure::unusable).action == Action::stop));
    BOOST_TEST((failed(Failure::not_connected).action == Action::retry));
    BOOST_TEST(failed(Failure::not_connected).never_arrived);
    BOOST_TEST((failed(Failure::interrupted).action == Action::retry));
    BOOST_TEST(!failed(Failure::interrupted).never_arrived);
    BOOST_TEST((failed(Failure::too_large).action == Action::retry));
    BOOST_TEST(failed(Failure::interrupted).reason == "words");
}

BOOST_AUTO_TEST_CASE(an_error_that_tells_of_rows) {
    const std::string rule =
        R"(, "errors": [{"status": 400, "body": {"/failed": {"exists": true}}, "then": "outcome"}])";
    const std::string outcome =
        R"(, "outcome": [{"each": "/failed", "is": "rejected", "row": {"index": ""}}, {"others": "accepted"}])";
    Small judge(to_collection + rule + outcome);
    BOOST_TEST(judge(400, R"({"failed": [0], "message": "one is bad"})").action == Action::proceed);
    BOOST_TEST(judge(400, R"({"message": "no"})").action == Action::reject);
    BOOST_TEST(judge(401, R"({"failed": [0]})").action == Action::unauthorized);
    // What is no JSON tells of no row, and is judged by its status.
    Small whatever(to_collection + R"(, "errors": [{"status": [200, 400, 503], "then": "outcome"}])" + outcome);
    BOOST_TEST(whatever(400, "<html>").action == Action::reject);
    BOOST_TEST(whatever(400, "").action == Action::reject);
    BOOST_TEST(whatever(503, "busy").action == Action::retry);
    BOOST_TEST(whatever(503, "{}").action == Action::proceed);
    BOOST_TEST(whatever(200, "<html>").fault == Fault::unintelligible);
    // Where no outcome tells of rows, none is read from an error.
    for (const char *none : {"", R"(, "outcome": "status")", R"(, "outcome": {"id": "/id"})"})
        BOOST_TEST(Small(to_collection + rule + none)(400, R"({"failed": [0]})").action == Action::reject, none);
}

BOOST_AUTO_TEST_CASE(reasons_that_the_manifest_gives) {
    Small judge(to_collection +
                R"(, "errors": [{"status": 402, "then": "stop", "reason": {"text": "the {{plan}} is used up"}},
                                    {"status": 400, "then": "reject", "reason": ["/why", {"text": "no reason"}]}])");
    BOOST_TEST(judge(402, "<html>").reason == "the {plan} is used up");
    BOOST_TEST(judge(400, R"({"why": "bad"})").reason == "bad");
    BOOST_TEST(judge(400, R"({"message": "bad"})").reason == "no reason");
}

BOOST_AUTO_TEST_CASE(how_long_to_wait) {
    Small judge(to_collection + R"(, "errors": [
        {"status": 429, "body": {"/retry_after": {"exists": true}}, "then": "wait", "for": {"body": "/retry_after"}},
        {"status": 429, "then": "wait", "for": {"seconds": 30}},
        {"status": 503, "then": "wait", "for": {"header": "X-Until", "unit": "iso8601"}}])");
    BOOST_TEST((judge(429, R"({"retry_after": 1.5})").delay == Milliseconds(1500)));
    BOOST_TEST((judge(429, R"({"retry_after": "2"})").delay == Milliseconds(2000)));
    BOOST_TEST((judge(429, R"({"retry_after": [2]})", {{"retry-after", "7"}}).delay == Milliseconds(7000)));
    BOOST_TEST((judge(429, "busy").delay == Milliseconds(30000)));
    BOOST_TEST(
        (judge(503, "", {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"x-until", "1994-11-06T08:49:40Z"}}).delay ==
         Milliseconds(3000)));
}

BOOST_AUTO_TEST_CASE(an_answer_whose_header_says_all) {
    Small judge(to_collection + R"(, "outcome": {"id": {"header": "Location", "after": "/"}})");
    for (const char *body : {"", "Created", "{}"})
        BOOST_TEST(judge(201, body).action == Action::proceed, body);
    BOOST_TEST(judge(200, "<html>").fault == Fault::unintelligible);
    Small asks(to_collection + R"(, "outcome": {"accepted_when": {"/ok": true}, "id": {"header": "Location"}})");
    BOOST_TEST(asks(201, "").fault == Fault::unintelligible);
}
