#include "engine/requests/row_writer.h"

#include "engine/requests/json_row.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// An operation that writes the columns email and name, and takes the key from the row's key where it says so.
struct Writer {
    explicit Writer(const std::string &operation, NullAs null_as = NullAs::omit,
                    OperationKind kind = OperationKind::create, const std::string &key = "")
        : bound(small_connector(operation), "things", kind, {"email", "name"}, key), writer(bound.operation, null_as),
          batch(bound.operation.frame()) {}

    std::string write(const std::string &row, const std::string &key = "") {
        values.read(row, key);
        std::string &out = batch.begin_row();
        writer.write(values, 7, batch, out);
        batch.end_row(7);
        return out.substr(batch.row_begin());
    }

    const BoundOperation bound;
    RowWriter writer;
    Batch batch;
    JsonRow values;
};

const char *const create = R"({"create": {"request": "POST /things", "body": {"$columns": "all"}}})";
const char *const form = R"({"create": {"request": "POST /things", "format": "form", "body": {"$columns": "all"}}})";

} // namespace

BOOST_AUTO_TEST_CASE(members) {
    Writer writer(create);
    BOOST_TEST(writer.write(R"({"email":"a@x","name":1.50})") == R"({"email":"a@x","name":1.50})");
}

BOOST_AUTO_TEST_CASE(what_null_becomes) {
    const char *row = R"({"email":null,"name":"Ada"})";
    BOOST_TEST(Writer(create).write(row) == R"({"name":"Ada"})");
    BOOST_TEST(Writer(create, NullAs::null).write(row) == R"({"email":null,"name":"Ada"})");
    BOOST_TEST(Writer(create, NullAs::clear).write(row) == R"({"email":null,"name":"Ada"})");
}

BOOST_AUTO_TEST_CASE(forms) {
    BOOST_TEST(Writer(form).write(R"({"email":"a&b@x","name":1.50})") == "email=a%26b%40x&name=1.50");
    BOOST_TEST(Writer(form).write(R"({"email":null,"name":"\u00e9"})") == "name=%C3%A9");
    BOOST_TEST(Writer(form, NullAs::null).write(R"({"email":null,"name":"A"})") == "email=&name=A");
}

BOOST_AUTO_TEST_CASE(numbers_and_texts_within_strings) {
    Writer writer(R"({"create": {"request": "POST /things", "rows": 10,
        "body": {"$rows": {"number": "{row_number}", "hello": "Dear {row.name}"}}}})");
    BOOST_TEST(writer.write(R"({"email":"a@x","name":"A \"B\""})") == R"({"number":"7","hello":"Dear A \"B\""})");
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_made_without_a_value) {
    Writer writer(R"({"create": {"request": "POST /things/{row.name}", "body": {"$columns": "all"}}})");
    BOOST_TEST(writer.write(R"({"email":"a@x","name":"Ada"})") == R"({"email":"a@x","name":"Ada"})");
    BOOST_TEST(std::string(writer.batch.kept(0, 0)) == "Ada");
    try {
        writer.write(R"({"email":"a@x","name":null})");
        BOOST_ERROR("written without its name");
    } catch (const ValueRefused &refusal) {
        BOOST_TEST(refusal.what() == std::string("field \"name\" is null, but the request cannot be made without it"));
    }
}
