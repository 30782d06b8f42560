#include "engine/requests/batch.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

const BatchFrame frame{R"({"inputs":[)", ",", "]}"};

/// Adds a row; each of its letters is kept as a text of its own, `kept` of them.
void add(Batch &batch, std::uint64_t number, std::string_view text, std::size_t kept = 2) {
    batch.begin_row() += text;
    for (std::size_t i = 0; i < kept; ++i)
        batch.keep(text.substr(i, 1));
    batch.end_row(number);
}

Batch three() {
    Batch batch(frame);
    add(batch, 7, "aA");
    add(batch, 8, "bB");
    add(batch, 9, "cC");
    return batch;
}

std::string numbers(const Batch &batch) {
    std::string result;
    for (const BatchRow &row : batch.rows())
        result += std::to_string(row.number) + " ";
    return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(rows_make_a_body) {
    Batch batch = three();
    BOOST_TEST(batch.bytes() == std::string(R"({"inputs":[aA,bB,cC]})").size());
    BOOST_TEST(batch.body() == R"({"inputs":[aA,bB,cC]})");
    BOOST_TEST(batch.body() == R"({"inputs":[aA,bB,cC]})"); // however often it is asked for
    BOOST_TEST(numbers(batch) == "7 8 9 ");
    BOOST_TEST(batch.kept(1, 0) == "b");
    BOOST_TEST(batch.kept(2, 1) == "C");
}

BOOST_AUTO_TEST_CASE(no_rows_make_an_empty_one) {
    BOOST_TEST(Batch(frame).body() == R"({"inputs":[]})");
}

BOOST_AUTO_TEST_CASE(a_row_that_is_dropped_leaves_nothing) {
    Batch batch(frame);
    batch.begin_row() += "half a r";
    batch.keep("x");
    batch.drop_row();
    add(batch, 1, "aA");
    batch.begin_row() += "half";
    batch.drop_row();
    add(batch, 3, "cC");
    BOOST_TEST(batch.body() == R"({"inputs":[aA,cC]})");
    BOOST_TEST(batch.kept(1, 0) == "c");
}

BOOST_AUTO_TEST_CASE(the_last_row_that_did_not_fit_gets_a_batch_of_its_own) {
    Batch batch = three();
    Batch last = batch.split_last();
    BOOST_TEST(last.body() == R"({"inputs":[cC]})");
    BOOST_TEST(numbers(last) == "9 ");
    BOOST_TEST(last.kept(0, 1) == "C");
    add(batch, 10, "dD");
    BOOST_TEST(batch.body() == R"({"inputs":[aA,bB,dD]})");
    BOOST_TEST(batch.kept(2, 0) == "d");
}

BOOST_AUTO_TEST_CASE(a_subset_keeps_order_texts_and_attempts) {
    Batch batch = three();
    batch.rows()[2].attempts = 5;
    batch.body(); // its suffix is not part of any row
    Batch part = batch.subset({0, 2});
    BOOST_TEST(part.body() == R"({"inputs":[aA,cC]})");
    BOOST_TEST(numbers(part) == "7 9 ");
    BOOST_TEST(part.kept(1, 0) == "c");
    BOOST_TEST(part.rows()[0].attempts == 0);
    BOOST_TEST(part.rows()[1].attempts == 5);
    BOOST_TEST(part.subset({1}).body() == R"({"inputs":[cC]})");
}

BOOST_AUTO_TEST_CASE(a_batch_that_moves_stays_whole) {
    Batch batch = three();
    Batch moved = std::move(batch);
    BOOST_TEST(moved.body() == R"({"inputs":[aA,bB,cC]})");
    BOOST_TEST(moved.kept(0, 1) == "A");
}

BOOST_AUTO_TEST_CASE(texts_may_be_empty_or_none) {
    Batch batch(frame);
    add(batch, 1, "a", 0);
    add(batch, 2, "b", 0);
    BOOST_TEST(batch.subset({1}).body() == R"({"inputs":[b]})");

    Batch empty(frame);
    for (std::uint64_t number : {1, 2}) {
        empty.begin_row() += "x";
        empty.keep("");
        empty.end_row(number);
    }
    BOOST_TEST(empty.kept(1, 0) == "");
}
