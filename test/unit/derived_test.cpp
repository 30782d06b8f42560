#include "engine/requests/json_row.h"
#include "engine/requests/row_writer.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

const char *const derived = R"("derived": {
    "hash": {"from": "email", "encode": ["trim", "lower", "md5"]},
    "quoted": {"from": "name", "encode": "odata"},
    "day": {"from": "name", "encode": "epoch_s"},
    "tags": {"from": "name", "encode": {"split": ","}}}, )";

/// An operation of rows with the columns email and name, whose key is email.
struct Writer {
    Writer(const std::string &operation, OperationKind kind, std::vector<std::string> written = {"email", "name"})
        : bound(small_connector(operation, derived), "things", kind, written, "email"),
          writer(bound.operation, NullAs::omit), batch(bound.operation.frame()) {}

    std::string write(const std::string &row) {
        values.read(row, "");
        std::string &out = batch.begin_row();
        writer.write(values, 7, batch, out);
        batch.end_row(7);
        return out.substr(batch.row_begin());
    }
    std::string url() const { return bound.operation.url(&batch, ""); }

    const BoundOperation bound;
    RowWriter writer;
    Batch batch;
    JsonRow values;
};

const char *const md5_of_abc = "900150983cd24fb0d6963f7d28e17f72";

} // namespace

BOOST_AUTO_TEST_CASE(a_path_and_a_body_have_what_is_derived) {
    Writer writer(R"({"upsert": {"request": "PUT /members/{row.hash}", "query": {"filter": "name eq '{row.quoted}'"},
        "body": {"id": "{row.hash}", "at": "x-{row.hash}", "$columns": "all"}}})",
                  OperationKind::upsert);
    BOOST_TEST(writer.write(R"({"email":" ABC","name":"O'Neil"})") == std::string(R"({"id":")") + md5_of_abc +
                                                                          R"(","at":"x-)" + md5_of_abc +
                                                                          R"(","email":" ABC","name":"O'Neil"})");
    BOOST_TEST(writer.url() ==
               std::string("https://api.example.com/members/") + md5_of_abc + "?filter=name%20eq%20%27O%27%27Neil%27");
    BOOST_TEST(writer.bound.operation.one_row());
}

BOOST_AUTO_TEST_CASE(numbers_and_lists_are_such_in_a_body) {
    Writer number(R"({"create": {"request": "POST /x", "body": {"day": "{row.day}"}}})", OperationKind::create);
    BOOST_TEST(number.write(R"({"email":"a","name":"1970-01-02"})") == R"({"day":86400})");
    Writer list(R"({"create": {"request": "POST /x", "body": {"tags": "{row.tags}"}}})", OperationKind::create);
    BOOST_TEST(list.write(R"({"email":"a","name":"a,\"b"})") == R"({"tags":["a","\"b"]})");
    Writer form(R"({"create": {"request": "POST /x", "format": "form", "body": {"hash": "{row.hash}"}}})",
                OperationKind::create);
    BOOST_TEST(form.write(R"({"email":"abc","name":"a"})") == std::string("hash=") + md5_of_abc);
}

BOOST_AUTO_TEST_CASE(a_row_without_the_field_is_refused) {
    Writer writer(R"({"upsert": {"request": "PUT /members/{row.hash}", "body": {"$columns": "all"}}})",
                  OperationKind::upsert);
    try {
        writer.write(R"({"email":null,"name":"Ada"})");
        BOOST_ERROR("written without it");
    } catch (const ValueRefused &refusal) {
        BOOST_TEST(refusal.what() == std::string("field \"hash\" is null, but the request cannot be made without it"));
    }
    BOOST_CHECK_THROW(
        Writer(R"({"create": {"request": "POST /x", "body": {"day": "{row.day}"}}})", OperationKind::create, {"email"}),
        SettingError);
}

/// The digest of nothing looks like a name, and is none.
BOOST_AUTO_TEST_CASE(an_empty_key_names_no_row_whatever_is_derived_from_it) {
    for (const char *email : {"", ".", ".."}) {
        Writer writer(R"({"delete": {"request": "DELETE /members/{row.hash}"}})", OperationKind::remove, {"email"});
        writer.write(std::string(R"({"email":")") + email + "\"}");
        BOOST_TEST(writer.bound.operation.take_unreachable(writer.batch).size() == 1u, email);
    }
    Writer writer(R"({"delete": {"request": "DELETE /members/{row.hash}"}})", OperationKind::remove, {"email"});
    writer.write(R"({"email":"abc"})");
    BOOST_TEST(writer.bound.operation.take_unreachable(writer.batch).empty());
}
