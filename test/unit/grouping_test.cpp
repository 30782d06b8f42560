#include "engine/requests/row_groups.h"

#include "delivery_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// Members of lists, whose ids stand in the path and nowhere else; or `operation` in place of it.
Connector lists(const std::string &more = "", const std::string &request = "POST /lists/{row.list_id}/members",
                const std::string &body = R"({"members": {"$rows": {"email": "{row.email}"}}})") {
    return Connector::parse(
        R"({"manifest": 1, "name": "lists", "title": "Lists", "base_url": "https://lists.example", "auth": {"kind": "none"},
        "objects": {"members": {"columns": {"list_id": "text", "email": "text", "kind": "text"}, "operations": {"upsert": {"request": ")" +
        request + R"(", "rows": 3, "group_by": "list_id", "body": )" + body + more +
        R"(}}, "key": ["list_id", "email"]}}})");
}

/// A destination that knows the lists a and b, and holds members to the list in whose request they came.
struct Lists {
    Lists()
        : destination([this](const Received &request, LoopbackServer::Connection &connection) {
              requests += request.target + " " + request.body + "\n";
              const bool is_known = request.target.starts_with("/lists/a/") || request.target.starts_with("/lists/b/");
              connection.answer(is_known ? 200 : 404, R"({"message": "no such list"})");
          }) {}

    std::string requests;
    ScriptedDestination destination;
};

Deliverer deliverer(const Lists &lists_there, const Connector &connector = lists()) {
    return Deliverer(lists_there.destination.url(), connector, "members", OperationKind::upsert,
                     {"list_id", "email", "kind"}, "");
}

std::vector<Values> rows(const std::vector<std::pair<std::string, std::string>> &members) {
    std::vector<Values> all;
    for (const auto &[list, email] : members)
        all.push_back({list, email, "x"});
    return all;
}

/// The lines of a text, sorted: requests may arrive in any order.
std::string sorted(const std::string &text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        lines.push_back(text.substr(begin, text.find('\n', begin) - begin));
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string &line : lines)
        all += line + "\n";
    return all;
}

std::string members(const std::string &list, const std::string &emails) {
    std::string body;
    for (const char email : emails)
        body += (body.empty() ? "" : ",") + (R"({"email":")" + std::string(1, email) + "\"}");
    return "/lists/" + list + "/members {\"members\":[" + body + "]}\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(grouping)

BOOST_AUTO_TEST_CASE(rows_of_a_group_share_requests_in_their_order) {
    Lists there;
    Deliverer sender = deliverer(there);
    BOOST_TEST(!sender.line.bound.operation.one_row());
    sender.deliver(rows({{"a", "1"}, {"b", "2"}, {"a", "3"}, {"b", "4"}, {"a", "5"}, {"a", "6"}, {"b", "7"}}));
    BOOST_TEST(sorted(there.requests) == members("a", "135") + members("a", "6") + members("b", "247"));
    BOOST_TEST(sender.count("accepted") == 7u);
}

BOOST_AUTO_TEST_CASE(a_group_that_is_not_there_takes_no_other_with_it) {
    Lists there;
    Deliverer sender = deliverer(there);
    sender.deliver(rows({{"a", "1"}, {"gone", "2"}, {"gone", "3"}, {"", "4"}, {"..", "5"}}));
    BOOST_TEST(sender.outcomes.at(1) == "accepted");
    BOOST_TEST(contains(sender.outcomes.at(2), "no such list"));
    BOOST_TEST(contains(sender.outcomes.at(3), "no such list"));
    BOOST_TEST(contains(sender.outcomes.at(4), "names no row"));
    BOOST_TEST(contains(sender.outcomes.at(5), "names no row"));
    BOOST_TEST(there.destination.received().size() == 2u); // the rows of a group are not tried one by one
}

BOOST_AUTO_TEST_CASE(groups_are_told_apart_byte_by_byte) {
    Lists there;
    const Connector two = Connector::parse(
        R"({"manifest": 1, "name": "lists", "title": "Lists", "base_url": "https://lists.example", "auth": {"kind": "none"},
        "objects": {"members": {"operations": {"upsert": {"request": "POST /lists/a/m", "rows": 9, "group_by": ["list_id", "email"], "body": {"m": {"$rows": {"e": "{row.kind}"}}}}}}}})");
    Deliverer sender = deliverer(there, two);
    sender.deliver(rows({{"1", "12"}, {"11", "2"}, {"A", "b"}, {"a", "b"}, {"1", "12"}}));
    BOOST_TEST(there.destination.received().size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_rows_have_in_common_may_stand_beside_them) {
    Lists there;
    Deliverer sender = deliverer(
        there,
        lists(
            "", "POST /lists/a/x",
            R"({"list": "{row.list_id}", "note": "of {row.list_id}: {request.id}", "members": {"$rows": {"email": "{row.email}", "id": "{entry.id}"}}})"));
    sender.deliver(rows({{"say \"hi\"", "1"}, {"\xc3\xa4\\", "2"}, {"say \"hi\"", "3"}}));
    std::vector<std::string> seen;
    for (const Received &one : there.destination.received()) {
        const Json body = Json::parse(one.body);
        const std::string list = body.at("list");
        const std::string note = body.at("note");
        BOOST_TEST(note.starts_with("of " + list + ": "));
        BOOST_TEST(note.size() == ("of " + list + ": ").size() + 32);
        for (const Json &member : body.at("members")) {
            BOOST_TEST(member.at("id").get<std::string>().size() == 32u);
            seen.push_back(list + "=" + member.at("email").get<std::string>());
        }
    }
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == (std::vector<std::string>{"say \"hi\"=1", "say \"hi\"=3", "\xc3\xa4\\=2"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(requests_stay_within_their_limits) {
    Lists there;
    Deliverer sender = deliverer(there, lists(R"(, "bytes": 50)"));
    sender.deliver(rows({{"a", "1"}, {"b", "1"}, {"a", "2"}, {"b", "2"}, {"a", "3"}, {"b", "3"}}), 3);
    BOOST_TEST(sender.count("accepted") == 6u);
    for (const Received &one : there.destination.received())
        BOOST_TEST(one.body.size() <= 50u);
    BOOST_TEST(there.destination.received().size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_limit_for_each_group_does_not_part_it) {
    const std::string limit =
        R"(, "rate_limits": [{"name": "list", "requests": 1000, "seconds": 1, "for_each": "{row.)";
    const auto operation = [](const Connector &connector) {
        return std::make_unique<BoundOperation>(connector, "members", OperationKind::upsert,
                                                std::vector<std::string>{"list_id", "email"});
    };
    BOOST_TEST(!operation(lists(limit + "list_id}\"}]"))->operation.one_row());
    BOOST_TEST(operation(lists(limit + "email}\"}]"))->operation.one_row());
    BOOST_TEST(operation(lists("", "POST /lists/{row.list_id}/{row.email}"))->operation.one_row());
}

BOOST_AUTO_TEST_CASE(a_statement_has_to_name_what_rows_are_grouped_by) {
    BOOST_CHECK_EXCEPTION(BoundOperation(lists(), "members", OperationKind::upsert, {"email"}), SettingError,
                          [](const SettingError &error) { return contains(error.what(), "\"list_id\""); });
}

BOOST_AUTO_TEST_CASE(beside_rows_of_any_shape) {
    struct Case {
        std::string body, first; ///< of two rows of a list
    };
    const Case cases[] = {
        {R"({"list": "{row.list_id}", "m": {"$map": {"name": "{key}", "row": {"in": "{row.list_id}"}}}})",
         R"({"list":"a\"b","m":{"1":{"in":"a\"b"},"2":{"in":"a\"b"}}})"},
        {R"({"list": "{row.list_id}", "m": {"$columns": {"as": "arrays"}}})",
         R"({"list":"a\"b","m":{"list_id":["a\"b","a\"b"],"email":["1","2"],"kind":["x","x"]}})"},
        {R"({"m": {"$rows": {"list": "{row.list_id}", "k": "{row.kind}"}}, "of": ["{row.list_id}"]})",
         R"({"m":[{"list":"a\"b","k":"x"},{"list":"a\"b","k":"x"}],"of":["a\"b"]})"},
    };
    for (const Case &one : cases) {
        Lists there;
        const Connector connector = lists(R"(, "omit_null": true)", "POST /lists/a/x", one.body);
        Deliverer sender(there.destination.url(), connector, "members", OperationKind::upsert,
                         {"list_id", "email", "kind"}, "email");
        sender.deliver(rows({{"a\"b", "1"}, {"a\"b", "2"}, {"c", "3"}}));
        BOOST_TEST_CONTEXT(there.requests) {
            BOOST_TEST(there.destination.received().size() == 2u);
            BOOST_TEST(contains(there.requests, one.first));
            BOOST_TEST(there.requests.find('\xfd') == std::string::npos);
        }
    }
}

/// What is repeated after a crash is made of rows that are read in their order.
BOOST_AUTO_TEST_CASE(rows_of_several_batches_stand_in_the_order_of_their_numbers) {
    const Connector connector = lists();
    const BoundOperation bound(connector, "members", OperationKind::upsert, {"list_id", "email"});
    std::vector<Batch> batches;
    for (const int first : {5, 1}) {
        batches.emplace_back(bound.operation.frame());
        for (int number = first; number < first + 2; number++)
            add_row(batches.back(), bound.operation, number, {number % 2 == 0 ? "even" : "odd", "x"});
    }
    std::string seen;
    for (const Batch &batch : grouped(bound.operation, std::move(batches))) {
        for (const BatchRow &row : batch.rows())
            seen += std::to_string(row.number);
        seen += " ";
    }
    BOOST_TEST(seen == "15 26 ");
}

BOOST_AUTO_TEST_CASE(where_nothing_is_grouped_batches_are_what_they_were) {
    const Connector plain = small_connector(
        R"({"create": {"request": "POST /things", "rows": 3, "body": {"rows": {"$rows": {"$columns": "all"}}}}})");
    const BoundOperation bound(plain, "things", OperationKind::create, {"email"});
    std::vector<Batch> batches;
    batches.emplace_back(bound.operation.frame());
    add_row(batches.back(), bound.operation, 1, {"a"});
    const char *text = batches.front().body().data();
    const std::vector<Batch> same = grouped(bound.operation, std::move(batches));
    BOOST_TEST(same.size() == 1u);
    BOOST_TEST(static_cast<const void *>(const_cast<Batch &>(same.front()).body().data()) ==
               static_cast<const void *>(text));
}

BOOST_AUTO_TEST_SUITE_END()
