#include "engine/manifest/column_names.h"
#include "engine/requests/discovery.h"

#include "dispatch_fixture.h"
#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

#include <ctime>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// As HubSpot's properties are found.
const std::string of_properties = R"({
    "request": "GET /crm/v3/properties/{object}", "query": { "after": "{cursor}" }, "records": "/results", "next": { "cursor": "/next" },
    "field": "/name", "only_when": { "/archived": { "not": true } },
    "type": { "at": "/type", "types": { "number": "numeric", "bool": "boolean", "datetime": { "type": "timestamptz", "encode": "epoch_ms" } } },
    "write": { "/modificationMetadata/readOnlyValue": false },
    "choices": { "at": "/options", "value": "/value", "only_when": { "/hidden": false } },
    "description": "/label" })";

/// As those of Salesforce's objects are.
const std::string of_describe = R"({
    "request": "GET /sobjects/{object}/describe", "records": "/fields", "field": "/name",
    "type": { "at": "/type", "types": { "double": "numeric" }, "otherwise": "jsonb" },
    "write": { "create": { "/createable": true }, "update": { "/updateable": true } }, "required": { "/nillable": false },
    "choices": { "at": "/picklistValues", "value": "/value", "closed_when": { "/restrictedPicklist": true } } })";

Connector connector(const std::string &fields,
                    const std::string &objects = R"({"contacts": {}, "*": {"pattern": "[a-z0-9_]+"}})") {
    return Connector::parse(
        R"({"manifest": 1, "name": "finder", "title": "Finder", "base_url": "http://localhost",
        "auth": [{"kind": "bearer", "token": "{token}"}], "credentials": {"token": {"description": "the token"}},
        "discover": {"fields": )" +
        fields + R"(, "objects": {"request": "GET /schemas", "records": "/results", "object": "/id", "table": "/name",
            "only_when": {"/archived": {"not": true}}}},
        "operations": {"create": {"request": "POST /v1/{object}", "body": {"$columns": "all"}}}, "objects": )" +
        objects + "}");
}

/// What one record of a field becomes, in words.
std::string field_of(const std::string &spec, const std::string &record) {
    const Object object = connector(spec).object("contacts", {});
    simdjson::dom::parser parser;
    const Words words;
    FoundField field;
    if (!read_found_field(*object.discovery, parser.parse(record), words, field))
        return "none";
    std::string text = field.field + " " + field.type.type + (field.type.encode.empty() ? "" : "/" + field.type.encode);
    text += field.writable ? "" : " read-only";
    for (OperationKind kind : field.written_by)
        text += std::string(" by ") + operation_name(kind);
    text += field.required ? " required" : "";
    for (const std::string &choice : field.choices)
        text += " [" + choice + "]";
    return text + (field.choices_are_closed ? " closed" : "") +
           (field.description.empty() ? "" : " -- " + field.description);
}

/// All that a search needs.
struct Search {
    explicit Search(const ScriptedDestination &destination, const std::string &spec = of_properties)
        : source(connector(spec)), settings(at(destination.url())), policy(quick()),
          authenticator(source.auth(), {{"token", "secret-token"}}), line{transport, waiter, limiter, policy} {}

    /// The fields of objects, all asked for at once.
    std::string fields(const std::vector<std::string> &names) {
        std::vector<std::unique_ptr<Object>> objects;
        std::vector<std::unique_ptr<FieldSearch>> searches;
        for (const std::string &name : names) {
            objects.push_back(std::make_unique<Object>(source.object(name, settings)));
            searches.push_back(std::make_unique<FieldSearch>(*objects.back(), authenticator, line));
        }
        std::string all;
        try {
            find_fields(searches, line);
        } catch (const DestinationError &error) {
            return error.what();
        }
        for (const auto &search : searches) {
            all += search->object().name + ":";
            for (const FoundField &field : search->found())
                all += " " + field.field;
            all += "; ";
        }
        return all;
    }

    std::string objects() {
        std::string all;
        try {
            for (const FoundObject &object : find_objects(*source.account_objects(settings), authenticator, line))
                all += object.name + "=" + object.table + " ";
        } catch (const DestinationError &error) {
            return error.what();
        }
        return all;
    }

    const Connector source;
    const Settings settings;
    const Policy policy;
    PollWaiter waiter;
    RateLimiter limiter;
    Authenticator authenticator;
    CurlTransport transport;
    AccountLine line;
};

} // namespace

BOOST_AUTO_TEST_SUITE(discovery)

BOOST_AUTO_TEST_CASE(a_field_is_what_its_record_says) {
    struct Case {
        const std::string &spec;
        const char *record, *becomes;
    };
    const Case cases[] = {
        {of_properties,
         R"({"name": "n", "type": "number", "modificationMetadata": {"readOnlyValue": false}, "label": "A\nlabel"})",
         "n numeric -- A label"},
        {of_properties, R"({"name": "n", "type": "number", "modificationMetadata": {"readOnlyValue": true}})",
         "n numeric read-only"},
        {of_properties, R"({"name": "n", "type": "object_coordinates"})", "n text read-only"},
        {of_properties, R"({"name": "n", "type": "datetime", "modificationMetadata": {"readOnlyValue": false}})",
         "n timestamptz/epoch_ms"},
        {of_properties, R"({"name": "n", "archived": true})", "none"},
        {of_properties, R"({"name": ""})", "none"},
        {of_properties, R"({"label": "no name"})", "none"},
        {of_properties, R"({"name": "a\u0000b"})", "none"},
        {of_properties, R"({"name": {"deep": 1}, "archived": true})", "none"},
        {of_properties,
         R"({"name": "n", "modificationMetadata": {"readOnlyValue": false}, "options": [{"value": "a", "hidden": false}, {"value": "b", "hidden": true}, {"label": "c", "hidden": false}]})",
         "n text [a]"},
        {of_describe, R"({"name": "N", "type": "double", "createable": true, "updateable": true, "nillable": false})",
         "N numeric required"},
        {of_describe, R"({"name": "N", "type": "address", "createable": true, "updateable": false, "nillable": true})",
         "N jsonb by create"},
        {of_describe, R"({"name": "N", "createable": false, "updateable": true})", "N jsonb by update"},
        {of_describe, R"({"name": "N"})", "N jsonb read-only"},
        {of_describe,
         R"({"name": "N", "createable": true, "updateable": true, "restrictedPicklist": true, "picklistValues": [{"value": "x"}, {"value": "y'"}]})",
         "N jsonb [x] [y'] closed"},
        {of_describe,
         R"({"name": "N", "createable": true, "updateable": true, "restrictedPicklist": true, "picklistValues": []})",
         "N jsonb"},
        {of_describe,
         R"({"name": "N", "createable": true, "updateable": true, "restrictedPicklist": true, "picklistValues": [{"value": "a\u0000"}, {"value": "b"}]})",
         "N jsonb [b]"},
    };
    for (const Case &one : cases)
        BOOST_TEST(field_of(one.spec, one.record) == one.becomes, one.record << ": " << field_of(one.spec, one.record));
}

BOOST_AUTO_TEST_CASE(several_objects_are_asked_for_at_once_and_page_by_page) {
    ScriptedDestination destination([](const Received &request, LoopbackServer::Connection &connection) {
        BOOST_TEST(request.authorization() == "Bearer secret-token");
        const bool is_first = request.target.find("after") == request.target.npos;
        const std::string name = request.target.find("contacts") == request.target.npos ? "d" : "c";
        connection.answer(200, is_first ? R"({"results": [{"name": ")" + name + R"(1"}, {"name": ")" + name +
                                              R"(2"}], "next": "p2"})"
                                        : R"({"results": [{"name": ")" + name + R"(3"}]})");
    });
    Search search(destination);
    BOOST_TEST(search.fields({"contacts", "p1_deals"}) == "contacts: c1 c2 c3; p1_deals: d1 d2 d3; ");
    BOOST_TEST(destination.count("/crm/v3/properties/contacts") == 2u);
    BOOST_TEST(destination.count("/crm/v3/properties/p1_deals") == 2u);
}

BOOST_AUTO_TEST_CASE(waits_repeats_and_refusals_are_those_of_any_request) {
    int asked = 0;
    ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
        if (request.target.find("forbidden") != request.target.npos)
            connection.answer(403, R"({"message": "secret-token may not"})");
        else if (++asked == 1)
            connection.answer(503, "{}", "Retry-After: 0\r\n");
        else
            connection.answer(200, R"({"results": [{"name": "one"}]})");
    });
    Search search(destination);
    BOOST_TEST(search.fields({"contacts"}) == "contacts: one; ");
    BOOST_TEST(asked == 2);
    const std::string refusal = search.fields({"contacts", "forbidden"});
    BOOST_TEST(refusal.find("403") != refusal.npos, refusal);
    BOOST_TEST(refusal.find("secret-token") == refusal.npos, refusal);
    BOOST_TEST(search.fields({"contacts"}) == "contacts: one; ");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_none_is_an_error) {
    ScriptedDestination destination([](const Received &request, LoopbackServer::Connection &connection) {
        if (request.target.find("page") != request.target.npos)
            connection.answer(200, "<html><body>Welcome</body></html>");
        else if (request.target.find("elsewhere") != request.target.npos)
            connection.answer(200, R"({"items": [{"name": "one"}]})");
        else if (request.target.find("many") != request.target.npos) {
            std::string fields;
            for (int i = 0; i < 21'000; i++)
                fields += (i > 0 ? "," : "") + (R"({"name": "f)" + std::to_string(i) + "\"}");
            connection.answer(200, R"({"results": [)" + fields + "]}");
        } else {
            connection.answer(200, R"({"results": [{"name": "one"}], "next": "again"})");
        }
    });
    Search search(destination);
    for (const char *object : {"page", "elsewhere", "many", "endless"})
        BOOST_TEST(search.fields({object}).starts_with("http"), search.fields({object}));
}

BOOST_AUTO_TEST_CASE(objects_are_found) {
    ScriptedDestination destination([](const Received &, LoopbackServer::Connection &connection) {
        connection.answer(
            200, R"({"results": [{"id": "p1_cars", "name": "Cars"}, {"id": "p1_old", "name": "Old", "archived": true},
            {"id": "", "name": "x"}, {"id": "p1_n"}, {"id": "p1_\u0000", "name": "x"}]})");
    });
    BOOST_TEST(Search(destination).objects() == "p1_cars=Cars ");
    BOOST_TEST(destination.received().front().target == "/schemas");
}

BOOST_AUTO_TEST_CASE(an_object_that_is_not_listed_is_one_of_the_others) {
    const Connector source = connector(of_properties);
    BOOST_TEST(source.object_names() == std::vector<std::string>{"contacts"}, boost::test_tools::per_element());
    BOOST_TEST(source.has_others());
    BOOST_TEST(source.object("p1_cars", {}).name == "p1_cars");
    BOOST_TEST(source.object("p1_cars", {}).operation(OperationKind::create)->path == "/v1/p1_cars");
    for (const char *name : {"*", "", "P1", "a b", "a,b", "a/b"})
        BOOST_TEST(fault_of_object(source, name, {}).starts_with("connector \"finder\" has no object"), name);
    const Connector open = connector(of_properties, R"({"*": {}})");
    BOOST_TEST(open.object("a/b", {}).operation(OperationKind::create)->path == "/v1/a%2Fb");
}

BOOST_AUTO_TEST_CASE(names_of_columns_are_free_short_and_lower_case) {
    FreeNames names = names_of_columns();
    names.take("id");
    const std::string same(70, 'a'), umlauts = std::string(62, 'b') + "\xc3\xa4";
    BOOST_TEST(names.name_for("Email") == "email");
    BOOST_TEST(names.name_for("EMAIL") == "email_2");
    BOOST_TEST(names.name_for("email") == "email_3");
    BOOST_TEST(names.name_for("email_2") == "email_2_2");
    BOOST_TEST(names.name_for("id") == "id_2");
    BOOST_TEST(names.name_for("CTID") == "ctid_2");
    BOOST_TEST(names.name_for(same + "1") == std::string(63, 'a'));
    BOOST_TEST(names.name_for(same + "2") == std::string(61, 'a') + "_2");
    BOOST_TEST(names.name_for(umlauts) == std::string(62, 'b'));
    BOOST_TEST(names.name_for("a\"; DROP TABLE t; --") == "a\"; drop table t; --");
}

BOOST_AUTO_TEST_CASE(ten_thousand_of_one_name_are_numbered_in_the_time_of_ten_thousand) {
    FreeNames names;
    names.take("same_7");
    const std::clock_t begin = std::clock();
    std::string last;
    for (int i = 1; i < 10'000; i++)
        last = names.name_for(i % 2 == 0 ? "same" : "SAME");
    BOOST_TEST(last == "same_10000");
    // Where each was counted from 2 on, this took four seconds and a half.
    BOOST_TEST(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 2);
}

BOOST_AUTO_TEST_CASE(a_thousand_objects_are_read_in_the_time_of_a_thousand) {
    std::string objects;
    for (int i = 0; i < 1000; i++)
        objects += (i > 0 ? "," : "") + ("\"o" + std::to_string(i) + R"(": {"columns": {"a": "text", "b": "text"}})");
    const Connector source = connector(of_properties, "{" + objects + R"(, "*": {}})");
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string &name : source.object_names())
        BOOST_TEST_REQUIRE(source.object(name, {}).columns.size() == 2u);
    // Where each went through all of them, this took half a minute.
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_SUITE_END()
