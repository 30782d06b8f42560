/// What stands in bodies: parts, shapes and formats. The stand-ins for a destination are strict parsers of our own.

#include "engine/http/gzip.h"
#include "engine/requests/json_row.h"
#include "engine/requests/row_writer.h"
#include "engine/text/url_parts.h"

#include "connector_fixture.h"
#include "engine/text/json.h"

#include <boost/test/unit_test.hpp>

#include <zlib.h>

using namespace reverse_etl;

namespace {

using Rows = std::vector<std::string>;

/// An object with these columns and this operation.
Connector connector_with(const std::string &columns, const std::string &create, const std::string &more = "") {
    return Connector::parse(R"({"manifest": 1, "name": "small", "title": "Small", "base_url": "https://api.example.com",
        "auth": {"kind": "none"}, )" +
                            more + R"("objects": {"things": {"key": "email", "columns": {)" + columns +
                            R"(}, "operations": {"create": {"request": "POST /things", "rows": 100, )" + create +
                            "}}}}}");
}

const std::string plain = R"("email": "text", "name": "text", "n": "jsonb")";

/// The create of such an object, for a statement that gives email, name and n.
struct Bodies : BoundOperation {
    Bodies(const std::string &columns, const std::string &create, const std::string &more = "")
        : BoundOperation(connector_with(columns, create, more), "things", OperationKind::create, {"email", "name", "n"},
                         "email") {}

    /// Rows as the outbox holds them: JSON objects.
    Batch batch(const Rows &rows, NullAs null_as = NullAs::omit) const {
        Batch batch(operation.frame());
        RowWriter writer(operation, null_as);
        JsonRow values;
        std::uint64_t number = 0;
        for (const std::string &row : rows) {
            values.read(row, "");
            std::string &out = batch.begin_row();
            writer.write(values, ++number, batch, out);
            batch.end_row(number);
        }
        return batch;
    }
    std::string body(const Rows &rows, NullAs null_as = NullAs::omit) const {
        Batch batch = this->batch(rows, null_as);
        const std::size_t counted = batch.bytes();
        const std::string body = batch.body();
        BOOST_TEST(counted == body.size(), "counted as it is sent: " << body);
        return body;
    }
    std::string refusal(const std::string &row) const {
        try {
            batch({row});
            return "";
        } catch (const ValueRefused &refused) {
            return refused.what();
        }
    }
};

std::string header(const CompiledOperation &operation, const std::string &name) {
    for (const auto &[one, value] : operation.headers())
        if (one == name)
            return value;
    return "";
}

std::string unzipped(const std::string &bytes) {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::string text(1 << 20, '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef *>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    BOOST_TEST(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
}

const std::string ada = R"({"email":"a@x","name":"Ada \"A\"","n":[1,{"b":2.50}]})";
const std::string bob = R"({"email":"b@x","name":null,"n":7})";
const std::string nobody = R"({"email":null,"name":null,"n":null})";

} // namespace

BOOST_AUTO_TEST_SUITE(parts)

BOOST_AUTO_TEST_CASE(each_column_stands_in_its_part) {
    const std::string columns = R"("email": "text", "name": {"type": "text", "part": "traits"},
                                   "n": {"type": "jsonb", "part": "route"})";
    const Bodies nested(columns, R"("body": {"$rows": {"first": 1, "traits": {"$columns": {"part": "traits"}},
                                    "$columns": "all"}})");
    BOOST_TEST(nested.body({ada, bob}) ==
               R"([{"first":1,"traits":{"name":"Ada \"A\""},"email":"a@x"},{"first":1,"email":"b@x"}])");
    // NULLs that are sent fill the part.
    BOOST_TEST(nested.body({bob}, NullAs::null) == R"([{"first":1,"traits":{"name":null},"email":"b@x"}])");
    const Bodies only(columns, R"("body": {"$rows": {"a": {"b": {"$columns": {"part": "traits"}}}}})");
    BOOST_TEST(only.body({ada, bob}) == R"([{"a":{"b":{"name":"Ada \"A\""}}},{"a":{}}])");
    const Bodies whole(columns, R"("body": {"$columns": {"part": "traits"}})");
    BOOST_TEST(whole.body({bob}) == "{}"); // a body is there
}

BOOST_AUTO_TEST_CASE(a_part_that_is_left_out_leaves_no_comma) {
    const std::string columns =
        R"("email": {"type": "text", "part": "a"}, "name": {"type": "text", "part": "b"}, "n": "jsonb")";
    const Bodies first(columns,
                       R"("body": {"$rows": {"a": {"$columns": {"part": "a"}}, "b": {"$columns": {"part": "b"}},
                                    "c": 1, "$columns": "all"}})");
    BOOST_TEST(first.body({nobody, R"({"email":null,"name":"x","n":1})", R"({"email":"e","name":null,"n":null})"}) ==
               R"([{"c":1},{"b":{"name":"x"},"c":1,"n":1},{"a":{"email":"e"},"c":1}])");
    const Bodies in_array(columns,
                          R"("body": {"$rows": {"l": [{"$columns": {"part": "a"}}, {"$columns": {"part": "b"}}, 3]}})");
    BOOST_TEST(in_array.body({nobody, bob}) == R"([{"l":[3]},{"l":[{"email":"b@x"},3]}])");
}

BOOST_AUTO_TEST_CASE(what_the_manifest_does_not_list_has_a_part_too) {
    const Bodies custom(R"("email": "text")",
                        R"("body": {"$rows": {"custom": {"$columns": {"part": "custom"}}, "$columns": "all"}})",
                        R"("values": {"part": "custom"}, )");
    BOOST_TEST(custom.body({ada, nobody}) ==
               R"([{"custom":{"name":"Ada \"A\"","n":[1,{"b":2.50}]},"email":"a@x"},{}])");
}

BOOST_AUTO_TEST_CASE(a_column_that_routes_stays_out_of_the_body) {
    const Connector connector = connector_with(R"("email": "text", "list": {"type": "text", "part": "route"})",
                                               R"("body": {"$columns": "all"})");
    const std::string text = R"({"create": {"request": "POST /lists/{row.name}", "body": {"$columns": "all"}}})";
    const BoundOperation create(connector, "things", OperationKind::create, {"email", "list"});
    BOOST_TEST(batch_of(create.operation, {{"e", "L1"}}).body() == R"({"email":"e"})");
    const Connector routed =
        Connector::parse(R"({"manifest": 1, "name": "s", "title": "S", "base_url": "https://x.example",
        "auth": {"kind": "none"}, "objects": {"things": {"columns": {"email": "text", "list": {"type": "text", "part": "route"}},
        "operations": {"create": {"request": "POST /lists/{row.list}/members", "body": {"$columns": "all"}}}}}})");
    const BoundOperation post(routed, "things", OperationKind::create, {"email", "list"});
    Batch batch = batch_of(post.operation, {{"e", "L 1"}});
    BOOST_TEST(post.operation.url(&batch, "") == "https://x.example/lists/L%201/members");
    BOOST_TEST(batch.body() == R"({"email":"e"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shapes)

BOOST_AUTO_TEST_CASE(names_and_values) {
    const Bodies lists(plain, R"("body": {"schema": {"$columns": {"as": "names"}},
                                          "data": {"$rows": {"$columns": {"as": "values", "null": ""}}}})");
    BOOST_TEST(lists.body({ada, nobody}) ==
               R"({"schema":["email","name","n"],"data":[["a@x","Ada \"A\"",[1,{"b":2.50}]],["","",""]]})");
    const Bodies null(plain, R"("body": {"$rows": {"v": {"$columns": {"as": "values"}}}})");
    BOOST_TEST(null.body({bob}, NullAs::clear) == R"([{"v":["b@x",null,7]}])");
}

BOOST_AUTO_TEST_CASE(pairs) {
    const Bodies pairs(plain, R"("body": {"$rows": {"fields": {"$columns": {"as":
        {"no": "{column.number}", "field": "{column.field}", "value": "{column.value}"}}}}})");
    BOOST_TEST(pairs.body({bob, nobody}) ==
               R"([{"fields":[{"no":"1","field":"email","value":"b@x"},{"no":"3","field":"n","value":7}]},{}])");
    BOOST_TEST(pairs.body({R"({"email":"e","name":null,"n":1})"}, NullAs::null) ==
               R"([{"fields":[{"no":"1","field":"email","value":"e"},{"no":"2","field":"name","value":null},)"
               R"({"no":"3","field":"n","value":1}]}])");
}

BOOST_AUTO_TEST_CASE(arrays_of_columns) {
    const Bodies arrays(plain, R"("body": {"a": 1, "data": {"$columns": {"as": "arrays"}}, "z": 2})");
    BOOST_TEST(arrays.body({ada, bob, nobody}) ==
               R"({"a":1,"data":{"email":["a@x","b@x",null],"name":["Ada \"A\"",null,null],)"
               R"("n":[[1,{"b":2.50}],7,null]},"z":2})");
    BOOST_TEST(arrays.body({bob}) == R"({"a":1,"data":{"email":["b@x"],"name":[null],"n":[7]},"z":2})");
    const Bodies bindings(plain,
                          R"("body": {"bindings": {"$columns": {"as": "arrays", "null": "", "name": "{column.number}",
        "value": {"type": "TEXT", "value": "{column.values}", "of": "{column.field}"}}}})");
    BOOST_TEST(bindings.body({bob, bob}) ==
               R"({"bindings":{"1":{"type":"TEXT","value":["b@x","b@x"],"of":"email"},)"
               R"("2":{"type":"TEXT","value":["",""],"of":"name"},"3":{"type":"TEXT","value":[7,7],"of":"n"}}})");
}

BOOST_AUTO_TEST_CASE(arrays_of_columns_are_halved_and_cut_by_rows) {
    const Bodies arrays(plain, R"("body": {"$columns": {"as": "arrays"}})");
    Batch batch = arrays.batch({ada, bob, nobody});
    const std::string whole = batch.body();
    std::vector<Batch> halves = batch.halves();
    BOOST_TEST(halves.size() == 2u);
    BOOST_TEST(halves[0].body() == R"({"email":["a@x"],"name":["Ada \"A\""],"n":[[1,{"b":2.50}]]})");
    BOOST_TEST(halves[1].body() == R"({"email":["b@x",null],"name":[null,null],"n":[7,null]})");
    BOOST_TEST(batch.subset({2, 0}).body() ==
               R"({"email":[null,"a@x"],"name":[null,"Ada \"A\""],"n":[null,[1,{"b":2.50}]]})");
    BOOST_TEST(batch.body() == whole);
    Batch more = arrays.batch({ada, bob});
    BOOST_TEST(more.split_last().body() == R"({"email":["b@x"],"name":[null],"n":[7]})");
    BOOST_TEST(more.body() == R"({"email":["a@x"],"name":["Ada \"A\""],"n":[[1,{"b":2.50}]]})");
}

BOOST_AUTO_TEST_CASE(no_value_can_end_a_cell) {
    const Bodies arrays(plain, R"("body": {"$columns": {"as": "arrays"}})");
    struct : RowValues {
        bool is_null(int) const override { return false; }
        void json(int, std::string &out) const override { out += "\"a\x1f\""; }
        void text(int, std::string &) const override {}
    } values;
    Batch batch(arrays.operation.frame());
    BOOST_CHECK_THROW(RowWriter(arrays.operation, NullAs::omit).write(values, 1, batch, batch.begin_row()),
                      ValueRefused);
    BOOST_TEST(arrays.body({R"({"email":"a\u001f","name":null,"n":null})"}) ==
               R"({"email":["a\u001f"],"name":[null],"n":[null]})");
}

BOOST_AUTO_TEST_CASE(a_columns_own_template) {
    const std::string columns =
        R"("email": {"type": "text", "write_as": {"title": [{"text": {"content": "{column.value}"}}]}},
        "name": {"type": "text", "write_as": "<{column.value}>"}, "n": {"type": "jsonb", "write_as": ["{column.value}"]})";
    const Bodies create(columns, R"("body": {"$rows": {"$columns": "all"}})");
    BOOST_TEST(create.body({ada, bob}) ==
               R"([{"email":{"title":[{"text":{"content":"a@x"}}]},"name":"<Ada \"A\">","n":[[1,{"b":2.50}]]},)"
               R"({"email":{"title":[{"text":{"content":"b@x"}}]},"n":[7]}])");
    BOOST_TEST(create.body({nobody}, NullAs::null) == R"([{"email":null,"name":null,"n":null}])");
    const Bodies values(columns, R"("body": {"$rows": {"v": {"$columns": {"as": "values"}}, "e": "{row.name}"}})");
    BOOST_TEST(values.body({R"({"email":null,"name":"x","n":1})"}) == R"([{"v":[null,"<x>",[1]],"e":"x"}])");
    const Bodies pairs(columns, R"("body": {"$rows": {"p": {"$columns": {"as": {"v": "{column.value}"}}}}})");
    BOOST_TEST(pairs.body({R"({"email":null,"name":"x","n":1})"}) == R"([{"p":[{"v":"<x>"},{"v":[1]}]}])");
    const Bodies form(columns, R"("format": "form", "body": {"$columns": "all"})");
    BOOST_TEST(form.body({bob}) ==
               "email=%7B%22title%22%3A%5B%7B%22text%22%3A%7B%22content%22%3A%22b%40x%22%7D%7D%5D%7D"
               "&n=%5B7%5D");
}

BOOST_AUTO_TEST_CASE(rows_as_members) {
    const Bodies map(plain, R"("body": {"customers": {"$map": {"name": "c-{key}\"", "row": {"$columns": "all"}}}})");
    BOOST_TEST(map.body({bob, R"({"email":"q\"","name":"x","n":1})"}) ==
               R"({"customers":{"c-b@x\"":{"email":"b@x","n":7},"c-q\"\"":{"email":"q\"","name":"x","n":1}}})");
    Batch batch = map.batch({ada, bob});
    BOOST_TEST(batch.halves()[1].body() == R"({"customers":{"c-b@x\"":{"email":"b@x","n":7}}})");
}

BOOST_AUTO_TEST_CASE(rows_as_texts) {
    const Bodies texts(plain, R"("body": {"$rows": {"MessageBody": {"$json": {"$columns": "all"}},
        "Data": {"$base64": {"$json": {"e": "{row.email}"}}}, "Key": {"$base64": "{row.email}/{row_number}"},
        "deep": {"$json": {"$json": ["{row.n}"]}}}})");
    BOOST_TEST(texts.body({bob}) ==
               R"([{"MessageBody":"{\"email\":\"b@x\",\"n\":7}","Data":"eyJlIjoiYkB4In0=","Key":"YkB4LzE=",)"
               R"("deep":"\"[7]\""}])");
}

BOOST_AUTO_TEST_CASE(members_named_like_directives) {
    const Bodies sets(plain, R"("body": {"$rows": {"$$token": "t", "$$set": {"$columns": "all"}}})");
    BOOST_TEST(sets.body({bob}) == R"([{"$token":"t","$set":{"email":"b@x","n":7}}])");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(optional_members)

BOOST_AUTO_TEST_CASE(are_left_out_where_the_row_has_none) {
    const std::string body =
        R"("body": {"$rows": {"a": "{row.name}", "b": "Dear {row.name} {row.n}", "c": ["{row.name}", "{row.n}"],
                                "d": {"$json": "{row.name}"}, "e": 1}})";
    const Bodies optional(plain, R"("omit_null": true, )" + body);
    BOOST_TEST(optional.body({bob, R"({"email":null,"name":"x","n":1})"}) ==
               R"([{"c":[7],"e":1},{"a":"x","b":"Dear x 1","c":["x",1],"d":"\"x\"","e":1}])");
    BOOST_TEST(Bodies(plain, body).refusal(bob).find("field \"name\" is null") == 0u);
    const Bodies form(plain,
                      R"("omit_null": true, "format": "form", "body": {"a": "{row.name}", "b": "{row.n}", "c": 1})");
    BOOST_TEST(form.body({bob}) == "c=1&b=7");
    const Bodies only(plain, R"("omit_null": true, "format": "form", "body": {"a": "{row.name}", "b": "{row.n}"})");
    BOOST_TEST(only.body({bob}) == "b=7");
    // The key is no option: without it the request is about no row.
    const Bodies keyed(plain, R"("omit_null": true, "body": {"$rows": {"a": "{key}"}})");
    BOOST_TEST(keyed.refusal(nobody).find("field \"email\" is null") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(formats)

BOOST_AUTO_TEST_CASE(lines) {
    const Bodies lines(plain, R"("format": "ndjson", "body": {"$rows": {"$columns": "all"}})");
    BOOST_TEST(lines.body({ada, bob}) == "{\"email\":\"a@x\",\"name\":\"Ada \\\"A\\\"\",\"n\":[1,{\"b\":2.50}]}\n"
                                         "{\"email\":\"b@x\",\"n\":7}\n");
    BOOST_TEST(header(lines.operation, "Content-Type") == "application/x-ndjson");
    BOOST_TEST(lines.operation.rows_per_batch() == 100u);
    const Bodies several(plain, R"("format": "ndjson", "body": {"$rows": {"$lines": [{"index": {"_id": "{key}"}},
                                                                                    {"$columns": "all"}]}})");
    Batch batch = several.batch({bob, bob});
    BOOST_TEST(batch.halves()[0].body() == "{\"index\":{\"_id\":\"b@x\"}}\n{\"email\":\"b@x\",\"n\":7}\n");
}

BOOST_AUTO_TEST_CASE(tables) {
    const Bodies table(plain, R"("format": "csv", "body": {"$rows": {"$columns": "all"}})");
    BOOST_TEST(table.body({ada, bob, R"({"email":"","name":" x","n":"l1\nl2"})"}) ==
               "email,name,n\na@x,\"Ada \"\"A\"\"\",\"[1,{\"\"b\"\":2.50}]\"\nb@x,,7\n\"\",\" x\",\"l1\nl2\"\n");
    BOOST_TEST(header(table.operation, "Content-Type") == "text/csv; charset=utf-8");
    const Bodies own(plain,
                     R"("format": {"kind": "csv", "null": "#N/A", "omitted": "-", "separator": ";", "line_end": "crlf"},
                               "body": {"$rows": {"Id;": "{row.email}", "fix": 7, "$columns": "all"}})");
    BOOST_TEST(own.body({bob}) == "\"Id;\";fix;email;name;n\r\nb@x;7;b@x;-;7\r\n");
    BOOST_TEST(own.body({bob}, NullAs::clear) == "\"Id;\";fix;email;name;n\r\nb@x;7;b@x;#N/A;7\r\n");
    const Bodies bare(plain, R"("format": {"kind": "csv", "header": false}, "omit_null": true,
                                "body": {"$rows": {"a": "{row.name}", "b": {"$json": {"e": "{row.email}"}}}})");
    BOOST_TEST(bare.body({bob, ada}) ==
               ",\"{\"\"e\"\":\"\"b@x\"\"}\"\n\"Ada \"\"A\"\"\",\"{\"\"e\"\":\"\"a@x\"\"}\"\n");
    // Nor can a value say what NULL says.
    BOOST_TEST(own.refusal(R"({"email":"#N/A","name":"x","n":1})") ==
               "the text \"#N/A\" stands for NULL in the destination's format");
}

BOOST_AUTO_TEST_CASE(forms) {
    const std::string body =
        R"("body": {"items": [{"price": "{row.email}"}, "x\"{row.name}"], "meta": {"$columns": "all"}})";
    const std::string row = R"({"email":"a&b","name":"q\"","n":{"a b":[1.50,{"c":null}],"d":true}})";
    const Bodies json(plain, R"("format": "form", )" + body);
    BOOST_TEST(json.body({row}) ==
               "items=%5B%7B%22price%22%3A%22a%26b%22%7D%2C%22x%5C%22q%5C%22%22%5D"
               "&meta%5Bemail%5D=a%26b&meta%5Bname%5D=q%22"
               "&meta%5Bn%5D=%7B%22a%20b%22%3A%5B1.50%2C%7B%22c%22%3Anull%7D%5D%2C%22d%22%3Atrue%7D");
    const Bodies indexed(plain, R"("format": {"kind": "form", "arrays": "indexed"}, )" + body);
    BOOST_TEST(indexed.body({row}) == "items%5B0%5D%5Bprice%5D=a%26b&items%5B1%5D=x%22q%22"
                                      "&meta%5Bemail%5D=a%26b&meta%5Bname%5D=q%22"
                                      "&meta%5Bn%5D%5Ba%20b%5D%5B0%5D=1.50&meta%5Bn%5D%5Ba%20b%5D%5B1%5D%5Bc%5D="
                                      "&meta%5Bn%5D%5Bd%5D=true");
    const Bodies brackets(plain, R"("format": {"kind": "form", "arrays": "brackets"}, "body": {"$columns": "all"})");
    BOOST_TEST(brackets.body({R"({"email":"[1","name":null,"n":[1,2]})"}) == "email=%5B1&n%5B%5D=1&n%5B%5D=2");
    BOOST_TEST(brackets.body({R"({"email":null,"name":null,"n":[]})"}) == "");
    const Bodies repeated(plain, R"("format": {"kind": "form", "arrays": "repeated"}, "body": {"$columns": "all"})");
    BOOST_TEST(repeated.body({R"({"email":null,"name":"x","n":["a","b"]})"}, NullAs::null) == "email=&name=x&n=a&n=b");
}

BOOST_AUTO_TEST_CASE(json_within_a_form) {
    const std::string columns =
        R"("email": "text", "name": {"type": "text", "part": "custom"}, "n": {"type": "jsonb", "part": "custom"})";
    const std::string custom = R"({"$columns": {"part": "custom"}})";
    const Bodies form(columns,
                      R"("format": "form", "body": {"$columns": "all", "list": [)" + custom +
                          R"(], "text": {"$json": {"kind": "x", "data": )" + custom +
                          R"(}}, "code": {"$base64": {"$json": )" + custom + "}}}",
                      R"("values": {"clear": "~"}, )");
    const auto parts = [&](const std::string &data, const std::string &code) {
        return "list=" + percent_encoded("[" + data + "]") +
               "&text=" + percent_encoded(R"({"kind":"x","data":)" + data + "}") + "&code=" + percent_encoded(code) +
               "&email=b%40x";
    };
    BOOST_TEST(form.body({R"({"email":"b@x","name":"q\"&","n":[1]})"}) ==
               parts(R"({"name":"q\"&","n":[1]})", "eyJuYW1lIjoicVwiJiIsIm4iOlsxXX0="));
    BOOST_TEST(form.body({R"({"email":"b@x","name":null,"n":1})"}, NullAs::clear) ==
               parts(R"({"name":"~","n":1})", "eyJuYW1lIjoifiIsIm4iOjF9"));
    BOOST_TEST(form.body({R"({"email":"b@x","name":null,"n":1})"}, NullAs::null) ==
               parts(R"({"name":null,"n":1})", "eyJuYW1lIjpudWxsLCJuIjoxfQ=="));
}

BOOST_AUTO_TEST_CASE(forms_of_several_parts) {
    const Bodies parts(
        plain, R"("format": "multipart", "body": {"lookup\"Field": "{key_field}", "file": {"$file": {"name": "rows.csv",
                                 "format": {"kind": "csv", "null": "null"}, "rows": {"$columns": "all"}}}, "last": 7})");
    const std::string type = header(parts.operation, "Content-Type");
    const std::string prefix = "multipart/form-data; boundary=";
    BOOST_TEST(type.starts_with(prefix));
    const std::string boundary = type.substr(prefix.size());
    BOOST_TEST(boundary.size() == 44u);
    BOOST_TEST(parts.body({ada, bob}) ==
               "--" + boundary + "\r\nContent-Disposition: form-data; name=\"lookup%22Field\"\r\n\r\nemail\r\n" + "--" +
                   boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"rows.csv\"\r\n" +
                   "Content-Type: text/csv; charset=utf-8\r\n\r\n" +
                   "email,name,n\na@x,\"Ada \"\"A\"\"\",\"[1,{\"\"b\"\":2.50}]\"\nb@x,,7\n" + "\r\n--" + boundary +
                   "\r\nContent-Disposition: form-data; name=\"last\"\r\n\r\n7\r\n--" + boundary + "--\r\n");
    BOOST_TEST(parts.batch({ada, bob}).halves()[1].body().find("a@x") == std::string::npos);
    const Bodies other(plain, R"("format": "multipart", "headers": {"content-type": "text/plain"},
                                 "body": {"mail": "<{row.email}>", "all": {"$json": {"$columns": "all"}}})");
    const std::string another = header(other.operation, "Content-Type").substr(prefix.size());
    BOOST_TEST(another != boundary);
    BOOST_TEST(other.operation.one_row());
    BOOST_TEST(other.body({bob}) ==
               "--" + another + "\r\nContent-Disposition: form-data; name=\"mail\"\r\n\r\n<b@x>\r\n--" + another +
                   "\r\nContent-Disposition: form-data; name=\"all\"\r\n\r\n{\"email\":\"b@x\",\"n\":7}\r\n--" +
                   another + "--\r\n");
    const Bodies json(plain,
                      R"("format": "multipart", "body": {"f": {"$file": {"name": "r", "rows": {"$columns": "all"}}}})");
    BOOST_TEST(json.body({bob, bob}).find("\r\n\r\n[{\"email\":\"b@x\",\"n\":7},{\"email\":\"b@x\",\"n\":7}]\r\n--") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(compressed) {
    BOOST_TEST(header(Bodies(plain, R"("compress": "gzip", "body": {"$rows": {"$columns": "all"}})").operation,
                      "Content-Encoding") == "gzip");
    BOOST_TEST(unzipped(gzip("")) == "");
    BOOST_TEST(unzipped(gzip(std::string(100000, 'x'))) == std::string(100000, 'x'));
    BOOST_TEST(header(Bodies(plain, R"("compress": "none", "body": {"$columns": "all"})").operation,
                      "Content-Encoding") == "");
    BOOST_TEST(header(Bodies(plain, R"("compress": "gzip")").operation, "Content-Encoding") == "");
}

BOOST_AUTO_TEST_CASE(texts) {
    const std::string format = R"("format": {"kind": "text", "escape": {",": "\\,", " ": "\\ ", "=": "\\="},
                                             "quoted": {"\"": "\\\"", "\\": "\\\\"}}, )";
    const Bodies text(
        plain, format + R"("body": {"$rows": "people,mail={row.email} n={row.n},name=\"{row.name}\",k={row.n}"})");
    BOOST_TEST(text.body({R"({"email":"a, b=c","name":"A, \"q\\","n":7})", R"({"email":"x","name":"y","n":8})"}) ==
               "people,mail=a\\,\\ b\\=c n=7,name=\"A, \\\"q\\\\\",k=7\npeople,mail=x n=8,name=\"y\",k=8\n");
    BOOST_TEST(header(text.operation, "Content-Type") == "text/plain; charset=utf-8");
    for (const char *end : {"\\n", "\\r"})
        BOOST_TEST(
            text.refusal(R"({"email":"a)" + std::string(end) + R"(b","name":"y","n":8})").find("end of a line") !=
            std::string::npos);
    const Bodies one(
        plain,
        R"("format": {"kind": "text", "escape": {"\n": "<br>", "<": "&lt;"}}, "body": "{{<b>{row.email}</b>}}")");
    BOOST_TEST(one.operation.one_row());
    BOOST_TEST(one.body({R"({"email":"a<\nb","name":null,"n":null})"}) == "{<b>a&lt;<br>b</b>}");
}

BOOST_AUTO_TEST_SUITE_END()
