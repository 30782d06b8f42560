#include "engine/requests/outcome_reader.h"

#include "connector_fixture.h"
#include "engine/text/json.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// An operation, and the outcomes that it reads for its rows.
struct Reader : BoundOperation {
    template <typename... Arguments>
    explicit Reader(Arguments &&...arguments)
        : BoundOperation(std::forward<Arguments>(arguments)...), reader(operation) {}

    /// One word a row, in the batch's order: "accepted", "rejected: why".
    std::string operator()(const Batch &batch, const std::string &body, bool with_ids = false, long status = 200) {
        Response response;
        response.status = status;
        response.body = body;
        Answer answer(response, parser, words);
        std::string result;
        for (const RowOutcome &outcome : reader.read(batch, answer, with_ids)) {
            static constexpr const char *names[] = {"unmentioned", "accepted", "rejected", "absent", "wait", "retry"};
            result += (result.empty() ? "" : ", ") + std::string(names[static_cast<int>(outcome.kind)]);
            if (!outcome.text.empty())
                result += ": " + outcome.text;
        }
        return result;
    }

    simdjson::dom::parser parser;
    const Words words;
    OutcomeReader reader;
};

struct HubSpot : Reader {
    HubSpot() : Reader(built_in_connector("hubspot"), "contacts", OperationKind::upsert, fields, "email") {}
    static inline const std::vector<std::string> fields = {"email"};
    Batch batch = batch_of(operation, {{"a@x"}, {"b@x"}, {"c@x"}});
};

struct Salesforce : Reader {
    Salesforce()
        : Reader(built_in_connector("salesforce"), "Contact", OperationKind::create, fields, "",
                 Settings{{"instance", "acme"}}) {}
    static inline const std::vector<std::string> fields = {"Email"};
    Batch batch = batch_of(operation, {{"a@x"}, {"b@x"}, {"c@x"}});
};

struct Small : Reader {
    explicit Small(const std::string &outcome, const std::string &body = R"({"$rows": {"$columns": "all"}})")
        : Reader(small_connector(R"({"create": {"request": "POST /things", "rows": 100, "body": )" + body +
                                 R"(, "outcome": )" + outcome + "}}"),
                 "things", OperationKind::create, fields, "email") {}
    static inline const std::vector<std::string> fields = {"email"};
    Batch batch = batch_of(operation, {{"a@x"}, {"b@x"}, {"c@x"}});
};

} // namespace

BOOST_AUTO_TEST_CASE(ids_that_are_entries) {
    Small read(R"({"each": "/ids", "row": "position", "id": ""})");
    BOOST_TEST(read(read.batch, R"({"ids": ["x", 7, "z"]})", true) == "accepted: x, accepted: 7, accepted: z");
    Small none(R"({"each": "/ids", "row": "position"})");
    BOOST_TEST(none(none.batch, R"({"ids": ["x", 7, "z"]})", true) == "accepted, accepted, accepted");
}

BOOST_AUTO_TEST_CASE(by_position) {
    Salesforce read;
    BOOST_TEST(read(read.batch, R"([{"success": true, "id": "1"},
                                    {"success": false, "errors": [{"statusCode": "X", "message": "too old"}]},
                                    {"success": false, "errors": []}])",
                    true) == R"(accepted: 1, rejected: too old, rejected: {"success":false,"errors":[]})");
}

BOOST_AUTO_TEST_CASE(rows_to_come_back_with_and_rows_that_are_not_there) {
    Salesforce read;
    const auto failure = [](const std::string &code) {
        return R"({"success": false, "errors": [{"statusCode": ")" + code + R"(", "message": "m"}]})";
    };
    BOOST_TEST(read(read.batch, "[" + failure("UNABLE_TO_LOCK_ROW") + "," + failure("ENTITY_IS_DELETED") + "," +
                                    failure("OTHER") + "]") == "wait: m, absent: m, rejected: m");
}

BOOST_AUTO_TEST_CASE(too_few_or_too_many_entries) {
    Salesforce read;
    BOOST_TEST(read(read.batch, R"([{"success": true}])") ==
               "unmentioned, unmentioned, unmentioned"); // which of them it is nobody knows
    BOOST_TEST(read.reader.unpaired_reason() == "the destination's answer speaks of 1 rows, where 3 were sent");
    BOOST_TEST(read.reader.is_miscounted());
    BOOST_TEST(read(read.batch, "[]") == "unmentioned, unmentioned, unmentioned");
    const std::string ok = R"({"success": true})";
    BOOST_TEST(read(read.batch, "[" + ok + "," + ok + "," + ok + "," + ok + "]") ==
               "unmentioned, unmentioned, unmentioned");
}

BOOST_AUTO_TEST_CASE(by_number_in_any_order) {
    HubSpot read;
    BOOST_TEST(read(read.batch, R"({"results": [{"id": "30", "objectWriteTraceId": "3"},
                                                {"id": "10", "objectWriteTraceId": 1}],
                                    "errors": [{"message": "no", "context": {"objectWriteTraceId": ["2"]}}]})",
                    true) == "accepted: 10, rejected: no, accepted: 30");
}

BOOST_AUTO_TEST_CASE(ids_only_where_they_are_asked_for) {
    HubSpot read;
    BOOST_TEST(read(read.batch, R"({"results": [{"id": "30", "objectWriteTraceId": "3"}]})", false) ==
               "unmentioned, unmentioned, accepted");
}

BOOST_AUTO_TEST_CASE(by_number_in_what_is_left_of_a_batch) {
    HubSpot read;
    const Batch part = read.batch.subset({0, 2});
    BOOST_TEST(read(part, R"({"results": [{"objectWriteTraceId": "3"}, {"objectWriteTraceId": "2"}]})") ==
               "unmentioned, accepted");
}

BOOST_AUTO_TEST_CASE(by_key_where_there_is_no_number) {
    HubSpot read;
    BOOST_TEST(read(read.batch, R"({"results": [{"properties": {"email": "c@x"}}, {"id": "a@x"}, {"id": "z@x"},
                                                {"objectWriteTraceId": "99", "properties": {"email": "b@x"}}]})") ==
               "accepted, accepted, accepted");
}

BOOST_AUTO_TEST_CASE(several_rows_in_one_entry) {
    HubSpot read;
    BOOST_TEST(read(read.batch, R"({"results": [{"objectWriteTraceId": "2"}],
                                    "errors": [{"message": "both", "context": {"ids": ["c@x", "a@x", "z@x"]}}]})") ==
               "rejected: both, accepted, rejected: both");
}

BOOST_AUTO_TEST_CASE(a_key_that_rows_repeat) {
    HubSpot read;
    const Batch batch = batch_of(read.operation, {{"a@x"}, {"a@x"}});
    BOOST_TEST(read(batch, R"({"results": [{"objectWriteTraceId": "2"}, {"objectWriteTraceId": "1"}]})") ==
               "accepted, accepted");
    // Without numbers only one of the two is known to be there; the other will be asked for alone.
    BOOST_TEST(read(batch, R"({"results": [{"id": "a@x"}, {"id": "a@x"}]})") == "accepted, unmentioned");
}

BOOST_AUTO_TEST_CASE(keys_that_are_numbers) {
    Small read(R"({"each": "/done", "row": [{"key": "/n"}]})");
    const Batch batch = batch_of(read.operation, {{"17"}, {"4"}});
    BOOST_TEST(read(batch, R"({"done": [{"n": 4}]})") == "unmentioned, accepted");
}

BOOST_AUTO_TEST_CASE(a_failure_that_names_no_row) {
    HubSpot read;
    read(read.batch, R"({"results": [], "errors": [{"message": "too much at once"}]})");
    BOOST_TEST(read.reader.unpaired_reason() == "too much at once");
    BOOST_TEST(!read.reader.is_miscounted());
    read(read.batch, R"({"results": []})");
    BOOST_TEST(read.reader.unpaired_reason() == "");
}

BOOST_AUTO_TEST_CASE(a_failure_of_a_row_that_nobody_sent) {
    HubSpot read;
    const std::string failure = R"({"message": "not yours", "context": {"objectWriteTraceId": ["7"]}})";
    BOOST_TEST(read(read.batch, R"({"results": [{"objectWriteTraceId": "2"}], "errors": [)" + failure + "]}") ==
               "unmentioned, accepted, unmentioned");
    BOOST_TEST(read.reader.unpaired_reason() == "");
    // Nor can the others be told by their number.
    BOOST_TEST(read(read.batch, R"({"results": [{}, {}, {}], "errors": [)" + failure + "]}") ==
               "unmentioned, unmentioned, unmentioned");
}

BOOST_AUTO_TEST_CASE(entries_that_are_not_what_they_should_be) {
    HubSpot read;
    const std::string nothing = "unmentioned, unmentioned, unmentioned";
    for (const char *body :
         {"{}", "[]", "null", "1", R"("text")", R"({"results": {}})", R"({"results": [1, null, "x", [], [[]], {}]})",
          R"({"results": [{"objectWriteTraceId": -1}, {"objectWriteTraceId": 0}, {"objectWriteTraceId": 4},
                          {"objectWriteTraceId": 1.5}, {"objectWriteTraceId": {}}, {"objectWriteTraceId": null},
                          {"objectWriteTraceId": true}, {"objectWriteTraceId": "1x"}, {"objectWriteTraceId": ""},
                          {"objectWriteTraceId": "18446744073709551616"}, {"objectWriteTraceId": []},
                          {"objectWriteTraceId": 18446744073709551615}, {"properties": "email"}]})"})
        BOOST_TEST(read(read.batch, body) == nothing, body);
    Salesforce read_positions;
    BOOST_TEST(read_positions(read_positions.batch, R"([null, [], {"success": "true"}])") ==
               R"(rejected, rejected: [], rejected: {"success":"true"})");
}

BOOST_AUTO_TEST_CASE(as_many_results_as_rows_are_all_of_them) {
    const std::vector<std::string> fields = {"name"};
    Reader read(built_in_connector("hubspot"), "companies", OperationKind::create, fields);
    const Batch batch = batch_of(read.operation, {{"Acme"}, {"Bolt"}});
    const std::string accepted = "accepted, accepted", unmentioned = "unmentioned, unmentioned";
    BOOST_TEST(read(batch, R"({"status": "COMPLETE", "results": [{"id": "51"}, {"id": "52"}]})") == accepted);
    BOOST_TEST(read(batch, R"({"results": [{"id": "51"}]})") == unmentioned);
    BOOST_TEST(read(batch, R"({"results": [{"id": "51"}, {"id": "52"}, {"id": "53"}]})") == unmentioned);
    BOOST_TEST(read(batch, R"({"results": [{"id": "51"}, {"id": "52"}], "errors": [{"message": "no"}]})") ==
               unmentioned);
    BOOST_TEST(read(batch, R"({"results": [{"objectWriteTraceId": "8"}, {"objectWriteTraceId": "9"}]})") ==
               unmentioned); // results of other rows
    BOOST_TEST(read(batch, R"({"results": [1, 2]})") == unmentioned);
}

BOOST_AUTO_TEST_CASE(nothing_to_read) {
    HubSpot read;
    BOOST_TEST(read(read.batch, "", false, 204) == "unmentioned, unmentioned, unmentioned");
    Small of_whole(R"({"id": "/id"})");
    BOOST_TEST(of_whole(of_whole.batch, "", false, 204) == "accepted, accepted, accepted"); // the status has said it
    Small asks(R"({"accepted_when": {"/ok": true}})");
    BOOST_TEST(asks(asks.batch, "", false, 204) == "unmentioned, unmentioned, unmentioned");
    BOOST_TEST(read(read.batch, "") == "unmentioned, unmentioned, unmentioned");
    Small by_status("\"status\"");
    BOOST_TEST(by_status(by_status.batch, R"({"any": "thing"})") == "accepted, accepted, accepted");
}

BOOST_AUTO_TEST_CASE(an_answer_for_the_whole) {
    Small read(R"({"accepted_when": {"/ok": true}, "wait_when": {"/busy": true}, "id": "/id", "reason": "/why"})");
    BOOST_TEST(read(read.batch, R"({"ok": true, "id": "7"})", true) == "accepted, accepted, accepted");
    BOOST_TEST(read.reader.of_whole());
    BOOST_TEST(read(read.batch.subset({1}), R"({"ok": true, "id": "7"})", true) == "accepted: 7");
    BOOST_TEST(read(read.batch, R"({"busy": true, "why": "later"})") == "wait: later, wait: later, wait: later");
    BOOST_TEST(read(read.batch, R"({"ok": false, "why": "no"})") == "rejected: no, rejected: no, rejected: no");
    HubSpot by_row;
    by_row(by_row.batch, "{}");
    BOOST_TEST(!by_row.reader.of_whole());
}

BOOST_AUTO_TEST_CASE(failures_among_results) {
    Small read(R"({"each": "/rows", "is": "rejected", "row": "position", "accepted_when": {"/code": [0, "ok"]}})");
    BOOST_TEST(read(read.batch, R"({"rows": [{"code": 0}, {"code": "ok"}, {"code": 1}]})") ==
               R"(accepted, accepted, rejected: {"code":1})");
}

BOOST_AUTO_TEST_CASE(others_than_those_that_are_named) {
    Small read(R"([{"each": "/errors", "is": "rejected", "row": [{"number": "/n"}, {"key": "/k"}], "reason": "/why"},
                   {"others": "accepted"}])");
    const std::string unknown = "unmentioned, unmentioned, unmentioned", accepted = "accepted, accepted, accepted";
    BOOST_TEST(read(read.batch, R"({"errors": [{"n": 2, "why": "no"}]})") == "accepted, rejected: no, accepted");
    BOOST_TEST(read(read.batch, R"({"errors": [{"k": "c@x", "why": "no"}]})") == "accepted, accepted, rejected: no");
    for (const char *none : {"{}", R"({"errors": []})", R"({"errors": null})"})
        BOOST_TEST(read(read.batch, none) == accepted, none);
    // A failure that names no row, or one of another request, may be that of any; and what is no list says nothing.
    for (const char *unclear :
         {R"({"errors": [{"why": "no"}]})", R"({"errors": [{"n": 9}]})", R"({"errors": [{"k": "z@x"}]})",
          R"({"errors": {}})", R"({"errors": "none"})", R"({"errors": [null]})", "null", "1", R"("text")", ""})
        BOOST_TEST(read(read.batch, unclear) == unknown, unclear);
    const Batch twice = batch_of(read.operation, {{"a@x"}, {"a@x"}, {"b@x"}});
    BOOST_TEST(read(twice, R"({"errors": [{"k": "a@x", "why": "no"}]})") == "rejected: no, unmentioned, unmentioned");
    Small rejects(R"([{"each": "/done", "row": {"number": "/n"}}, {"others": "rejected"}])");
    BOOST_TEST(rejects(rejects.batch, R"({"done": [{"n": 1}, {"n": 3}]})")
                   .starts_with("accepted, rejected: the destination does not name the row"));
}

const std::string unknown = "unmentioned, unmentioned, unmentioned", all = "accepted, accepted, accepted";

BOOST_AUTO_TEST_CASE(by_index) {
    Small read(R"([{"each": "/insertErrors", "is": "rejected", "row": {"index": "/index"}, "reason": "/message"},
                   {"others": "accepted"}])");
    BOOST_TEST(read(read.batch, R"({"insertErrors": [{"index": 2, "message": "no"}]})") ==
               "accepted, accepted, rejected: no");
    // The index is that of the request, not of the statement.
    BOOST_TEST(read(read.batch.subset({1, 2}), R"({"insertErrors": [{"index": "0", "message": "no"}]})") ==
               "rejected: no, accepted");
    for (const char *index : {"3", "-1", "1.5", R"("x")", "null", "{}", "[]", "true", "[1, 3]", "[[0]]"}) {
        const std::string found =
            read(read.batch, R"({"insertErrors": [{"message": "no", "index": )" + std::string(index) + "}]}");
        BOOST_TEST(found.find(", accepted") == found.npos, index << " gives " << found);
        BOOST_TEST(!found.starts_with("accepted"), index << " gives " << found);
    }
    Small lists(R"([{"each": "/failed", "is": "rejected", "row": {"index": ""}, "reason": {"text": "failed"}},
                    {"others": "accepted"}])");
    BOOST_TEST(lists(lists.batch, R"({"failed": [0, 2]})") == "rejected: failed, accepted, rejected: failed");
    BOOST_TEST(lists(lists.batch, R"({"failed": [[0, 2]]})") == "rejected: failed, accepted, rejected: failed");
}

BOOST_AUTO_TEST_CASE(maps_by_the_name_of_an_entry) {
    const std::string meaning = R"("accepted_when": {"/status": "ok"}, "reason": "/why", "id": "/id"})";
    Small by_key(R"({"map": "/results", "row": "key", )" + meaning);
    BOOST_TEST(by_key(by_key.batch,
                      R"({"results": {"c@x": {"status": "ok", "id": 7}, "a@x": {"status": "bad", "why": "no"}}})",
                      true) == "rejected: no, unmentioned, accepted: 7");
    Small by_number(R"({"map": "", "row": ["number"], )" + meaning);
    BOOST_TEST(by_number(by_number.batch, R"({"2": {"status": "ok"}, "1": {"status": "ok"}, "x": {}, "9": {}})") ==
               "accepted, accepted, unmentioned");
    Small by_index(R"({"map": "/r", "row": "index", )" + meaning);
    BOOST_TEST(by_index(by_index.batch, R"({"r": {"0": {"status": "ok"}, "2": {"status": "x", "why": "no"}}})") ==
               "accepted, unmentioned, rejected: no");
    for (const char *none : {R"({"r": []})", R"({"r": "x"})", R"({"r": null})", "{}", R"({"r": {}})"})
        BOOST_TEST(by_index(by_index.batch, none) == unknown, none);
}

BOOST_AUTO_TEST_CASE(maps_whose_entries_name_rows) {
    Small read(R"([{"map": "/events_with_invalid_fields", "is": "rejected", "row": {"index": ""},
                    "reason": {"text": "{entry.name} is {{invalid}}"}}, {"others": "accepted"}])");
    BOOST_TEST(read(read.batch, R"({"events_with_invalid_fields": {"time": [0, 2]}})") ==
               "rejected: time is {invalid}, accepted, rejected: time is {invalid}");
    BOOST_TEST(read(read.batch, "{}") == all);
    for (const char *unclear :
         {R"({"events_with_invalid_fields": {"time": [7]}})", R"({"events_with_invalid_fields": {"time": []}})",
          R"({"events_with_invalid_fields": [0]})", R"({"events_with_invalid_fields": {"time": null}})"})
        BOOST_TEST(read(read.batch, unclear) == unknown, unclear);
}

BOOST_AUTO_TEST_CASE(entries_that_do_not_count) {
    Small read(R"([{"each": "/errors", "only_when": {"/input_array": "attributes"}, "is": "rejected",
                    "row": {"index": "/index"}, "reason": "/type"}, {"others": "accepted"}])");
    BOOST_TEST(read(read.batch, R"({"errors": [{"input_array": "events", "index": 0, "type": "no"},
                                               {"input_array": "attributes", "index": 1, "type": "bad"}]})") ==
               "accepted, rejected: bad, accepted");
    BOOST_TEST(read(read.batch, R"({"errors": [{"input_array": "events", "type": "no"}]})") == all);
    // It does not say what it is about.
    BOOST_TEST(read(read.batch, R"({"errors": [{"index": 0, "type": "no"}]})") == unknown);
    BOOST_TEST(read(read.batch, R"({"errors": [{"index": 0, "input_array": null}]})") == unknown);
    Small asks(R"([{"each": "/e", "only_when": {"/fatal": {"exists": true}}, "is": "rejected",
                    "row": {"index": "/index"}}, {"others": "accepted"}])");
    BOOST_TEST(asks(asks.batch, R"({"e": [{"index": 0}]})") == all);
}

BOOST_AUTO_TEST_CASE(rules_for_entries) {
    Small read(R"({"each": "/items", "row": "position", "reason": "/error", "id": "/id",
        "entries": [{"when": {"/status": {"below": 300}}, "then": "accept"}, {"when": {"/status": 404}, "then": "absent"},
                    {"when": {"/status": 429}, "then": "wait"},
                    {"when": {"/status": {"in": [500, 503]}}, "then": "retry", "reason": {"text": "it fell over"}},
                    {"when": {"/status": {"exists": true}}, "then": "reject"}]})");
    const Batch batch = batch_of(read.operation, {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}});
    BOOST_TEST(read(batch, R"({"items": [{"status": 201, "id": "7"}, {"status": 404, "error": "gone"},
                                         {"status": 429, "error": "busy"}, {"status": 503},
                                         {"status": 400, "error": "bad"}, {"state": "odd"}]})",
                    true) == "accepted: 7, absent: gone, wait: busy, retry: it fell over, rejected: bad, unmentioned");
}

BOOST_AUTO_TEST_CASE(an_entry_that_no_rule_knows_leaves_the_others_unknown) {
    Small read(R"([{"each": "/e", "row": {"index": "/i"}, "entries": [{"when": {"/s": "bad"}, "then": "reject"}]},
                   {"others": "accepted"}])");
    BOOST_TEST(read(read.batch, R"({"e": [{"i": 1, "s": "bad"}]})") ==
               R"(accepted, rejected: {"i":1,"s":"bad"}, accepted)");
    BOOST_TEST(read(read.batch, R"({"e": [{"i": 1, "s": "odd"}]})") == unknown);
}

BOOST_AUTO_TEST_CASE(what_is_said_against_a_row_is_not_taken_back) {
    Small read(R"([{"each": "/errors", "is": "rejected", "row": {"index": "/i"}, "reason": "/why"},
                   {"each": "/done", "row": {"index": "/i"}}])");
    BOOST_TEST(read(read.batch, R"({"errors": [{"i": 1, "why": "no"}], "done": [{"i": 0}, {"i": 1}, {"i": 2}]})") ==
               "accepted, rejected: no, accepted");
}

BOOST_AUTO_TEST_CASE(others_of_an_answer_that_is_an_error) {
    Small read(R"([{"each": "/failed_records", "is": "rejected", "row": {"index": "/index"}, "reason": "/message"},
                   {"others": "accepted"}])");
    const std::string named = R"({"failed_records": [{"index": 1, "message": "no"}]})";
    BOOST_TEST(read(read.batch, named, false, 400) == "accepted, rejected: no, accepted");
    // It is an error, and no row is at fault: so it is one of all of them.
    for (const char *unclear : {R"({"failed_records": []})", "{}", R"({"error": "bad token"})"})
        BOOST_TEST(read(read.batch, unclear, false, 400) == unknown, unclear);
}

BOOST_AUTO_TEST_CASE(conditions) {
    struct Case {
        const char *condition, *yes, *no; ///< values of "/v", with commas between them
    };
    for (const Case &one : {
             Case{R"("a")", R"(["a"])", R"(["b", "A", 1, null, [], {}])"},
             Case{R"(["a", 1, null])", R"(["a", 1, 1.0, null])", R"(["b", 2, "1", false])"},
             Case{R"({"in": ["a", 1]})", R"(["a", 1])", R"(["b", null])"},
             Case{R"({"exists": true})", R"([0, "", false, [], {}])", "[null]"},
             Case{R"({"exists": false})", "[null]", R"([0, "", false, [], {}])"},
             Case{R"({"empty": true})", R"(["", [], {}])", R"([null, 0, false, "a", [0], {"a": 1}])"},
             Case{R"({"empty": false})", R"(["a", [null], {"a": null}])", R"([null, 0, false, "", [], {}])"},
             Case{R"({"below": 300})", "[299, 299.9, -1, 0]", R"([300, 300.0, 1e9, "299", null, true, [1]])"},
             Case{R"({"not": 1})", R"([2, "1", null, []])", "[1, 1.0]"},
             Case{R"({"not": ["a", "b"]})", R"(["c", null])", R"(["a", "b"])"},
             Case{R"({"not": {"below": 300}})", R"([300, "x", null])", "[299]"},
             Case{R"({"below": 300, "not": {"below": 200}})", "[200, 299]", "[199, 300, null]"},
             Case{R"({"exists": true, "not": "ok"})", R"(["bad", 0])", R"(["ok", null])"},
             Case{R"({"matches": "ERR_[0-9]{{2}}|5.."})", R"(["ERR_12", 503, "5xx"])",
                  R"(["ERR_1", "XERR_12", "ERR_123", null, true, ["ERR_12"]])"},
         }) {
        Small read(R"({"accepted_when": {"/v": )" + std::string(one.condition) + "}}");
        const auto check = [&](const char *values, const char *expected) {
            for (const Json &value : Json::parse(values)) {
                const std::string found = read(read.batch.subset({0}), Json{{"v", value}}.dump());
                BOOST_TEST(found.starts_with(expected), one.condition << " of " << value.dump() << ": " << found);
            }
        };
        check(one.yes, "accepted");
        check(one.no, "rejected");
    }
    Small exists(R"({"accepted_when": {"/v/x": {"exists": false}, "": {"not": {"empty": true}}}})");
    BOOST_TEST(exists(exists.batch.subset({0}), R"({"v": 1})") == "accepted"); // what is not there does not exist
    Small long_text(R"({"accepted_when": {"": {"matches": "a*"}}})");
    BOOST_TEST(long_text(long_text.batch.subset({0}), '"' + std::string(10000, 'a') + '"') == "accepted");
    BOOST_TEST(long_text(long_text.batch.subset({0}), '"' + std::string(10001, 'a') + '"').starts_with("rejected"));
}

BOOST_AUTO_TEST_CASE(reasons_that_the_manifest_gives) {
    Small read(R"({"each": "/r", "row": "position", "is": "rejected", "accepted_when": {"/ok": true},
                   "reason": ["/why", {"text": "the vendor does not say why"}]})");
    BOOST_TEST(read(read.batch, R"({"r": [{"why": "no"}, {}, {"why": null}]})") ==
               "rejected: no, rejected: the vendor does not say why, rejected: the vendor does not say why");
}

BOOST_AUTO_TEST_CASE(ids_in_headers) {
    const auto id = [](const char *place, const char *location, const std::string &body = "", long status = 201,
                       bool alone = true) {
        Small read(R"({"id": )" + std::string(place) + "}");
        Response response;
        response.status = status;
        response.body = body;
        response.headers = {{"location", location}};
        Answer answer(response, read.parser, read.words);
        const auto &outcomes = read.reader.read(alone ? read.batch.subset({0}) : read.batch, answer, true);
        BOOST_TEST((outcomes.front().kind == RowOutcome::Kind::accepted));
        return outcomes.front().text;
    };
    const char *last = R"({"header": "Location", "after": "/"})";
    BOOST_TEST(id(last, "https://x.example/record/v1/customer/647") == "647");
    BOOST_TEST(id(last, "https://x.example/record/v1/customer/647", R"({"any": 1})") == "647");
    BOOST_TEST(id(last, "https://x.example/record/v1/customer/647", "Created") == "647");
    BOOST_TEST(id(last, "https://x.example/record/v1/customer/647", "", 204) == "647");
    BOOST_TEST(id(last, "647") == "");
    BOOST_TEST(id(last, "") == "");
    BOOST_TEST(id(last, "https://x.example/647", "", 201, false) == "", "it cannot be that of each row");
    BOOST_TEST(id(R"({"header": "Location"})", "647") == "647");
    BOOST_TEST(id(R"({"header": "ETag"})", "647") == "");
    BOOST_TEST(id(R"x({"header": "LOCATION", "after": "(", "before": ")"})x", "https://x.example/contacts(0-1)") ==
               "0-1");
    BOOST_TEST(id(R"x({"header": "Location", "after": "(", "before": ")"})x", "https://x.example/contacts(0-1") ==
               "0-1");
    Small asks(R"({"accepted_when": {"/ok": true}, "id": {"header": "Location"}})");
    BOOST_TEST(asks(asks.batch, "", false, 201) == unknown);
    BOOST_TEST(asks(asks.batch.subset({0}), R"({"ok": false})", false, 201).starts_with("rejected"));
}

BOOST_AUTO_TEST_CASE(long_reasons_are_cut) {
    Salesforce read;
    const std::string answer =
        R"([{"success": false, "errors": [{"message": ")" + std::string(100000, 'x') + R"("}]}])";
    BOOST_TEST(read(read.batch, answer).size() < 600u);
}
