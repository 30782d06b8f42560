#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// Two objects whose operations name one limit, each for itself.
Connector two_objects(const std::string &limit) {
    const std::string operations = R"({"columns": {"name": "text"}, "operations": {"create": {"request": "POST /",
        "rows": 100, "body": {"$rows": {"$columns": "all"}}, "rate_limits": [)" +
                                   limit + "]}}}";
    return Connector::parse(R"({"manifest": 1, "name": "two", "title": "Two", "base_url": "https://two.example",
        "auth": {"kind": "none"}, "objects": {"orders": )" +
                            operations + R"(, "people": )" + operations + "}}");
}

struct Counter : JobHandler {
    void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override { settled_jobs++; }
    int settled_jobs = 0;
};

/// Orders and people of one account.
struct Account {
    Account(const std::string &url, const std::string &limit)
        : connector(two_objects(limit)), orders(connector, "orders", OperationKind::create, {"name"}, "", at(url)),
          people(connector, "people", OperationKind::create, {"name"}, "", at(url)),
          people_dispatcher(people.operation, orders.transport, orders.waiter, orders.limiter, orders.authenticator,
                            orders.policy) {}

    /// Whether people with so many rows may be sent now.
    bool may_send_people(std::uint64_t rows) {
        const auto before = people_dispatcher.requests();
        people_dispatcher.submit(job(people.operation, 1, rows));
        people_dispatcher.start_ready(counter);
        people_dispatcher.withdraw();
        return people_dispatcher.requests() > before;
    }
    void send_orders(std::uint64_t rows) {
        orders.dispatcher.submit(job(orders.bound.operation, 1, rows));
        orders.dispatcher.run(counter);
    }

    Connector connector;
    Line orders;
    BoundOperation people;
    Dispatcher people_dispatcher;
    Counter counter;
};

ScriptedDestination answering(const std::string &body) {
    return ScriptedDestination([body](const Received &, auto &connection) { connection.answer(200, body); });
}

} // namespace

BOOST_AUTO_TEST_CASE(one_limit_for_several_objects) {
    ScriptedDestination two = answering("{}");
    Account account(two.url(), R"({"name": "all", "requests": 3, "seconds": 600})");
    for (int i = 0; i < 2; i++)
        account.send_orders(1);
    BOOST_TEST(account.may_send_people(1));
    BOOST_TEST(!account.may_send_people(1));
}

BOOST_AUTO_TEST_CASE(rows_of_a_window) {
    ScriptedDestination two = answering("{}");
    Account account(two.url(), R"({"name": "rows", "rows": 10, "seconds": 600})");
    account.send_orders(6);
    BOOST_TEST(!account.may_send_people(5));
    BOOST_TEST(account.may_send_people(4));
    BOOST_TEST(!account.may_send_people(1));
}

BOOST_AUTO_TEST_CASE(points_of_which_the_body_tells) {
    ScriptedDestination two = answering(R"({"extensions": {"cost": {"actualQueryCost": 40}}})");
    const std::string limit = R"({"name": "points", "points": 100, "seconds": 600, "cost": {"request": 10, "row": 5)";
    Account told(two.url(), limit + R"(, "told": {"body": "/extensions/cost/actualQueryCost"}}})");
    told.send_orders(16);                  // 90 before it is known, and 40 after that
    BOOST_TEST(!told.may_send_people(11)); // 65
    BOOST_TEST(told.may_send_people(10));  // 60
    Account untold(two.url(), limit + "}}");
    untold.send_orders(16);
    BOOST_TEST(!untold.may_send_people(1));
}

BOOST_AUTO_TEST_CASE(what_is_left_by_the_body) {
    ScriptedDestination two = answering(R"({"throttle": {"left": 2}})");
    Account account(two.url(),
                    R"({"name": "all", "requests": 10, "seconds": 600, "remaining": {"body": "/throttle/left"}})");
    account.send_orders(1);
    BOOST_TEST(account.may_send_people(1));
    BOOST_TEST(account.may_send_people(1));
    BOOST_TEST(!account.may_send_people(1));
}
