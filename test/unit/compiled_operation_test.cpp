#include "engine/requests/compiled_operation.h"

#include "connector_fixture.h"

#include "engine/catalog/connector_facts.h"
#include "engine/text/json.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace reverse_etl;

namespace {

using Fields = std::vector<std::string>;

/// The create of a small connector whose body is this template.
struct WithBody : BoundOperation {
    WithBody(const std::string &body, const Fields &written = {"email", "name"}, const std::string &key = "email",
             const std::string &more = "")
        : BoundOperation(
              small_connector(R"({"create": {"request": "POST /things", "rows": 100, "body": )" + body + more + "}}"),
              "things", OperationKind::create, written, key, {}, {"id", "na\"me"}) {}

    std::string body(const std::vector<Values> &rows) const { return batch_of(operation, rows).body(); }
};

/// The list of a small connector with this path and query, or another operation.
struct WithUrl : BoundOperation {
    WithUrl(const std::string &path, const std::string &query = "{}", const Fields &asked_for = {"id", "name"},
            OperationKind kind = OperationKind::list)
        : BoundOperation(small_connector(std::string("{\"") + operation_name(kind) + R"(": {"request": "GET )" + path +
                                         R"(", "query": )" + query + "}}"),
                         "things", kind, {"email", "name"}, "email", {}, asked_for) {}

    std::string url(const std::vector<Values> &rows, std::string_view cursor = "") const {
        const Batch batch = batch_of(operation, rows);
        return operation.url(&batch, cursor);
    }
};

std::string fault(const std::string &body, const Fields &written, const std::string &key) {
    try {
        WithBody(body, written, key);
        return "";
    } catch (const SettingError &error) {
        return error.what();
    }
}

const std::string host = "https://api.example.com";

} // namespace

BOOST_AUTO_TEST_SUITE(bodies)

BOOST_AUTO_TEST_CASE(rows_within_a_frame) {
    const WithBody things(R"({"all": false, "inputs": {"$rows": {"properties": {"$columns": "all"}}}, "n": 1.50})");
    BOOST_TEST(things.body({{"a@b.c", "Ada"}, {"d@e.f", "say \"hi\"\n"}}) ==
               R"({"all":false,"inputs":[{"properties":{"email":"a@b.c","name":"Ada"}},)"
               R"({"properties":{"email":"d@e.f","name":"say \"hi\"\n"}}],"n":1.5})");
    BOOST_TEST(things.operation.rows_per_batch() == 100u);
    BOOST_TEST(!things.operation.one_row());
}

BOOST_AUTO_TEST_CASE(rows_alone) {
    BOOST_TEST(WithBody(R"({"$rows": {"$columns": "all"}})").body({{"a", "b"}, {"c", "d"}}) ==
               R"([{"email":"a","name":"b"},{"email":"c","name":"d"}])");
    BOOST_TEST(WithBody(R"({"$rows": "{key}"})").body({{"a", "b"}, {"c", "d"}}) == R"(["a","c"])");
    BOOST_TEST(WithBody(R"([1, {"$rows": ["{key}"]}, 2])").body({{"a", "b"}, {"c", "d"}}) == R"([1,[["a"],["c"]],2])");
}

BOOST_AUTO_TEST_CASE(one_row_a_request) {
    const WithBody things(R"({"$columns": "all"})");
    BOOST_TEST(things.body({{"a", "b"}}) == R"({"email":"a","name":"b"})");
    BOOST_TEST(things.operation.one_row());
    BOOST_TEST(things.operation.rows_per_batch() == 1u);
}

BOOST_AUTO_TEST_CASE(columns_are_spread_behind_what_stands_there) {
    const WithBody things(R"({"$rows": {"type": {"a": 1}, "$columns": "all"}})");
    BOOST_TEST(things.body({{"a", std::nullopt}, {"c", "d"}}) ==
               R"([{"type":{"a":1},"email":"a"},{"type":{"a":1},"email":"c","name":"d"}])");
    BOOST_TEST(WithBody(R"({"a": {"$columns": "all"}, "b": 1})", {"name"}, "").body({{std::nullopt}}) ==
               R"({"a":{},"b":1})");
}

BOOST_AUTO_TEST_CASE(columns_that_only_name_the_row_are_not_among_them) {
    const WithBody things(R"({"id": "{key}", "$columns": "all"})", {"name"}, "email");
    BOOST_TEST(things.body({{"Ada", "a@b.c"}}) == R"({"id":"a@b.c","name":"Ada"})");
}

BOOST_AUTO_TEST_CASE(placeholders_alone_and_within_text) {
    const WithBody things(
        R"({"$rows": {"id": "{key}", "by": "{key_field}", "n": "{row_number}", "name": "{row.name}",
                      "text": "\"{row.name}\" <{key}> no. {row_number}", "none": "{{ }}"}})");
    BOOST_TEST(things.body({{"a@b.c", "Q\"\\\n\u00e9"}}) ==
               "[{\"id\":\"a@b.c\",\"by\":\"email\",\"n\":\"1\",\"name\":\"Q\\\"\\\\\\n\u00e9\","
               "\"text\":\"\\\"Q\\\"\\\\\\n\u00e9\\\" <a@b.c> no. 1\",\"none\":\"{ }\"}]");
}

BOOST_AUTO_TEST_CASE(a_row_number_that_is_a_number) {
    const WithBody things(R"({"$rows": {"n": {"$number": "{row_number}"}, "$columns": "all"}})");
    BOOST_TEST(things.body({{"a", std::nullopt}, {"b", "c"}}) ==
               R"([{"n":1,"email":"a"},{"n":2,"email":"b","name":"c"}])");
}

BOOST_AUTO_TEST_CASE(fields_are_a_list) {
    const BoundOperation things(small_connector(R"({"lookup": {"request": "POST /things", "rows": 100,
                            "body": {"properties": "{fields}", "inputs": {"$rows": {"id": "{key}"}}}}})"),
                                "things", OperationKind::lookup, {}, "email", {}, {"id", "na\"me"});
    BOOST_TEST(batch_of(things.operation, {{"a"}}).body() == R"({"properties":["id","na\"me"],"inputs":[{"id":"a"}]})");
}

BOOST_AUTO_TEST_CASE(names_are_escaped) {
    const std::string body = R"({"a\"b": {"$rows": {"c\\d": 1, "$columns": "all"}}})";
    BOOST_TEST(WithBody(body, {"e\"f"}, "").body({{"g"}}) == R"({"a\"b":[{"c\\d":1,"e\"f":"g"}]})");
}

BOOST_AUTO_TEST_CASE(forms) {
    const std::string form = R"(, "format": "form")";
    BOOST_TEST(WithBody(R"({"$columns": "all"})", {"email", "name"}, "", form).body({{"a&b=c d", "\u00e9\r\n"}}) ==
               "email=a%26b%3Dc%20d&name=%C3%A9%0D%0A");
    BOOST_TEST(
        WithBody(R"({"channel": "{row.email}", "$columns": "all"})", {"email", "name"}, "", form).body({{"C1", "x"}}) ==
        "channel=C1&email=C1&name=x");
    BOOST_TEST(WithBody(R"({"a": {"b": {"c": "{row.name}!"}}, "n": 1, "t": true, "who": "{key_field} {row_number}"})",
                        {"email", "name"}, "email", form)
                   .body({{"a", "b"}}) == "a%5Bb%5D%5Bc%5D=b%21&n=1&t=true&who=email%201");
    BOOST_TEST(WithBody(R"({"properties": {"$columns": "all"}})", {"email", "name"}, "", form).body({{"a", "b"}}) ==
               "properties%5Bemail%5D=a&properties%5Bname%5D=b");
    BOOST_TEST(WithBody(R"({"$columns": "all"})", {"email"}, "", form).operation.one_row());
    BOOST_TEST(WithBody(R"({"$columns": "all"})", {"email", "name"}, "", form).body({{std::nullopt, "b"}}) == "name=b");
}

BOOST_AUTO_TEST_CASE(a_column_that_is_missing_is_named) {
    BOOST_TEST(fault(R"({"a": "{row.phone}"})", {"email"}, "email") ==
               "operation \"create\" of \"things\" needs a value for field \"phone\"");
    BOOST_TEST(fault(R"({"a": "x {row.phone}"})", {"email"}, "email") ==
               "operation \"create\" of \"things\" needs a value for field \"phone\"");
    BOOST_TEST(fault(R"({"a": "{key}"})", {"name"}, "") ==
               "operation \"create\" of \"things\" needs a column that names the row");
}

BOOST_AUTO_TEST_CASE(an_option_that_is_not_set_is_named) {
    const Connector connector = small_connector(R"({"create": {"request": "POST /{ab}", "body": {"a": "{ab}"}}})",
                                                R"("options": {"ab": {"on": "table", "description": "no default"}}, )");
    BOOST_CHECK_EXCEPTION(
        BoundOperation(connector, "things", OperationKind::create, {"name"}), SettingError,
        [](const SettingError &error) { return std::string(error.what()).ends_with("needs the option \"ab\""); });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(urls)

BOOST_AUTO_TEST_CASE(what_comes_from_a_row_is_escaped) {
    const WithUrl things("/v1/{key}/{row.name}", "{}", {}, OperationKind::lookup);
    BOOST_TEST(things.url({{"a/b?c#d&e%f", "x\r\nHost: evil\t\u00e9"}}) ==
               host + "/v1/a%2Fb%3Fc%23d%26e%25f/x%0D%0AHost%3A%20evil%09%C3%A9");
    BOOST_TEST(things.url({{std::string("a\0b", 3), "."}}) == host + "/v1/a%00b/.");
    BOOST_TEST(things.operation.path_names_row());
    BOOST_TEST(things.operation.one_row());
    BOOST_TEST(things.operation.request_line() == "GET /v1/{key}/{row.name}");
}

BOOST_AUTO_TEST_CASE(query_parameters) {
    const WithUrl things("/v1/things", R"({"a b": "x y&{key}", "list": "{fields}", "each": ["{fields}"],
                                           "fixed": ["one"], "by": "{key_field}"})",
                         {"id", "name"}, OperationKind::lookup);
    BOOST_TEST(things.url({{"a=b&c", "n"}}) ==
               host + "/v1/things?a%20b=x%20y%26a%3Db%26c&list=id%2Cname&each=id&each=name&fixed=one&by=email");
    BOOST_TEST(!things.operation.path_names_row());
    BOOST_TEST(things.operation.one_row());
}

BOOST_AUTO_TEST_CASE(no_fields_are_no_parameter) {
    BOOST_TEST(WithUrl("/v1", R"({"each": ["{fields}"]})", {}).url({{"a", "b"}}) == host + "/v1");
}

BOOST_AUTO_TEST_CASE(a_cursor_is_left_out_of_the_first_page) {
    const WithUrl things("/v1", R"({"limit": "100", "after": "{cursor}"})");
    BOOST_TEST(things.url({}, "") == host + "/v1?limit=100");
    BOOST_TEST(things.url({}, "a=&b") == host + "/v1?limit=100&after=a%3D%26b");
}

BOOST_AUTO_TEST_CASE(a_path_with_a_query_of_its_own) {
    BOOST_TEST(WithUrl("/v1?tenant=1", R"({"a": "b"})").url({}) == host + "/v1?tenant=1&a=b");
}

BOOST_AUTO_TEST_CASE(keys_of_all_rows) {
    const WithUrl things("/v1", R"({"ids": "{keys}"})", {}, OperationKind::lookup);
    BOOST_TEST(things.url({{"a", "x"}, {"b,c", "y"}, {"d", "z"}}) == host + "/v1?ids=a%2Cb%2Cc%2Cd");
    BOOST_TEST(!things.operation.one_row());
    BOOST_TEST(!things.operation.path_names_row());
    const WithUrl repeated("/v1", R"({"records[]": ["{keys}"], "of": ["all"]})", {}, OperationKind::lookup);
    BOOST_TEST(repeated.url({{"a", "x"}, {"b&c", "y"}}) == host + "/v1?records%5B%5D=a&records%5B%5D=b%26c&of=all");
    BOOST_TEST(!repeated.operation.one_row());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(what_is_kept)

BOOST_AUTO_TEST_CASE(the_key_where_outcomes_are_paired_by_it) {
    const Connector hubspot = built_in_connector("hubspot");
    const BoundOperation upsert(hubspot, "contacts", OperationKind::upsert, {"firstname", "email"}, "email");
    BOOST_TEST(upsert.operation.kept_key() == 0);
    BOOST_TEST(upsert.operation.kept_columns() == std::vector<int>{1});
    BOOST_TEST(upsert.operation.rows_per_batch() == 100u);
    const BoundOperation remove(hubspot, "contacts", OperationKind::remove, {}, "hs_object_id");
    BOOST_TEST(remove.operation.kept_key() == 0); // in its body it names the row, which an empty one would not
    const BoundOperation create(hubspot, "companies", OperationKind::create, {"name"});
    BOOST_TEST(create.operation.kept_key() == -1);
    const BoundOperation lookup(hubspot, "contacts", OperationKind::lookup, {}, "email");
    BOOST_TEST(lookup.operation.kept_key() == 0);
}

BOOST_AUTO_TEST_CASE(keys_that_name_no_row_wherever_they_stand) {
    for (const char *rest : {R"("POST /a/{key}")", R"("POST /a", "query": {"id": "{key}"})", R"("POST /a?ids={keys}")",
                             R"("POST /a/{keys}")", R"("POST /a", "body": {"$rows": {"id": "{key}"}})",
                             R"("POST /a", "body": {"$rows": {"id": "no. {key}"}})",
                             R"("POST /a", "format": "form", "body": {"id": "{key}"})"})
        for (const char *kind : {"update", "delete", "lookup", "upsert"}) {
            const Connector connector =
                small_connector("{\"" + std::string(kind) + "\": {\"rows\": 9, \"request\": " + rest + "}}");
            const OperationKind of_kind = connector.object("things", {}).operations.begin()->first;
            const BoundOperation things(connector, "things", of_kind, {}, "email");
            for (const char *key : {"", ".", ".."}) {
                Batch batch = batch_of(things.operation, {{"a@x"}, {key}, {"b@x"}});
                const std::vector<BatchRow> taken = things.operation.take_unreachable(batch);
                BOOST_TEST(taken.size() == 1u, kind << " " << rest << " " << key);
                BOOST_TEST(batch.rows().size() == 2u);
            }
            Batch batch = batch_of(things.operation, {{"..."}, {" "}, {".a"}});
            BOOST_TEST(things.operation.take_unreachable(batch).empty(), kind << " " << rest);
        }
}

BOOST_AUTO_TEST_CASE(fields_of_the_key_name_a_row_in_a_body_too) {
    for (const char *rest :
         {R"("body": {"mail": "{row.email}"})", R"("body": {"mail": "<{row.email}>"})",
          R"("body": {"$rows": {"of": "{row.email}"}})", R"("format": "form", "body": {"mail": "{row.email}"})",
          R"("query": {"q": "{row.email}"})"})
        for (const char *kind : {"update", "delete", "lookup", "upsert"}) {
            const Connector connector =
                small_connector("{\"" + std::string(kind) + R"(": {"rows": 9, "request": "POST /a", )" + rest + "}}");
            const OperationKind of_kind = connector.object("things", {}).operations.begin()->first;
            const BoundOperation things(connector, "things", of_kind, {"email"});
            for (const char *key : {"", ".", ".."}) {
                Batch batch = batch_of(things.operation, {{"a@x"}, {key}, {"b@x"}});
                const bool is_named = of_kind != OperationKind::upsert; // which may make a row of any text
                BOOST_TEST(things.operation.take_unreachable(batch).size() == (is_named ? 1u : 0u),
                           kind << " " << rest << " " << key);
            }
        }
    const BoundOperation other(
        small_connector(R"({"update": {"request": "PUT /a/{key}", "body": {"n": "{row.name}"}}})"), "things",
        OperationKind::update, {"name"}, "email");
    Batch batch = batch_of(other.operation, {{"", "a@x"}});
    BOOST_TEST(other.operation.take_unreachable(batch).empty());
}

BOOST_AUTO_TEST_CASE(columns_stand_anywhere_in_their_object) {
    const auto body = [](const std::string &text, const std::string &format, const Values &values) {
        const BoundOperation create(small_connector(R"({"create": {"request": "POST /a", "format": ")" + format +
                                                    R"(", "body": )" + text + "}}"),
                                    "things", OperationKind::create, {"email", "name"});
        return std::string(batch_of(create.operation, {values}).body());
    };
    const std::pair<const char *, const char *> cases[] = {
        {R"({"$columns": "all", "a": 1})", R"({"a": 1, "$columns": "all"})"},
        {R"({"b": {"$columns": "all", "c": {}}, "a": 1})", R"({"b": {"c": {}, "$columns": "all"}, "a": 1})"},
        {R"([{"$rows": {"$columns": "all", "a": "x"}}])", R"([{"$rows": {"a": "x", "$columns": "all"}}])"}};
    for (const auto &[first, last] : cases)
        for (const Values &values : {Values{"e", "n"}, Values{std::nullopt, "n"}, Values{std::nullopt, std::nullopt}})
            BOOST_TEST(body(first, "json", values) == body(last, "json", values), first);
    BOOST_TEST(body(R"({"$columns": "all", "a": 1})", "json", {"e", std::nullopt}) == R"({"a":1,"email":"e"})");
    BOOST_TEST(body(R"({"b": {"$columns": "all"}, "a": 1})", "form", {std::nullopt, std::nullopt}) == "a=1");
    BOOST_TEST(body(R"({"$columns": "all", "a": 1})", "form", {"e", std::nullopt}) == "a=1&email=e");
}

BOOST_AUTO_TEST_CASE(a_brace_is_written_twice) {
    const BoundOperation list(small_connector(R"({"list": {"request": "POST /a/{{x}}", "query": {"{{q}}": "{{id}}"},
                                     "body": {"query": "{{ things {{ id }} }}", "{{a}}": "{cursor}"}}})"),
                              "things", OperationKind::list, {});
    BOOST_TEST(list.operation.url(nullptr, "") == "https://api.example.com/a/{x}?%7Bq%7D=%7Bid%7D");
    BOOST_TEST(list.operation.page_body("7") == R"({"query":"{ things { id } }","{a}":"7"})");
    BOOST_TEST(
        WithBody(R"({"query": "{{ {row.email} {{key}} }}", "{{a}}": 1})", {"email", "name"}, "").body({{"e", "n"}}) ==
        R"({"query":"{ e {key} }","{a}":1})");
}

BOOST_AUTO_TEST_CASE(each_column_once) {
    const WithUrl things("/v1/{key}/{row.email}", R"({"a": "{row.name}", "b": "{key}"})", {}, OperationKind::lookup);
    BOOST_TEST((things.operation.kept_columns() == std::vector<int>{0, 1}));
}

BOOST_AUTO_TEST_CASE(what_a_rate_limit_counts_by) {
    const BoundOperation post(
        small_connector(R"({"create": {"request": "POST /messages", "body": {"$rows": {"$columns": "all"}}, "rows": 100,
                            "rate_limits": [{"name": "one", "requests": 1, "seconds": 1, "for_each": "{row.name}"}]}})",
                        R"("rate_limits": [{"name": "all", "requests": 9, "seconds": 1}], )"),
        "things", OperationKind::create, {"email", "name"});
    BOOST_TEST(post.operation.one_row());
    BOOST_TEST(post.operation.rate_limits().size() == 2u);
    const Batch batch = batch_of(post.operation, {{"hi", "#gen eral"}});
    BOOST_TEST(CompiledOperation::expand(post.operation.rate_limits()[0].scope, &batch, "", false) == "#gen eral");
    BOOST_TEST(CompiledOperation::expand(post.operation.rate_limits()[1].scope, &batch, "", false) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(requests_of_the_connectors_that_come_along) {
    const BoundOperation upsert(built_in_connector("hubspot"), "contacts", OperationKind::upsert,
                                {"email", "firstname"}, "email");
    BOOST_TEST(batch_of(upsert.operation, {{"a@b.c", "Ada"}}).body() ==
               R"({"inputs":[{"id":"a@b.c","idProperty":"email","objectWriteTraceId":"1",)"
               R"("properties":{"email":"a@b.c","firstname":"Ada"}}]})");

    const Settings acme = {{"instance", "acme"}, {"api_version", "v61.0"}};
    const BoundOperation remove(built_in_connector("salesforce"), "Contact", OperationKind::remove, {}, "Id", acme);
    const Batch ids = batch_of(remove.operation, {{"003A"}, {"003B"}});
    BOOST_TEST(remove.operation.url(&ids, "") ==
               "https://acme.my.salesforce.com/services/data/v61.0/composite/sobjects?ids=003A%2C003B&allOrNone=false");
    BOOST_TEST(!remove.operation.has_body());

    const BoundOperation list(built_in_connector("salesforce"), "Contact", OperationKind::list, {}, "", acme,
                              {"Id", "Email"});
    BOOST_TEST(list.operation.url(nullptr, "") == "https://acme.my.salesforce.com/services/data/v61.0/query"
                                                  "?q=SELECT%20Id%2CEmail%20FROM%20Contact");
}

BOOST_AUTO_TEST_CASE(the_order_of_members_says_nothing) {
    // As jsonb or jq -S give it back.
    const auto sorted = [](const std::string &text) { return nlohmann::json::parse(text).dump(); };
    const auto letters = [](std::string text) {
        std::sort(text.begin(), text.end());
        return text;
    };
    for (const std::string &name : built_in_connectors) {
        const std::string text = built_in_manifest(name);
        const Settings settings = typical_settings(built_in_connector(name));
        const Connector as_written = Connector::parse(text), in_order = Connector::parse(sorted(text));
        const std::vector<std::string> written = {"email", "ts", "channel", "b"}, asked = {"email"};
        for (const std::string &object : as_written.object_names())
            for (const auto &[kind, spec] : as_written.object(object, settings).operations) {
                const auto bound = [&](const Connector &connector) {
                    return std::make_unique<BoundOperation>(connector, object, kind, written, "email", settings, asked);
                };
                std::unique_ptr<BoundOperation> of_one;
                try {
                    of_one = bound(as_written);
                } catch (const SettingError &) { // it wants other fields, in whatever order
                    BOOST_CHECK_THROW(bound(in_order), SettingError);
                    continue;
                }
                const std::unique_ptr<BoundOperation> of_other = bound(in_order);
                const BoundOperation &one = *of_one, &other = *of_other;
                Batch rows = batch_of(one.operation, {{"a@x", "1", "C", "y"}});
                Batch same = batch_of(other.operation, {{"a@x", "1", "C", "y"}});
                const auto url = [](const BoundOperation &bound, const Batch &batch) {
                    return bound.operation.url(&batch, "2");
                };
                BOOST_TEST(letters(url(one, rows)) == letters(url(other, same)));
                if (!one.operation.has_body() || kind == OperationKind::list)
                    continue;
                // Forms are no JSON, nor is what has a place for an id that it gets when it is sent.
                const auto body = nlohmann::json::parse(rows.body(), nullptr, false);
                if (body.is_discarded())
                    BOOST_TEST(letters(rows.body()) == letters(same.body()));
                else
                    BOOST_TEST(body == nlohmann::json::parse(same.body()));
            }
    }
}
