#include "engine/rehearsal/connector_case.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace reverse_etl;

namespace {

Json read(const std::string &path) {
    std::ifstream file(path);
    return Json::parse(file);
}

const Connector &small() {
    static const Connector connector = small_connector(R"({
        "create": { "request": "POST /things", "rows": 2, "body": { "things": { "$rows": { "n": "{row_number}", "$columns": "all" } } },
                    "outcome": { "each": "/results", "row": "position", "accepted_when": { "/ok": true }, "id": "/id",
                                 "wait_when": { "/error": "busy" }, "reason": "/error" } },
        "update": { "request": "PATCH /things/{key}", "body": { "$columns": "all" }, "errors": [{ "status": 404, "then": "absent" }] },
        "delete": { "request": "DELETE /things/{key}", "idempotent": true },
        "lookup": { "request": "GET /things/{key}", "errors": [{ "status": 404, "then": "absent" }] },
        "list": { "request": "GET /things", "query": { "after": "{cursor}" }, "records": "/things", "next": { "cursor": "/next" } }
    })");
    return connector;
}

/// What is wrong with a case; "": it passed.
std::string fault(const std::string &one) {
    return run_cases(small(), Json::parse("[" + one + "]")).front().fault;
}

constexpr const char *created = R"("name": "two", "object": "things", "operation": "create",
    "rows": [{ "email": "a@b.c" }, { "email": "d@e.f", "name": "D" }], )";

} // namespace

BOOST_AUTO_TEST_SUITE(connector_cases)

/// Each built-in connector has cases, and passes them.
BOOST_AUTO_TEST_CASE(of_the_built_in_connectors_pass) {
    for (const std::string &name : built_in_connectors) {
        if (name == "folder")
            continue; // it makes no requests
        const std::string path = PROJECT_DIR "/connectors/" + name + ".test.json";
        BOOST_TEST_REQUIRE(std::filesystem::exists(path), path);
        const std::vector<CaseResult> results = run_cases(built_in_connector(name), read(path));
        BOOST_TEST(results.size() >= 3u);
        for (const CaseResult &result : results)
            BOOST_TEST(result.fault == "", name << ", " << result.name << ": " << result.fault);
    }
}

BOOST_AUTO_TEST_CASE(compare_requests_and_outcomes) {
    BOOST_TEST(fault(std::string("{") + created + R"(
        "request": "POST /things", "headers": { "content-type": "application/json", "X-Other": null },
        "body": { "things": [{ "n": "1", "email": "a@b.c" }, { "n": "2", "name": "D", "email": "d@e.f" }] },
        "answer": { "status": 207, "body": { "results": [{ "ok": true, "id": 7 }, { "ok": false, "error": "bad" }] } },
        "outcome": [{ "is": "accepted", "id": "7" }, { "is": "rejected", "reason": "bad" }] })") == "");
    // A request for each batch, and rows that the destination asks to come back with
    BOOST_TEST(fault(R"({ "object": "things", "operation": "create",
        "rows": [{ "email": "a" }, { "email": "b" }, { "email": "c" }],
        "exchanges": [{ "answer": { "body": { "results": [{ "ok": true }, { "ok": false, "error": "busy" }] } } },
                      { "answer": { "status": 429 } }],
        "outcome": ["accepted", "again", "again"] })") == "");
    BOOST_TEST(fault(R"({ "object": "things", "operation": "update", "rows": [{ "id": "7/8", "name": "N" }],
        "request": "PATCH /things/7%2F8", "body": { "name": "N" }, "answer": { "status": 404 }, "outcome": "absent" })") ==
               "");
    BOOST_TEST(
        fault(R"({ "object": "things", "operation": "update", "rows": [{ "email": "a", "name": "N" }], "by": "email",
        "request": "PATCH /things/a", "answer": { "status": 401 }, "outcome": "failed" })") == "");
    BOOST_TEST(fault(R"({ "object": "things", "operation": "delete", "rows": [{ "id": ".." }], "exchanges": [],
        "outcome": "rejected" })") == "");
}

BOOST_AUTO_TEST_CASE(compare_what_is_read) {
    BOOST_TEST(
        fault(R"({ "object": "things", "operation": "lookup", "rows": [{ "email": "a" }], "request": "GET /things/a",
        "answer": { "body": { "id": 1, "email": "a", "more": true } }, "records": [{ "id": 1, "email": "a" }] })") ==
        "");
    BOOST_TEST(fault(R"({ "object": "things", "operation": "list", "fields": ["id"],
        "exchanges": [
            { "request": "GET /things", "answer": { "body": { "things": [{ "id": 1 }], "next": "x y" } } },
            { "request": "GET /things?after=x%20y", "answer": { "body": { "things": [{ "id": 2 }] } } }],
        "records": [{ "id": 1 }, { "id": 2 }] })") == "");
}

/// What is wrong is named by its place in the cases.
BOOST_AUTO_TEST_CASE(name_the_place_of_a_difference) {
    const std::string two = std::string("{") + created;
    const std::pair<std::string, const char *> table[] = {
        {two + R"("request": "POST /thing" })",
         R"("/0/request" is "POST /thing", but the connector makes "POST /things")"},
        {two + R"("headers": { "X-Key": "k" } })",
         R"("/0/headers/X-Key" is "k", but the connector makes no such header)"},
        {two + R"("headers": { "Accept": null } })", R"("/0/headers/Accept" is null, but the connector makes "appl)"},
        {two + R"("body": { "things": [{ "n": "1", "email": "x" }] } })",
         R"("/0/body/things/0/email" is "x", but the connector makes "a@b.c")"},
        {two + R"("body": { "things": [{ "n": "1", "email": "a@b.c" }] } })",
         R"("/0/body/things" is a list of 1 entry, but the connector makes 2 entries)"},
        {two + R"("body": {} })", R"("/0/body/things" is missing, but the connector makes [)"},
        {two + R"("body": "x" })", R"("/0/body" is "x", but the connector makes "{\")"},
        {two +
             R"("answer": { "body": { "results": [{ "ok": true }, { "ok": true }] } }, "outcome": ["accepted", "rejected"] })",
         R"("/0/outcome/1" is "rejected", but the connector makes "accepted")"},
        {two + R"("answer": { "status": 400, "body": { "error": "no" } }, "outcome": "accepted" })",
         R"("/0/outcome" is "accepted", but the connector makes "again")"},
        {two +
             R"("answer": { "body": { "results": [{ "ok": true, "id": 1 }, { "ok": true }] } }, "outcome": [{ "is": "accepted", "id": "2" }, "accepted"] })",
         R"("/0/outcome/0/id" is "2", but the connector makes "1")"},
        {two + R"("outcome": ["accepted"] })", R"("/0/outcome" must have an entry for each of the 2 rows)"},
        {two + R"("outcome": "fine" })", R"("/0/outcome" must be one of "accepted")"},
        {two + R"("exchanges": [{}, {}] })", R"("/0/exchanges/1" is a request that the connector does not make)"},
        {two + R"("exchanges": [{}], "body": {} })", R"("/0/body" stands within "exchanges")"},
        {two + R"("exchanges": [{ "anwser": {} }] })", R"("/0/exchanges/0/anwser" is not known here)"},
        {two + R"("answer": { "status": 401 } })", "the statement would fail: "},
        {R"({ "object": "things" })", R"("/0" lacks the member "operation")"},
        {R"({ "object": "things", "operation": "send" })", R"("/0/operation" must be one of)"},
        {R"({ "object": "others", "operation": "create" })", R"("/0" cannot be tried: )"},
        {R"({ "object": "things", "operation": "update", "rows": [{ "name": "n" }] })",
         R"("/0" cannot be tried: the rows lack the field "email")"},
        {R"({ "object": "things", "operation": "create", "rows": ["a"] })", R"("/0/rows/0" must be an object)"},
        {R"({ "object": "things", "operation": "list", "answer": { "body": { "things": [] } }, "records": [{}] })",
         R"("/0/records" is a list of 1 entry, but the connector makes 0 entries)"},
        {"7", R"("/0" must be an object)"},
    };
    for (const auto &[one, expected] : table)
        BOOST_TEST(fault(one).starts_with(expected), fault(one) << " does not begin with " << expected);
}

BOOST_AUTO_TEST_CASE(rows_are_named_as_by_says) {
    const Connector connector = small_connector(R"({
        "update": { "by": "id", "request": "PATCH /things/{key}", "body": { "$columns": "all" } },
        "delete": { "by": "key", "request": "DELETE /things?filter[{key_field}][_eq]={key}" },
        "lookup": { "by": ["name"], "request": "GET /things/by-name/{key}" } })");
    const std::pair<std::string, std::string> table[] = {
        {R"("operation": "update", "rows": [{ "email": "a@b.c", "name": "n" }])",
         "the rows lack the field \"id\", which"},
        {R"("operation": "update", "rows": [{ "id": 7, "email": "a@b.c" }], "request": "PATCH /things/7")", ""},
        {R"("operation": "delete", "rows": [{ "id": 7 }])", "the rows lack the field \"email\", which names them"},
        {R"("operation": "delete", "rows": [{ "id": 7, "email": "a" }], "request": "DELETE /things?filter[email][_eq]=a")",
         ""},
        {R"("operation": "lookup", "rows": [{ "email": "a" }])", "the rows lack the field \"name\", which names them"},
        {R"("operation": "lookup", "rows": [{ "name": "n" }], "request": "GET /things/by-name/n")", ""},
        {R"("operation": "lookup", "rows": [{ "name": ".." }])", "\"..\" cannot be asked for: an empty text"},
    };
    for (const auto &[one, expected] : table) {
        const std::string fault =
            run_cases(connector, Json::parse(R"([{ "object": "things", )" + one + "}]")).front().fault;
        BOOST_TEST((expected.empty() ? fault.empty() : fault.find(expected) != std::string::npos),
                   one << ": " << fault);
    }
}

/// What options hold makes no URL that is none.
BOOST_AUTO_TEST_CASE(refuse_blanks_in_a_url) {
    const auto fault_with = [](const std::string &option, const std::string &value) {
        const Json one = Json::parse(R"({"object": "endpoint", "operation": "create", "rows": [{"a": 1}],
                                         "options": {"base_url": "https://x.example"}})");
        Json cases = Json::array({one});
        cases[0]["options"][option] = value;
        return run_cases(built_in_connector("http"), cases).front().fault;
    };
    BOOST_TEST(fault_with("path", "/things").empty());
    const std::pair<const char *, const char *> urls[] = {
        {"path", "/thi?ngs"}, {"item_path", "/{key}/?"}, {"base_url", "https://x?.example"}};
    for (const auto &[option, url] : urls)
        for (const char *sign : {" ", "\t", "\n", "\x7f"}) {
            const std::string value = std::string(url).replace(std::string(url).find('?'), 1, sign);
            BOOST_TEST(fault_with(option, value) != "", "option " << option << " is " << value);
        }
}

BOOST_AUTO_TEST_CASE(are_named) {
    const auto results = run_cases(small(), Json::parse(R"([{ "name": "first" }, {}])"));
    BOOST_TEST(results[0].name == "first");
    BOOST_TEST(results[1].name == "case 2");
    BOOST_CHECK_THROW(run_cases(small(), Json::parse("{}")), ManifestError);
}

BOOST_AUTO_TEST_SUITE_END()
