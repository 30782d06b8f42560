#include "engine/manifest/operation_reader.h"

#include "engine/text/json.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

OperationSpec read(const char *text, OperationKind kind = OperationKind::create) {
    const Json json = Json::parse(text);
    UnsetOptions unset;
    unset.types["team"] = OptionSpec::Type::text;
    return read_operation(ManifestNode(json, "", &unset), kind);
}

std::string fault(const char *text) {
    try {
        read(text);
        return "";
    } catch (const ManifestError &error) {
        return error.pointer + " " + error.what();
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(what_holds_where_nothing_is_said) {
    const OperationSpec create = read("{}");
    BOOST_TEST(!create.idempotent);
    BOOST_TEST(create.rows == 1);
    BOOST_TEST(create.by_key);
    BOOST_TEST(create.by_id);
    BOOST_TEST(create.results.empty());
    BOOST_TEST(create.idempotency_header == "");
    for (const OperationKind kind : {OperationKind::update, OperationKind::upsert, OperationKind::remove,
                                     OperationKind::lookup, OperationKind::list})
        BOOST_TEST(read("{}", kind).idempotent);
}

BOOST_AUTO_TEST_CASE(everything_at_once) {
    const OperationSpec spec = read(R"({
        "request": "PATCH /{team}/{key}", "query": {"one": "{key_field}", "many": ["{fields}"]},
        "headers": {"X-A": "b"}, "format": "form", "body": {"$columns": "all"}, "rows": 7, "bytes": 1000, "by": "id",
        "idempotent": true, "idempotency_key": "Idempotency-Key",
        "rate_limits": [{"name": "r", "requests": 2, "seconds": 3, "for_each": "{row.channel}",
                         "limit": {"header": "X-Limit"}, "remaining": {"header": "X-Remaining"},
                         "used": {"header": "X-Used", "after": "used="}, "reset": {"header": "X-Reset", "unit": "epoch_s"}},
                        {"name": "c", "concurrent": 4}],
        "outcome": [{"each": "/results", "row": [{"number": "/n"}, {"key": "/k"}], "accepted_when": {"/ok": [true, 1]},
                     "wait_when": {"/e": "w"}, "absent_when": {"/e": null}, "id": "/id", "reason": ["/a", "/b"]},
                    {"each": "/errors", "is": "rejected", "row": "position"}],
        "errors": [{"status": [400, 409], "header": {"X-Reason": "full"}, "body": {"/code": "x"}, "then": "wait",
                    "for": {"header": "X-Wait", "unit": "ms"}, "reason": "/why"}],
        "records": "/data", "next": {"url": "/c"}})");
    BOOST_TEST(spec.method == "PATCH");
    BOOST_TEST(spec.path == "/{team}/{key}");
    BOOST_TEST(spec.query.size() == 2u);
    BOOST_TEST(!spec.query[0].repeated);
    BOOST_TEST(spec.query[1].repeated);
    BOOST_TEST(spec.query[1].value == "{fields}");
    BOOST_TEST((spec.format.kind == BodyKind::form));
    BOOST_TEST(spec.rows == 7);
    BOOST_TEST(spec.bytes == 1000u);
    BOOST_TEST(!spec.by_key);
    BOOST_TEST(spec.by_id);
    BOOST_TEST(spec.idempotent);
    BOOST_TEST(spec.idempotency_header == "Idempotency-Key");
    BOOST_TEST(spec.rate_limits[0].for_each == "{row.channel}");
    BOOST_TEST(spec.rate_limits[0].requests == 2);
    BOOST_TEST(spec.rate_limits[0].limit_header.name == "x-limit");
    BOOST_TEST(spec.rate_limits[0].remaining_header.name == "x-remaining");
    BOOST_TEST(spec.rate_limits[0].used_header.after == "used=");
    BOOST_TEST((spec.rate_limits[0].reset_header.unit == ToldTime::Unit::epoch_seconds));
    BOOST_TEST(spec.rate_limits[1].concurrent == 4);
    BOOST_TEST(spec.rate_limits[1].requests == 0);

    BOOST_TEST(spec.results.size() == 2u);
    BOOST_TEST(spec.results[0].pointer == "/results");
    BOOST_TEST(spec.results[0].pairings.size() == 2u);
    BOOST_TEST((spec.results[0].pairings[1].by == Pairing::By::key));
    // The short forms are rules in this order.
    std::vector<Action> meanings;
    for (const EntryRule &entry : spec.results[0].entries)
        meanings.push_back(entry.then);
    BOOST_TEST((meanings == std::vector<Action>{Action::accept, Action::wait, Action::absent, Action::reject}));
    BOOST_TEST(spec.results[0].entries[0].when[0].demand.in.size() == 2u);
    BOOST_TEST(spec.results[0].entries[3].when.empty());
    BOOST_TEST(spec.results[1].entries.size() == 1u);
    BOOST_TEST(!spec.results[1].can_accept());
    BOOST_TEST(spec.results[1].by_position);

    const ErrorRule &rule = spec.errors[0];
    BOOST_TEST((rule.statuses == std::vector<long>{400, 409}));
    BOOST_REQUIRE(rule.headers.size() == 1u);
    BOOST_TEST(rule.headers[0].first == "x-reason");
    BOOST_TEST(rule.headers[0].second == std::vector<std::string>{"full"});
    BOOST_TEST((rule.then == Action::wait));
    BOOST_TEST(rule.wait.name == "x-wait");
    BOOST_TEST((rule.wait.unit == ToldTime::Unit::milliseconds));
    BOOST_TEST((rule.reason.at == Pointers{"/why"}));
    BOOST_TEST(spec.records.at == Pointers{"/data"}, boost::test_tools::per_element());
    BOOST_TEST(spec.next.pointer == "/c");
}

BOOST_AUTO_TEST_CASE(faults_name_their_place) {
    const auto check = [](const char *text, const char *expected) {
        const std::string found = fault(text);
        BOOST_TEST(found.starts_with(expected), text << " gives " << found);
    };
    check(R"({"rowz": 1})", "/rowz is not known here");
    check(R"({"request": 1})", "/request must be a string");
    check(R"({"request": " /a"})", "/request must be a method and a path");
    check(R"({"request": "get /a"})", "/request its method must be one of GET");
    check(R"({"query": {"a": ["x", "y"]}})", "/query/a must be a string");
    check(R"({"query": {"a": ["{nothing}"]}})", "/query/a/0 \"{nothing}\" is neither");
    check(R"({"format": "xml"})", "/format must be one of \"json\", \"form\"");
    check(R"({"rows": 0})", "/rows must be a positive integer");
    check(R"({"rows": 1.5})", "/rows must be a positive integer");
    check(R"({"rows": -1})", "/rows must be a positive integer");
    check(R"({"by": "name"})", "/by must be one of \"key\", \"id\", \"any\"");
    check(R"({"idempotent": 1})", "/idempotent must be true or false");
    check(R"({"idempotency_key": "A: b"})", "/idempotency_key is not named as a header may be");
    check(R"({"idempotency_key": "A\r\nB"})", "/idempotency_key is not named as a header may be");
    check(R"({"outcome": "magic"})", "/outcome must be one of \"status\"");
    check(R"({"outcome": {"each": "/results"}})", "/outcome with \"each\" there must be \"row\"");
    check(R"({"outcome": [{"each": "", "row": [{"number": "/n", "key": "/k"}]}]})", "/outcome/0/row/0 must have one");
    check(R"({"outcome": {"each": "results", "row": "position"}})", "/outcome/each must be a JSON pointer");
    check(R"({"outcome": {"id": "id"}})", "/outcome/id must be a JSON pointer");
    check(R"({"outcome": []})", "/outcome must not be empty");
    check(R"({"outcome": {"each": "/e", "is": "rejected", "row": {"number": "/n"}}})", "/outcome names only failures");
    check(R"({"outcome": [{"each": "/e", "is": "rejected", "row": "position"}]})", "/outcome names only failures");
    check(R"({"outcome": [{"each": "/e", "is": "rejected", "row": {"key": "/k"}}, {"others": "accepted"}]})", "");
    check(R"({"outcome": {"each": "/e", "is": "rejected", "row": "position", "accepted_when": {"/ok": true}}})", "");
    check(R"({"outcome": {"others": "accepted"}})", "/outcome must say which rows");
    check(R"({"outcome": [{"id": "/a"}, {"others": "perhaps"}]})", "/outcome/1/others must be one of \"accepted\"");
    check(R"({"outcome": [{"id": "/a"}, {"others": "accepted", "id": "/b"}]})", "/outcome/1/id is not known here");
    check(R"({"outcome": [{"id": "/a"}, {"others": "accepted"}, {"others": "rejected"}]})",
          "/outcome/2 must stand only");
    check(R"({"errors": {}})", "/errors must be an array");
    check(R"({"errors": [{"header": {}, "then": "wait"}]})", "/errors/0/header must name at least one");
    check(R"({"errors": [{"status": 600, "then": "wait"}]})", "/errors/0/status must be an HTTP status");
    check(R"({"errors": [{"status": 500}]})", "/errors/0 lacks the member \"then\"");
    check(R"({"errors": [{"status": 500, "then": "wait", "for": {"header": "X", "unit": "h"}}]})",
          "/errors/0/for/unit must be one of \"s\", \"ms\"");
    check(R"({"next": {"pages": "/a"}})", "/next/pages is not known here");
    check(R"({"next": {"cursor": "a"}})", "/next/cursor must be a JSON pointer");
}

BOOST_AUTO_TEST_CASE(faults_of_bodies) {
    const auto check = [](const char *text, const char *expected) {
        const std::string found = fault(text);
        BOOST_TEST(found.starts_with(expected), text << " gives " << found);
    };
    check(R"({"body": {"$columns": "all", "a": 1}})", "");
    check(R"({"body": {"a": {"$rows": {}, "b": 1}}})", "/body/a/$rows must be the only member");
    check(R"({"body": {"$row": {}}})", "/body/$row is no directive");
    check(R"({"body": ["{nothing}"]})", "/body/0 \"{nothing}\" is neither");
    check(R"({"body": {"a": {"$rows": {"b": "{nothing}"}}}})", "/body/a/$rows/b \"{nothing}\" is neither");
    check(R"({"body": {"a": "{team} {key}", "b": [1, null, {"$columns": "all"}]}})", "");
}

BOOST_AUTO_TEST_CASE(rows_stand_in_a_body_once_and_hold_all_that_speaks_of_one) {
    const auto check = [](const char *text, const char *expected) {
        const std::string found = fault(text);
        BOOST_TEST(found.starts_with(expected), text << " gives " << found);
    };
    check(R"({"body": [{"$rows": 1}, {"$rows": 2}]})", "/body/1/$rows");
    check(R"({"body": {"$rows": {"a": {"$rows": 1}}}})", "/body/$rows/a/$rows");
    check(R"({"body": {"kind": "{row.kind}", "a": {"$rows": 1}}})", "/body/kind");
    check(R"({"body": {"a": {"$rows": 1}, "kind": "{key}"}})", "/body/kind");
    check(R"({"body": {"a": {"$rows": 1}, "b": {"$columns": "all"}}})", "/body/b/$columns");
    check(R"({"body": {"a": {"$rows": 1}, "team": "{team}", "field": "{key_field}", "all": "{fields}"}})", "");
}
