#include "engine/text/json.h"

#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(a_sound_manifest_has_none) {
    BOOST_TEST(fault(small_manifest(create)) == "");
}

BOOST_AUTO_TEST_CASE(of_the_whole) {
    BOOST_TEST(contains(fault(""), " is not JSON, at byte 1"));
    BOOST_TEST(contains(fault("{\"a\": \xff}"), " is not JSON, at byte"));
    BOOST_TEST(fault("{\n\"manifest\": 1,\n}") == " is not JSON, at byte 18 on line 3");
    BOOST_TEST(contains(fault("[]"), " must be an object"));
    BOOST_TEST(contains(fault("{}"), " lacks the member \"manifest\""));
    BOOST_TEST(fault(R"({"manifest": 2})") == "/manifest must be 1, the version of the manifest language");
    BOOST_TEST(contains(fault(R"({"a/b~c": 1})"), "/a~1b~0c is not known here; the members are"));
}

BOOST_AUTO_TEST_CASE(name_their_place) {
    const std::string sound = small_manifest(create, R"("options": {"team": {"on": "table", "description": "a"}}, )");
    BOOST_TEST(fault(sound) == "");
    const auto check = [&](const char *from, const char *to, const char *expected) {
        const std::string found = fault(replaced(sound, from, to));
        BOOST_TEST(found.starts_with(expected), found << " instead of " << expected);
    };
    check(R"("name": "small")", R"("name": 1)", "/name must be a string");
    check(R"("title": "Small")", R"("titel": "Small")", "/titel is not known here");
    check(R"("base_url": "https://api.example.com",)", "", " lacks the member \"base_url\"");
    check(R"({"kind": "none"})", R"({"kind": "magic"})", "/auth/kind must be one of \"none\", \"bearer\"");
    check(R"({"kind": "none"})", "[]", "/auth must not be empty");
    check(R"({"kind": "none"})", R"([{"kind": "none"}, {"kind": "bearer"}])", "/auth/1 lacks the member \"token\"");
    check(R"({"kind": "none"})", R"({"kind": "basic", "username": "u", "password": 1})",
          "/auth/password must be a string");
    check(R"({"kind": "none"})",
          R"({"kind": "oauth2", "grant": "refresh_token", "token_url": "u", "client_id": "i", "client_secret": "s"})",
          "/auth lacks the member \"refresh_token\"");
    check(R"("on": "table")", R"("on": "moon")", "/options/team/on must be one of \"server\", \"table\"");
    check(R"("description": "a")", R"("default": 1, "description": "a")", "/options/team/default must be a string");
    check(R"("key": "email")", R"("key": [])", "/objects/things/key must not be empty");
    check(R"("key": "email")", R"("key": ["email", 1])", "/objects/things/key/1 must be a string");
    check(R"("email": "text")", R"("email": "varchar")", "/objects/things/columns/email must be one of");
    check(R"("email": "text")", R"("email": {"type": "text", "encode": "rot13"})",
          "/objects/things/columns/email/encode is no encoding");
    check(R"("email": "text")", R"("email": {"type": "text", "write": "no"})",
          "/objects/things/columns/email/write must be true or false");
    check(R"("create": {)", R"("insert": {)", "/objects/things/operations/insert is no operation");
    check("POST /things", "SEND /things", "/objects/things/operations/create/request its method must be");
    check("POST /things", "POST things", "/objects/things/operations/create/request its path must begin");
    check("POST /things", "POST", "/objects/things/operations/create/request must be a method and a path");
    check("POST /things", "POST /{thing}", "/objects/things/operations/create/request \"{thing}\" is neither");
    check(R"("$columns": "all")", R"("$columns": "some")",
          "/objects/things/operations/create/body/$columns must be one of \"all\"");
}

BOOST_AUTO_TEST_CASE(of_what_all_objects_share) {
    const auto of = [](const char *more) { return fault(small_manifest(create, more)); };
    BOOST_TEST(contains(of(R"("headers": {"X": 1}, )"), "/headers/X must be a string"));
    BOOST_TEST(contains(of(R"("reason": "message", )"), "/reason must be a JSON pointer"));
    BOOST_TEST(contains(of(R"("rate_limits": [{"name": "a", "requests": 0, "seconds": 1}], )"),
                        "/rate_limits/0/requests must be a positive integer"));
    BOOST_TEST(contains(of(R"("rate_limits": [{"name": "a", "requests": 18446744073709551615, "seconds": 1}], )"),
                        "/rate_limits/0/requests must be a positive integer"));
    BOOST_TEST(contains(of(R"("errors": [{"status": 42, "then": "wait"}], )"), "/errors/0/status must be an HTTP"));
    BOOST_TEST(contains(of(R"("errors": [{"then": "wait"}], )"), "/errors/0 must name a \"status\""));
    BOOST_TEST(contains(of(R"("errors": [{"status": 400, "then": "cry"}], )"), "/errors/0/then must be one of"));
    BOOST_TEST(contains(of(R"("errors": [{"body": {"/a": {}}, "then": "wait"}], )"),
                        "/errors/0/body/~1a must ask for something"));
    BOOST_TEST(contains(of(R"("errors": [{"body": {}, "then": "wait"}], )"), "/errors/0/body must name"));
    BOOST_TEST(contains(of(R"("values": {"encode": "x"}, )"), "/values/encode is no encoding"));
    BOOST_TEST(contains(of(R"("values": {"read": 1}, )"), "/values/read must be a string"));
    BOOST_TEST(contains(of(R"("values": {"clear": []}, )"), "/values/clear must be"));
    BOOST_TEST(contains(of(R"("columns": {"a": {}}, )"), "/columns/a lacks the member \"type\""));
    BOOST_TEST(contains(of(R"("defaults": {"rows": "many"}, )"), "/defaults/rows must be a positive integer"));
    BOOST_TEST(of(R"("defaults": {"query": {"type": "{object}"}}, )") == "");
}

BOOST_AUTO_TEST_CASE(an_operation_without_a_request) {
    BOOST_TEST(fault(small_manifest(R"({"create": {"rows": 2}})")) ==
               "/objects/things/operations/create lacks the member \"request\"");
    BOOST_TEST(fault(small_manifest("{}", R"("operations": {"create": {"rows": 2}}, )")) ==
               "/objects/things/operations/create lacks the member \"request\"");
}

BOOST_AUTO_TEST_CASE(a_base_url_that_is_no_url) {
    const auto of = [](const char *base_url, const char *option = R"("type": "json", "default": {})") {
        return fault(replaced(small_manifest(create, std::string(R"("options": {"where": {"on": "server", )") + option +
                                                         R"(, "description": "a"}}, )"),
                              "https://api.example.com", base_url));
    };
    for (const char *base_url : {"{where}", "ftp://a.example", "a.example", "/v1", "{where}.example"})
        BOOST_TEST(contains(of(base_url), "/base_url must begin with \"https://\" or"), base_url);
    BOOST_TEST(contains(of("https://{nothing}.example"), "/base_url \"{nothing}\" is no option of the connector"));
    BOOST_TEST(contains(of("https://a.example/{b"), "/base_url holds a brace"));
    BOOST_TEST(of("{where}/v1", R"("type": "url")") == "");
    BOOST_TEST(of("{base_url}/v1") == "");
    BOOST_TEST(contains(of("{where}.example", R"("type": "url")"), "/base_url must go on with \"/\""));
}

BOOST_AUTO_TEST_CASE(requests_that_name_no_row) {
    const auto of = [](const std::string &operations) { return fault(small_manifest(operations)); };
    for (const char *kind : {"update", "delete", "lookup"}) {
        const std::string name = std::string("\"") + kind + "\"";
        BOOST_TEST(contains(of("{" + name + R"(: {"request": "DELETE /members"}})"),
                            std::string("/objects/things/operations/") + kind + " names no row"));
        BOOST_TEST(contains(of("{" + name + R"(: {"request": "POST /m", "body": {"by": "{key_field}"}}})"), "no row"));
        BOOST_TEST(contains(of("{" + name + R"(: {"request": "POST /m", "body": {"$rows": {"$columns": "all"}}}})"),
                            "no row"));
        for (const char *rest : {R"("DELETE /members/{key}")", R"("DELETE /members", "query": {"id": "{key}"})",
                                 R"("DELETE /members", "query": {"ids": ["{keys}"]})",
                                 R"("POST /remove", "body": {"ids": {"$rows": {"id": "{key}"}}})",
                                 R"("POST /remove", "body": {"mail": "to {row.email}"})"})
            BOOST_TEST(of("{" + name + ": {\"request\": " + rest + "}}") == "");
    }
    BOOST_TEST(
        contains(fault(small_manifest(R"({"delete": {}})", R"("operations": {"delete": {"request": "DELETE /"}}, )")),
                 "no row"));
}

BOOST_AUTO_TEST_CASE(more_columns_than_a_table_has) {
    const auto with = [](int columns) {
        std::string members;
        for (int i = 0; i < columns; i++)
            members.append(i == 0 ? "" : ", ").append("\"c").append(std::to_string(i)).append("\": \"text\"");
        return fault(small_manifest(create, R"("columns": {)" + members + "}, "));
    };
    // The object has three of its own.
    BOOST_TEST(with(1597) == "");
    BOOST_TEST(with(1598) == "/objects/things has 1601 columns, and a table may have 1600");
}

BOOST_AUTO_TEST_CASE(notes_in_what_an_option_holds) {
    const Connector http = built_in_connector("http");
    const Settings settings = {{"base_url", "https://a.example"},
                               {"key", "id"},
                               {"body", R"({"$note": "why", "rows": {"$rows": {"$columns": "all"}}})"},
                               {"outcome", R"({"note": "why", "each": "", "row": "position"})"}};
    BOOST_TEST(fault_of_object(http, "endpoint", settings) == "");
    BOOST_TEST(http.object("endpoint", settings).operations.at(OperationKind::create).body->size() == 1u);
}

BOOST_AUTO_TEST_CASE(names_that_name_nothing_say_what_is_right) {
    const std::string sound = small_manifest(create);
    BOOST_TEST(fault(replaced(sound, R"("key": "email")", R"("key": "mail")")) ==
               "/objects/things/key names the field \"mail\", which is not among the \"columns\" of /objects/things");
    BOOST_TEST(fault(replaced(sound, R"("key": "email")", R"("key": "email", "insert": "upsert")")) ==
               "/objects/things/insert names the operation \"upsert\", which the object does not have");
    BOOST_TEST(fault(small_manifest(R"({"list": {"request": "GET /", "by": "id"}})")) ==
               "/objects/things/operations/list/by means nothing to a \"list\": it is a member of \"update\", "
               "\"upsert\", \"delete\", \"lookup\"");
    BOOST_TEST(
        fault(small_manifest(R"({"list": {"request": "GET /{key_field}"}})")) ==
        "/objects/things/operations/list/request nothing stands for \"{key_field}\" here: a \"list\" has no rows");
    BOOST_TEST(fault(replaced(sound, R"("name": "text")", R"("Email": "text")")) ==
               "/objects/things/columns/email would be the column \"email\" of /objects/things, as \"Email\" is: give "
               "one of them another name by \"column\"");
}

BOOST_AUTO_TEST_CASE(a_row_is_named_by_its_whole_key) {
    const auto of = [](const std::string &operation, const std::string &key = R"("key": ["list", "email"])") {
        const std::string manifest = small_manifest("{\"delete\": " + operation + "}",
                                                    R"("options": {"o": {"on": "table", "description": "-"},
                                          "p": {"on": "table", "type": "path", "description": "-"}}, )");
        return fault(replaced(replaced(manifest, R"("key": "email")", key), R"("email": "text")",
                              R"("email": "text", "list": "text")"));
    };
    BOOST_TEST(contains(of(R"({"request": "DELETE /lists/{row.list}"})"), "/delete names no single row"));
    BOOST_TEST(contains(of(R"({"request": "DELETE /lists/{o}"})"), "/delete names no row")); // a value is no {key}
    BOOST_TEST(of(R"({"request": "DELETE /lists/{row.list}", "query": {"of": "{row.email}"}})") == "");
    BOOST_TEST(of(R"({"request": "DELETE /lists/{row.id}"})") == "");
    BOOST_TEST(of(R"({"request": "DELETE {p}"})") == "");
    BOOST_TEST(contains(of(R"({"request": "DELETE {o}"})"), "/request its path must begin with"));
}

BOOST_AUTO_TEST_CASE(placeholders_that_nobody_knows) {
    const auto check = [](const std::string &found, const char *pointer) {
        BOOST_TEST(found.starts_with(pointer), found << " instead of " << pointer);
    };
    const std::string op = "/objects/things/operations/create";
    const std::pair<const char *, const char *> of_operation[] = {
        {R"("headers": {"X": "{x}"})", "/headers/X \"{x}\" is no option"},
        {R"("headers": {"X": "a{ b"})", "/headers/X holds a brace"},
        {R"("headers": {"{x}": "a"})", "/headers/{x} has a placeholder in its name"},
        {R"("query": {"{key}": "a"})", "/query/{key} has a placeholder in its name"},
        {R"("query": {"a": "{x}"})", "/query/a \"{x}\" is neither"},
        {R"("body": {"{key}": 1})", "/body/{key} has a placeholder in its name"},
        {R"("body": {"a": [{"b}": 1}]})", "/body/a/0/b} has a brace in its name"},
        {R"("body": {"a": "{ id }"})", "/body/a holds a brace"},
        {R"("idempotency_key": "{x}")", "/idempotency_key \"{x}\" is no option"},
        {R"("records": "/{x}")", "/records \"{x}\" is no option"},
        {R"("next": {"cursor": "/{cursor}"})", "/next/cursor \"{cursor}\" is no option"},
        {R"("outcome": {"each": "/{key}", "row": "position"})", "/outcome/each \"{key}\" is no option"},
        {R"("outcome": {"each": "", "row": {"key": "/{key}"}})", "/outcome/row/key \"{key}\" is neither"},
        {R"("outcome": {"id": "/{key_field}"})", "/outcome/id \"{key_field}\" is no option"},
        {R"("outcome": {"accepted_when": {"/{x}": 1}})", "/outcome/accepted_when/~1{x} has a placeholder"},
        {R"("outcome": {"accepted_when": {"/x": "{x}"}})", "/outcome/accepted_when/~1x \"{x}\" is no option"},
        {R"("errors": [{"header": {"a": "{x}"}, "then": "wait"}])", "/errors/0/header/a \"{x}\" is no option"},
        {R"("errors": [{"status": 400, "then": "wait", "for": {"header": "{x}"}}])", "/errors/0/for/header \"{x}\" is"},
        {R"("errors": [{"status": 400, "then": "wait", "reason": ["/{x}"]}])", "/errors/0/reason/0 \"{x}\" is"},
        {R"("rate_limits": [{"name": "{x}", "concurrent": 1}])", "/rate_limits/0/name must be a name"},
        {R"("rate_limits": [{"name": "a", "concurrent": 1, "for_each": "{cursor}"}])",
         "/rate_limits/0/for_each \"{cursor}\" is"}};
    for (const auto &[member, pointer] : of_operation)
        check(fault(small_manifest(R"({"create": {"request": "POST /x", )" + std::string(member) + "}}")),
              (op + pointer).c_str());
    const std::pair<const char *, const char *> of_manifest[] = {
        {R"("reason": "/{x}", )", "/reason \"{x}\""},
        {R"("headers": {"X": "{key}"}, )", "/headers/X \"{key}\""},
        {R"("values": {"read": "/{x}"}, )", "/values/read \"{x}\""},
        {R"("values": {"clear": "{x}"}, )", "/values/clear \"{x}\""},
        {R"("columns": {"a": {"type": "text", "read": "/{field}"}}, )", "/columns/a/read \"{field}\""},
        {R"("id": "{x}", )", "/id \"{x}\""}};
    for (const auto &[member, pointer] : of_manifest)
        check(fault(small_manifest(create, member)), pointer);
    BOOST_TEST(fault(small_manifest(create, R"("reason": "/{{x}}", "headers": {"X-a": "{{key}}"}, )")) == "");
}

BOOST_AUTO_TEST_CASE(members_that_stand_twice) {
    BOOST_TEST(fault(R"({"a": 1, "a": 2})") == "/a stands twice in its object");
    BOOST_TEST(fault(R"({"a": [1, {"b/c": 1, "x": {}, "b/c": 2}]})") == "/a/1/b~1c stands twice in its object");
    BOOST_TEST(fault(R"({"a": [[{"b": 1}, {"b": 2}], {"d": 1, "c": [0, {"\u0064": 3, "d": 3}]}]})") ==
               "/a/1/c/1/d stands twice in its object");
    BOOST_TEST(contains(fault_of_object(built_in_connector("http"), "endpoint",
                                        {{"base_url", "https://a.example"}, {"body", R"({"a": 1, "a": 2})"}}),
                        "option \"body\" stands twice"));
}

BOOST_AUTO_TEST_CASE(manifests_without_measure) {
    // Small texts that would be large once filled in, or once their pointers are written out.
    const std::string bomb = std::string(50000, 'x');
    std::string uses, members, elements;
    for (int i = 0; i < 5001; ++i) {
        const std::string name = "\"a" + std::to_string(i);
        uses.append(i == 0 ? "" : ", ").append(name).append("\": \"{big}\"");
        members.append(i == 0 ? "" : ", ").append(name).append("\": \"text\"");
        elements += i == 0 ? "[]" : ", []";
    }
    const std::string options =
        R"("options": {"big": {"on": "server", "description": "-", "default": ")" + bomb + R"("}}, )";
    const std::string few = uses.substr(0, uses.find(", \"a200\""));
    BOOST_TEST(contains(fault(small_manifest(create, options + R"("headers": {)" + few + "}, ")),
                        "larger than 4194304 bytes once its options are filled in"));
    BOOST_TEST(contains(fault(small_manifest(create, R"("columns": {)" + members + "}, ")), "more than 5000 members"));
    BOOST_TEST(contains(fault(std::string((1 << 20) + 1, ' ')), "larger than 1048576 bytes"));
    BOOST_TEST(contains(
        fault(small_manifest(create, R"("options": {)" + members.substr(0, members.find(", \"a101\"")) + "}, ")),
        "more than 100 members"));
    std::string values = "[[]", objects = create;
    for (int i = 0; i < 50000; ++i)
        values += ",{}";
    BOOST_TEST(contains(fault(values + "]"), "holds more than 50000 values"));
    // What all objects share, once each has it.
    for (int i = 0; i < 1500; ++i)
        objects.append("}, \"o").append(std::to_string(i)).append(R"(": {"operations": {"create": {}})");
    BOOST_TEST(contains(
        fault(small_manifest(objects, R"("defaults": {"request": "POST /", "headers": {"h": ")" + bomb + R"("}}, )")),
        "larger than 67108864 bytes once each operation has"));
    const std::string deep = R"({")" + bomb + R"(": [)" + elements + "]}";
    BOOST_TEST(fault(small_manifest(R"({"create": {"request": "POST /", "body": )" + deep + "}}")) == "");
}

BOOST_AUTO_TEST_CASE(what_was_perhaps_meant) {
    const auto check = [](const std::string &operations, const std::string &rest, const std::string &expected) {
        const std::string found = fault(small_manifest(operations, rest));
        BOOST_TEST(contains(found, expected), found << " instead of " << expected);
    };
    const auto of_create = [](const std::string &members) { return R"({"create": {)" + members + "}}"; };
    check(of_create(R"("requst": "POST /a")"), "",
          R"(create/requst is not known here; perhaps "request" is meant; the members are "request", )");
    check(of_create(R"("request": "POST /a", "row": 2)"), "", R"(; perhaps "rows" is meant; )");
    check(of_create(R"("request": "POST /a", "raet_limits": [])"), "", R"(; perhaps "rate_limits" is meant; )");
    check(create, R"("rateLimits": [], )", R"(/rateLimits is not known here; perhaps "rate_limits" is meant; )");
    check(R"({"creat": {"request": "POST /a"}})", "", R"(/creat is no operation; perhaps "create" is meant; the )");
    check(R"({"insert": {"request": "POST /a"}})", "", "/insert is no operation; the operations are");
    check(create, R"("errors": [{"status": 400, "then": "unauthorised"}], )",
          R"("outcome"; perhaps "unauthorized" is meant)");
    check(create, R"("limits": [], )", "/limits is not known here; the members are");
    check(create, "\"" + std::string(100000, 'x') + "\": 1, ", "x is not known here; the members are");
}

BOOST_AUTO_TEST_CASE(what_is_right_there) {
    const auto of = [](const std::string &members) {
        return fault(small_manifest((R"({"create": {"request": "POST /a", "rows": 2, )" + members + "}}")));
    };
    const std::string outcome = R"("body": {"$rows": {"$columns": "all"}}, "outcome": {"each": "/r", "row": )";
    BOOST_TEST(
        contains(of(outcome + R"("index"})"), R"(/outcome/row must be "position", or say where an entry names)"));
    BOOST_TEST(
        contains(of(R"("body": {"$rows": {"$columns": ["a"]}})"), R"(/$columns must be "all", or an object that)"));
}

BOOST_AUTO_TEST_CASE(reading_can_be_cancelled) {
    struct Cancelled {};
    BOOST_CHECK_THROW(Connector::parse(built_in_manifest("hubspot"), [] { throw Cancelled(); }), Cancelled);
}

BOOST_AUTO_TEST_CASE(fields_with_signs_of_pointers) {
    const Connector connector = small_connector(create);
    const Object things = connector.object("things", {});
    BOOST_TEST(things.pointer_to("a/b~c") == "/a~1b~0c");
    const Connector nested = small_connector(create, R"("values": {"read": "/properties/{field}"}, )");
    BOOST_TEST(nested.object("things", {}).pointer_to("x/y") == "/properties/x~1y");
}

BOOST_AUTO_TEST_CASE(nesting_without_end) {
    const std::string deep = std::string(200000, '[') + std::string(200000, ']');
    BOOST_TEST(contains(fault(deep), "nested too deeply"));
    BOOST_TEST(contains(
        fault_of_object(built_in_connector("http"), "endpoint", {{"base_url", "https://a.example"}, {"body", deep}}),
        "nested too deeply"));
}

BOOST_AUTO_TEST_SUITE_END()
