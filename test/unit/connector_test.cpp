#include "engine/manifest/connector.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

std::string text_of(const ManifestError &error) {
    return error.pointer + " " + error.what();
}

/// What is wrong with a manifest: the JSON pointer and the message; "" if nothing.
std::string fault(const std::string &manifest) {
    try {
        Connector::parse(manifest);
        return "";
    } catch (const ManifestError &error) {
        return text_of(error);
    }
}

std::string fault_of_object(const Connector &connector, const std::string &object, const Settings &settings) {
    try {
        connector.object(object, settings);
        return "";
    } catch (const ManifestError &error) {
        return text_of(error);
    } catch (const SettingError &error) {
        return std::string(error.what()) + " " + error.hint;
    }
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
    return text.replace(text.find(from), from.size(), to);
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

const std::string create = R"({"create": {"request": "POST /things", "body": {"$columns": "all"}}})";

} // namespace

BOOST_AUTO_TEST_SUITE(the_connectors_that_come_along)

BOOST_AUTO_TEST_CASE(each_object_and_operation_compiles) {
    const Settings settings = {{"base_url", "https://example.com"}, {"instance", "acme"}};
    for (const char *name : built_in_connectors) {
        const Connector connector = built_in_connector(name);
        BOOST_TEST(connector.name() == name);
        BOOST_TEST(!connector.title().empty());
        BOOST_TEST(!connector.object_names().empty());
        for (const std::string &object_name : connector.object_names()) {
            const Object object = connector.object(object_name, settings);
            BOOST_TEST(!object.operations.empty());
            std::vector<StatementColumn> columns;
            for (const ColumnSpec &column : object.columns)
                columns.push_back({column.field, column.writable});
            if (columns.empty())
                columns.push_back({"email", true});
            for (const auto &[kind, spec] : object.operations) {
                BOOST_TEST_CONTEXT(name << " " << object_name << " " << operation_name(kind)) {
                    const CompiledOperation operation(object, spec, columns, 0, {"email"});
                    BOOST_TEST(operation.request_line().starts_with(spec.method + " "));
                    BOOST_TEST(!contains(operation.request_line(), "{object}"));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(they_name_their_credentials) {
    const auto credentials = [](const char *name) { return built_in_connector(name).credentials(); };
    const std::vector<std::string> http = {"token", "username", "password", "api_key"};
    const std::vector<std::string> hubspot = {"access_token", "client_id", "client_secret", "refresh_token"};
    BOOST_TEST(credentials("http") == http);
    BOOST_TEST(credentials("hubspot") == hubspot);
    BOOST_TEST(credentials("salesforce") == hubspot);
    BOOST_TEST(credentials("slack") == std::vector<std::string>{"bot_token"});
}

BOOST_AUTO_TEST_CASE(hubspot_contacts) {
    const Object contacts = built_in_connector("hubspot").object("contacts", {});
    BOOST_TEST(contacts.base_url == "https://api.hubapi.com");
    BOOST_TEST(contacts.key == std::vector<std::string>{"email"});
    BOOST_TEST((contacts.insert == OperationKind::upsert));
    BOOST_TEST(contacts.column_of_field("hs_object_id")->column == "id");
    BOOST_TEST(contacts.column_of_field("email")->read == "/properties/email");
    BOOST_TEST((contacts.column_of_field("email")->encoding == ValueEncoding::string));
    BOOST_TEST(contacts.column_of_field("nonsense") == nullptr);
    const OperationSpec &upsert = *contacts.operation(OperationKind::upsert);
    BOOST_TEST(upsert.path == "/crm/v3/objects/contacts/batch/upsert");
    BOOST_TEST(upsert.rows == 100);
    BOOST_TEST(upsert.idempotent);
    BOOST_TEST(upsert.results.size() == 2u);
    BOOST_TEST(!upsert.errors.empty());
    BOOST_TEST(!upsert.rate_limits.empty());
    BOOST_TEST(!contacts.operation(OperationKind::create)->idempotent);
    BOOST_TEST(contacts.operation(OperationKind::remove)->results.empty());

    const Object companies = built_in_connector("hubspot").object("companies", {});
    BOOST_TEST((companies.insert == OperationKind::create)); // no key, nothing to find a row by
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(are_filled_in_wherever_they_stand) {
    const Connector connector = built_in_connector("salesforce");
    const Object contact = connector.object("Contact", {{"instance", "acme"}, {"api_version", "v99.0"}});
    BOOST_TEST(contact.base_url == "https://acme.my.salesforce.com");
    BOOST_TEST(contact.operation(OperationKind::create)->path == "/services/data/v99.0/composite/sobjects");
    BOOST_TEST(contact.auth[1].parameter("token_url") == "https://acme.my.salesforce.com/services/oauth2/token");
    BOOST_TEST(connector.object("Contact", {{"instance", "acme"}})
                   .operation(OperationKind::list)
                   ->path.starts_with("/services/data/v"));
}

BOOST_AUTO_TEST_CASE(the_base_url_can_be_another) {
    const Object contact =
        built_in_connector("salesforce").object("Contact", {{"base_url", "http://127.0.0.1:8080/sf//"}});
    BOOST_TEST(contact.base_url == "http://127.0.0.1:8080/sf");
    BOOST_TEST(contact.auth[1].parameter("token_url") == "http://127.0.0.1:8080/sf/services/oauth2/token");
}

BOOST_AUTO_TEST_CASE(one_that_is_missing_is_named) {
    const std::string fault = fault_of_object(built_in_connector("salesforce"), "Contact", {});
    BOOST_TEST(contains(fault, "needs the server option \"instance\""), fault);
}

BOOST_AUTO_TEST_CASE(one_may_name_another) {
    const Object endpoint =
        built_in_connector("http").object("endpoint", {{"base_url", "https://a.example"}, {"path", "/v1/people"}});
    BOOST_TEST(endpoint.operation(OperationKind::update)->path == "/v1/people/{key}");
    BOOST_TEST(endpoint.operation(OperationKind::create)->method == "POST");
}

BOOST_AUTO_TEST_CASE(of_type_json_become_json) {
    const Object endpoint = built_in_connector("http").object(
        "endpoint", {{"base_url", "https://a.example"},
                     {"headers", R"({"X-Team": "data"})"},
                     {"body", R"({"people": {"$rows": {"$columns": "all"}}})"},
                     {"outcome", R"({"each": "/results", "row": "position", "accepted_when": {"/ok": true}})"}});
    BOOST_TEST(endpoint.headers.size() == 1u);
    BOOST_TEST(endpoint.headers[0].second == "data");
    const OperationSpec &create = *endpoint.operation(OperationKind::create);
    BOOST_TEST(create.results.size() == 1u);
    BOOST_TEST(create.results[0].by_position);
    const CompiledOperation operation(endpoint, create, {{"email", true}}, -1, {});
    BOOST_TEST(operation.frame().prefix == R"({"people":[)");
}

BOOST_AUTO_TEST_CASE(of_type_json_may_be_a_bare_word) {
    const Connector connector = built_in_connector("http");
    const Settings settings = {{"base_url", "https://a.example"}, {"outcome", "status"}};
    BOOST_TEST(connector.object("endpoint", settings).operation(OperationKind::create)->results.empty());
}

BOOST_AUTO_TEST_CASE(that_make_the_manifest_wrong_are_refused_with_the_place) {
    const Connector connector = built_in_connector("http");
    const auto fault = [&](const char *option, const char *value) {
        return fault_of_object(connector, "endpoint", {{"base_url", "https://a.example"}, {option, value}});
    };
    BOOST_TEST(contains(fault("method", "FETCH"), "/objects/endpoint/operations/create/request its method must be"));
    BOOST_TEST(contains(fault("outcome", "{"), "/operations/create/outcome must be one of \"status\""));
    BOOST_TEST(contains(fault("headers", "[1]"), "/headers must be an object"));
    BOOST_TEST(contains(fault("headers", R"({"X": 1})"), "/headers/X must be a string"));
    BOOST_TEST(contains(fault("body", R"({"a": "{nonsense}"})"), "/body/a \"{nonsense}\" is neither"));
    BOOST_TEST(contains(fault("next", R"({"pages": "/x"})"), "/next/pages is not known here"));
    BOOST_TEST(contains(fault("next", R"({"page": "/x"})"), "/next/page must be an integer from 0 on"));
    BOOST_TEST(contains(fault("next", R"({"offset": -1})"), "/next/offset must be an integer from 0 on"));
    BOOST_TEST(contains(fault("next", R"({"offset": 0, "page": 1})"), "/next must have one member"));
    BOOST_TEST(contains(fault("item_path", "/people"), "/update names no row"));
    BOOST_TEST(contains(fault("path", "/x#y"), "must not hold \"#\""));
    for (const char *url : {"https://a.example/x?y=1", "https://a.example#"})
        BOOST_TEST(contains(fault_of_object(connector, "endpoint", {{"base_url", url}}), "must not hold \"?\" or"));
    BOOST_TEST(contains(fault("records", "data"), "must be a JSON pointer"));
}

BOOST_AUTO_TEST_CASE(make_one_path_and_one_query) {
    const auto paths = [](const Settings &options) {
        Settings settings = options;
        settings["base_url"] = "https://a.example";
        const Object endpoint = built_in_connector("http").object("endpoint", settings);
        return endpoint.operation(OperationKind::list)->path + " " + endpoint.operation(OperationKind::remove)->path;
    };
    BOOST_TEST(paths({{"path", "/items"}}) == "/items /items/{key}");
    BOOST_TEST(paths({{"path", "/items/"}}) == "/items/ /items/{key}");
    BOOST_TEST(paths({{"path", "/items?tenant=1"}}) == "/items?tenant=1 /items/{key}?tenant=1");
    BOOST_TEST(paths({{"path", "/items/?a=1&b=2"}}) == "/items/?a=1&b=2 /items/{key}?a=1&b=2");
    BOOST_TEST(paths({{"path", "/items?tenant=1"}, {"item_path", "{path}/{key}/x?full=1"}}) ==
               "/items?tenant=1 /items/{key}/x?tenant=1&full=1");
    BOOST_TEST(paths({{"item_path", "/item?id={key}&all=0"}}) == " /item?id={key}&all=0");
}

BOOST_AUTO_TEST_CASE(in_every_value_are_checked_as_the_manifest_is) {
    // What an option may make of a place that is read without a look at its kind.
    const std::string manifest = small_manifest(
        create, R"("options": {"odd": {"on": "server", "type": "json", "default": "native", "description": "-"}},
                   "values": {"encode": "{odd}", "read": "/{field}", "clear": null}, )");
    const Connector connector = Connector::parse(manifest);
    for (const char *value : {"sideways", "1", "null", "{}", "[]", "[[]]", "true", "\"\""})
        BOOST_TEST(contains(fault_of_object(connector, "things", {{"odd", value}}), "/values/encode "), value);
    BOOST_TEST(contains(fault_of_object(connector, "things", {{"odd", "1e999"}}), "a number that is too large"));
    BOOST_TEST(contains(fault(R"({"manifest": 1e999})"), "a number that is too large"));
    for (const char *place :
         {"\"objects\": {\"things\": ", "\"values\": ", "\"reason\": ", "\"errors\": ", "\"headers\": ",
          "\"rate_limits\": ", "\"columns\": ", "\"operations\": ", "\"defaults\": "}) {
        std::string text = R"({"manifest": 1, "name": "small", "title": "Small", "base_url": "https://a.example",
            "auth": {"kind": "none"}, "options": {"odd": {"on": "table", "type": "json", "description": "-"}}, )";
        const bool is_object = contains(place, "objects");
        text += std::string(place) + "\"{odd}\"" + (is_object ? "}}" : R"(, "objects": {"things": {}}})");
        for (const char *value : {"1", "null", "{}", "[]", "[1]", R"({"a": 1})", "x"})
            BOOST_CHECK_NO_THROW([&] {
                try {
                    Connector::parse(text).object("things", {{"odd", value}});
                } catch (const ManifestError &) {
                } catch (const SettingError &) {
                }
            }());
    }
}

BOOST_AUTO_TEST_CASE(an_object_that_does_not_exist) {
    const std::string fault = fault_of_object(built_in_connector("slack"), "emails", {});
    BOOST_TEST(contains(fault, "has no object \"emails\""));
    BOOST_TEST(contains(fault, "messages, users, channels"));
}

BOOST_AUTO_TEST_CASE(the_key_can_be_another_field) {
    const Object companies = built_in_connector("hubspot").object("companies", {{"key", "domain"}});
    BOOST_TEST(companies.key == std::vector<std::string>{"domain"});
    BOOST_TEST((companies.insert == OperationKind::upsert));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(what_is_said_once)

BOOST_AUTO_TEST_CASE(own_members_come_before_shared_ones_and_those_before_defaults) {
    const Connector connector =
        small_connector(R"({"create": {"rows": 3}, "update": {"request": "PUT /own/{key}", "rows": 4}, "delete": {}})",
                        R"("defaults": {"rows": 1, "bytes": 1000, "body": {"$columns": "all"}},
           "operations": {"create": {"request": "POST /shared", "rows": 2},
                          "update": {"request": "PATCH /shared/{key}", "bytes": 2000},
                          "upsert": {"request": "PUT /shared"},
                          "delete": {"request": "DELETE /shared", "body": {"id": "{key}"}}}, )");
    const Object things = connector.object("things", {});
    const auto check = [&](OperationKind kind, const char *method, const char *path, int rows, std::size_t bytes) {
        const OperationSpec &spec = *things.operation(kind);
        BOOST_TEST(spec.method == method);
        BOOST_TEST(spec.path == path);
        BOOST_TEST(spec.rows == rows);
        BOOST_TEST(spec.bytes == bytes);
    };
    check(OperationKind::create, "POST", "/shared", 3, 1000);
    check(OperationKind::update, "PUT", "/own/{key}", 4, 2000);
    check(OperationKind::upsert, "PUT", "/shared", 1, 1000);
    check(OperationKind::remove, "DELETE", "/shared", 1, 1000);
    BOOST_TEST(things.operation(OperationKind::list) == nullptr);
}

BOOST_AUTO_TEST_CASE(rules_and_limits_of_an_operation_stand_before_the_connectors) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /things", "errors": [{"status": 409, "then": "accept"}],
                       "rate_limits": [{"name": "own", "requests": 1, "seconds": 1}]}})",
        R"("errors": [{"status": 409, "then": "reject"}],
           "rate_limits": [{"name": "all", "requests": 10, "seconds": 1}], "reason": ["/a", "/b"], )");
    const OperationSpec create = *connector.object("things", {}).operation(OperationKind::create);
    BOOST_TEST(create.errors.size() == 2u);
    BOOST_TEST((create.errors[0].then == Action::accept));
    BOOST_TEST((create.errors[1].then == Action::reject));
    BOOST_TEST(create.rate_limits[0].name == "own");
    BOOST_TEST(create.rate_limits[1].name == "all");
    BOOST_TEST((create.reason == Pointers{"/a", "/b"}));
}

BOOST_AUTO_TEST_CASE(columns_of_all_objects) {
    const Connector connector = small_connector(create, R"("columns": {"Id": {"type": "text", "write": false},
        "name": "integer"}, "values": {"read": "/fields/{field}"}, )");
    const Object things = connector.object("things", {});
    BOOST_TEST(things.columns.size() == 3u);
    BOOST_TEST(things.columns[0].field == "Id");
    BOOST_TEST(things.columns[0].column == "id");
    BOOST_TEST(!things.columns[0].writable);
    BOOST_TEST(things.column_of_field("name")->type == "text"); // the object's own
    BOOST_TEST(things.column_of_field("name")->read == "/fields/name");
}

BOOST_AUTO_TEST_CASE(an_object_that_is_always_created) {
    const std::string operations = R"({"create": {"request": "POST /a"}, "upsert": {"request": "PUT /a"}})";
    BOOST_TEST((small_connector(operations).object("things", {}).insert == OperationKind::upsert));
    const std::string creates = replaced(small_manifest(operations), R"("key":)", R"("insert": "create", "key":)");
    BOOST_TEST((Connector::parse(creates).object("things", {}).insert == OperationKind::create));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(a_sound_manifest_has_none) {
    BOOST_TEST(fault(small_manifest(create)) == "");
}

BOOST_AUTO_TEST_CASE(of_the_whole) {
    BOOST_TEST(contains(fault(""), " is not JSON, at byte 1"));
    BOOST_TEST(contains(fault("{\"a\": \xff}"), " is not JSON, at byte"));
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
    BOOST_TEST(contains(of(R"("errors": [{"body": {"/a": {}}, "then": "wait"}], )"), "/errors/0/body/~1a must be"));
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

BOOST_AUTO_TEST_CASE(a_base_url_that_is_no_text) {
    const std::string manifest =
        replaced(small_manifest(create, R"("options": {"where": {"on": "server", "type": "json", "description": "a",
                                                                 "default": {}}}, )"),
                 "https://api.example.com", "{where}");
    BOOST_TEST(contains(fault_of_object(Connector::parse(manifest), "things", {}), "/base_url must be a string"));
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
