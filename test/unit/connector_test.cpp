#include "manifest_faults.h"

#include "engine/catalog/connector_facts.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_SUITE(the_connectors_that_come_along)

BOOST_AUTO_TEST_CASE(each_object_and_operation_compiles) {
    for (const std::string &name : built_in_connectors) {
        const Connector connector = built_in_connector(name);
        const Settings settings = typical_settings(connector);
        BOOST_TEST(connector.name() == name);
        BOOST_TEST(!connector.title().empty());
        BOOST_TEST((!connector.object_names().empty() || connector.has_others()));
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
    const auto credentials = [](const char *name) {
        std::vector<std::string> names;
        const Connector connector = built_in_connector(name);
        for (const CredentialSpec &credential : connector.credentials())
            names.push_back(credential.name);
        return names;
    };
    const std::vector<std::string> http = {"token", "username", "password", "api_key"};
    const std::vector<std::string> hubspot = {"access_token", "client_id", "client_secret", "refresh_token"};
    BOOST_TEST(credentials("http") == http);
    BOOST_TEST(credentials("hubspot") == hubspot);
    std::vector<std::string> salesforce = hubspot;
    salesforce.insert(salesforce.end(), {"username", "private_key"});
    BOOST_TEST(credentials("salesforce") == salesforce);
    BOOST_TEST(credentials("slack") == std::vector<std::string>{"bot_token"});
}

BOOST_AUTO_TEST_CASE(hubspot_contacts) {
    const Object contacts = built_in_connector("hubspot").object("contacts", {});
    BOOST_TEST(contacts.base_url == "https://api.hubapi.com");
    BOOST_TEST(contacts.key == std::vector<std::string>{"email"});
    BOOST_TEST((contacts.insert == OperationKind::upsert));
    BOOST_TEST(contacts.column_of_field("hs_object_id")->column == "id");
    BOOST_TEST(contacts.column_of_field("email")->read == "/properties/email");
    BOOST_TEST((contacts.column_of_field("email")->encoding.is(ValueForm::string)));
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
    BOOST_TEST(contact.auth[1].token->url == "https://acme.my.salesforce.com/services/oauth2/token");
    BOOST_TEST(connector.object("Contact", {{"instance", "acme"}})
                   .operation(OperationKind::list)
                   ->path.starts_with("/services/data/v"));
}

BOOST_AUTO_TEST_CASE(the_base_url_can_be_another) {
    const Object contact =
        built_in_connector("salesforce").object("Contact", {{"base_url", "http://127.0.0.1:8080/sf//"}});
    BOOST_TEST(contact.base_url == "http://127.0.0.1:8080/sf");
    BOOST_TEST(contact.auth[1].token->url == "http://127.0.0.1:8080/sf/services/oauth2/token");
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
    BOOST_TEST(contains(fault("method", "FETCH"), "The option must be one of GET, POST, PUT, PATCH, DELETE"));
    BOOST_TEST(contains(fault("outcome", "{"), "The option must be JSON"));
    BOOST_TEST(contains(fault("outcome", "magic"), "/operations/create/outcome must be one of \"status\""));
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
        BOOST_TEST(contains(fault_of_object(connector, "things", {{"odd", value}}), "/values/encode"), value);
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

BOOST_AUTO_TEST_CASE(are_values_and_never_syntax) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /lists/{list}/x?in={list}", "query": {"q": "{list}"}, "headers": {"X-List": "{list}"},
                       "rate_limits": [{"name": "one", "requests": 1, "seconds": 1, "for_each": "{list}"}],
                       "errors": [{"body": {"/a": "{list}"}, "then": "reject"}],
                       "body": {"list": "{list}", "text": "a {list} b", "{{list}}": "{{list}}"}},
            "delete": {"request": "DELETE /{object}/{list}/{key}"}})",
        R"("options": {"list": {"on": "table", "description": "-"}}, )");
    for (const char *value :
         {"{key}", "{row.email}", "{list}", "{{", "}", "a/b?c=d&e#f", "../..", "%2e", "a b", "\"", "{$rows}"}) {
        const Object things = connector.object("things", {{"list", value}});
        const OperationSpec &create = *things.operation(OperationKind::create);
        const CompiledOperation operation(things, create, {{"email", true}}, 0, {});
        const Batch batch = batch_of(operation, {{"ada@x"}});
        std::string encoded;
        append_percent_encoded(encoded, value);
        BOOST_TEST(operation.url(&batch, "") ==
                   "https://api.example.com/lists/" + encoded + "/x?in=" + encoded + "&q=" + encoded);
        BOOST_TEST(create.headers[0].second == value);
        BOOST_TEST((create.errors[0].body[0].demand.in[0] == Scalar(value)));
        BOOST_TEST(CompiledOperation::expand(operation.rate_limits()[0].scope, &batch, "", true) == encoded);
        std::string text;
        append_json_string(text, value);
        text = text.substr(1, text.size() - 2);
        std::string body = Batch(batch).body();
        BOOST_TEST(body == R"({"list":")" + text + R"(","text":"a )" + text + R"( b","{list}":"{list}"})");
    }
    for (const char *value : {"", ".", ".."})
        BOOST_TEST(contains(fault_of_object(connector, "things", {{"list", value}}), "must not be empty"), value);
    BOOST_TEST(contains(fault_of_object(connector, "things", {{"list", "a\r\nX: y"}}), "must not hold a line break"));
}

BOOST_AUTO_TEST_CASE(have_a_type) {
    const auto manifest = [](const std::string &option) {
        return small_manifest(create, R"("options": {"o": {"on": "table", "description": "-")" + option + "}}, ");
    };
    const auto check = [&](const std::string &option, std::initializer_list<const char *> right,
                           std::initializer_list<const char *> wrong) {
        const Connector connector = Connector::parse(manifest(option));
        for (const char *value : right)
            BOOST_TEST(fault_of_object(connector, "things", {{"o", value}}) == "", option << " " << value);
        for (const char *value : wrong)
            BOOST_TEST(contains(fault_of_object(connector, "things", {{"o", value}}), "option \"o\""),
                       option << " " << value);
    };
    check(R"(, "type": "integer")", {"0", "-3", "42"}, {"", "1.5", "x", "1 ", "99999999999999999999"});
    check(R"(, "type": "boolean")", {"true", "false"}, {"", "yes", "1", "TRUE"});
    check(R"(, "type": "label")", {"eu", "a-1", "X"}, {"", "-a", "a-", "a.b", "a/b", "127.0.0.1:42953/", "a b"});
    check(R"(, "type": "host")", {"a.example", "localhost:80", "127.0.0.1"},
          {"", ".", "a..b", "a.example/", "a@b", "a:b", "a:123456", "a#b", "[::1]"});
    check(R"(, "type": "url")", {"https://a.example", "http://a:1/b"},
          {"", "ftp://a", "https://", "https://u@a", "https://a?b", "https://a#b", "https://a\\b", "https://{b}"});
    check(R"(, "one_of": ["a", "b"])", {"a", "b"}, {"", "c", "ab"});
    check(R"(, "pattern": "v[0-9]+")", {"v1", "v61"}, {"", "v", "1v", "v1 "});
    check(R"(, "type": "json")", {"{}", "word", "1"}, {"{", "[1"});
    const auto refused = [&](const std::string &option) { return fault(manifest(option)); };
    BOOST_TEST(contains(refused(R"(, "type": "secret")"), "/options/o/type must not be \"secret\""));
    BOOST_TEST(contains(refused(R"(, "type": "float")"), "/options/o/type must be one of"));
    BOOST_TEST(contains(refused(R"(, "type": "integer", "default": "1")"), "/options/o/default must be an integer"));
    BOOST_TEST(contains(refused(R"(, "type": "boolean", "default": 1)"), "/options/o/default must be true or false"));
    BOOST_TEST(contains(refused(R"(, "type": "label", "default": "a/b")"), "/options/o/default must be one part of"));
    BOOST_TEST(contains(refused(R"(, "one_of": ["a"], "example": "b")"), "/options/o/example must be one of a"));
    BOOST_TEST(contains(refused(R"(, "one_of": [])"), "/options/o/one_of must not be empty"));
    BOOST_TEST(contains(refused(R"(, "pattern": "(a+)+")"), "/options/o/pattern is no pattern"));
    BOOST_TEST(contains(refused(R"(, "required": true, "default": "a")"), "/options/o/default must not stand"));
    BOOST_TEST(contains(fault_of_object(Connector::parse(manifest(R"(, "required": true)")), "things", {}),
                        "needs the option \"o\""));
}

BOOST_AUTO_TEST_CASE(of_numbers_and_flags_become_such) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /x/{n}", "rows": "{n}", "idempotent": "{b}",
                       "body": {"n": "{n}", "b": "{b}", "t": "{n}{b}", "all": {"$rows": {"$columns": "all"}}}}})",
        R"("options": {"n": {"on": "table", "type": "integer", "default": 7, "description": "-"},
                       "b": {"on": "table", "type": "boolean", "example": false, "description": "-"}}, )");
    const Object things = connector.object("things", {{"b", "true"}});
    const OperationSpec &create = *things.operation(OperationKind::create);
    BOOST_TEST(create.path == "/x/7");
    BOOST_TEST(create.rows == 7);
    BOOST_TEST(create.idempotent);
    const CompiledOperation operation(things, create, {{"email", true}}, -1, {});
    BOOST_TEST(operation.frame().prefix == R"({"n":7,"b":true,"t":"7true","all":[)");
}

BOOST_AUTO_TEST_CASE(cannot_choose_the_host_by_what_may_be_anything) {
    const auto of = [](const std::string &option, const std::string &url = "https://{o}.example.com/{p}") {
        return replaced(
            small_manifest(create, R"("options": {"o": {"on": "server", "description": "-")" + option +
                                       R"(}, "p": {"on": "server", "default": "v1", "description": "-"}}, )"),
            "https://api.example.com", url);
    };
    BOOST_TEST(contains(fault(of("")), "/base_url \"{o}\" stands in the host"));
    BOOST_TEST(contains(fault(of(R"(, "type": "path")")), "/base_url \"{o}\" stands in the host"));
    for (const char *option : {R"(, "type": "label")", R"(, "type": "host")", R"(, "pattern": "[a-z]+")",
                               R"(, "one_of": ["eu", "us"])", R"(, "pattern": ".*")"}) {
        const Connector connector = Connector::parse(of(option));
        BOOST_TEST(connector.object("things", {{"o", "eu"}}).base_url == "https://eu.example.com/v1");
        for (const char *value : {"127.0.0.1:42953/", "a.example/", "a@b", "a#", "a?", "a\\b", ""})
            BOOST_TEST(fault_of_object(connector, "things", {{"o", value}}) != "", option << " " << value);
        BOOST_TEST(connector.object("things", {{"o", "eu"}, {"p", "a/b?c"}}).base_url ==
                   "https://eu.example.com/a%2Fb%3Fc");
    }
    const std::string oauth =
        replaced(of(R"(, "type": "label")"), R"({"kind": "none"})",
                 R"({"kind": "oauth2", "grant": "client_credentials", "token_url": "https://{p}/t",
                                           "client_id": "{id}", "client_secret": "{s}"},
                     "credentials": {"id": {"description": "-"}, "s": {"description": "-"}})");
    BOOST_TEST(contains(fault(oauth), "/auth/token_url \"{p}\" stands in the host"));
    BOOST_TEST(
        contains(fault(replaced(oauth, "https://{p}/t", "https://{id}/t")), "/auth/token_url \"{id}\" is no option"));
    BOOST_TEST(fault(replaced(oauth, "https://{p}/t", "https://{o}.a.example/t")) == "");
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

BOOST_AUTO_TEST_CASE(rules_and_limits_of_the_defaults_are_added) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /a", "errors": [{"status": 400, "then": "accept"}],
                       "rate_limits": [{"name": "own", "requests": 1, "seconds": 1}]},
            "upsert": {"request": "PUT /a"}})",
        R"("defaults": {"errors": [{"status": 401, "then": "wait"}],
                        "rate_limits": [{"name": "default", "concurrent": 2}]},
           "errors": [{"status": 402, "then": "stop"}], )");
    const Object things = connector.object("things", {});
    const auto statuses = [&](OperationKind kind) {
        std::string found;
        for (const ErrorRule &rule : things.operation(kind)->errors)
            found += std::to_string(rule.statuses[0]) + " ";
        for (const RateLimitSpec &limit : things.operation(kind)->rate_limits)
            found += limit.name + " ";
        return found;
    };
    BOOST_TEST(statuses(OperationKind::create) == "400 401 402 own default ");
    BOOST_TEST(statuses(OperationKind::upsert) == "401 402 default ");
}

BOOST_AUTO_TEST_CASE(the_shortest_time_that_limits_permit) {
    const Connector connector = small_connector(create, R"("rate_limits": [
        {"name": "burst", "requests": 10, "seconds": 2}, {"name": "day", "requests": 25, "seconds": 100},
        {"name": "row", "requests": 1, "seconds": 1000, "for_each": "{row.email}"}, {"name": "now", "concurrent": 1}], )");
    const Object things = connector.object("things", {});
    const OperationSpec &operation = things.operations.at(OperationKind::create);
    const std::pair<int, double> expected[] = {{0, 0},  {1, 0},  {10, 0},   {11, 2},
                                               {21, 4}, {25, 4}, {26, 100}, {51, 200}};
    for (auto [requests, seconds] : expected)
        BOOST_TEST(operation.shortest_seconds(requests) == seconds, requests << " requests");
}

BOOST_AUTO_TEST_CASE(who_knows_how_many_rows_a_request_takes) {
    const auto by_table = [](const std::string &connector, const std::string &object, const Settings &settings) {
        return built_in_connector(connector)
            .object(object, settings)
            .operations.at(OperationKind::upsert)
            .rows_by_table;
    };
    BOOST_TEST(by_table("http", "endpoint", {{"base_url", "https://a.example"}, {"key", "id"}}));
    BOOST_TEST(!by_table("hubspot", "contacts", {}));
}

BOOST_AUTO_TEST_CASE(columns_of_all_objects) {
    const Connector connector = small_connector(create, R"("columns": {"Uid": {"type": "text", "write": false},
        "name": "integer"}, "values": {"read": "/fields/{field}"}, )");
    const Object things = connector.object("things", {});
    BOOST_TEST(things.columns.size() == 4u);
    BOOST_TEST(things.columns[0].field == "Uid");
    BOOST_TEST(things.columns[0].column == "uid");
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
