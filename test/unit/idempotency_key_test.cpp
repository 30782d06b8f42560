#include "engine/requests/dispatcher.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const char *const create = R"({"create": {"request": "POST /things", "rows": 10,
    "body": {"$rows": {"$columns": "all"}}, "idempotency_key": "Idempotency-Key"}})";

} // namespace

BOOST_AUTO_TEST_SUITE(idempotency_keys)

/// The keys of the requests for these rows, by a dispatcher of its own.
std::vector<std::string> keys(const std::string &scope, const std::vector<std::pair<int, int>> &batches) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Policy policy = quick();
    policy.idempotency_scope = scope;
    policy.max_in_flight = 1;
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()), {},
              policy);
    struct Forgetful : JobHandler {
        void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override {}
    } forgetful;
    for (auto [first, last] : batches)
        line.dispatcher.submit(job(line.bound.operation, first, last));
    line.dispatcher.run(forgetful);
    std::vector<std::string> found;
    for (const Received &request : destination.received())
        found.push_back(request.idempotency_key);
    return found;
}

BOOST_AUTO_TEST_CASE(the_same_rows_get_the_same_key_again) {
    const std::vector<std::string> first = keys("cluster/1", {{1, 3}, {4, 4}});
    BOOST_TEST(first.size() == 2u);
    BOOST_TEST(first[0].size() == 32u);
    BOOST_TEST(first[0] != first[1]);
    BOOST_TEST((keys("cluster/1", {{1, 3}, {4, 4}}) == first));
}

BOOST_AUTO_TEST_CASE(other_rows_and_other_databases_get_others) {
    std::set<std::string> all;
    for (const char *scope : {"cluster/1", "cluster/2", "cluster/11"})
        for (const std::string &key : keys(scope, {{1, 1}, {1, 2}, {2, 2}, {11, 11}, {12, 12}, {1, 10}}))
            BOOST_TEST(all.insert(key).second, "a key comes twice");
}

BOOST_AUTO_TEST_CASE(another_request_about_the_same_row_has_another_key) {
    // A destination that keeps keys would answer a delete with what it answered to the look-up before it.
    const Connector connector = small_connector(R"({"delete": {"request": "DELETE /things/{key}"},
                            "update": {"request": "PUT /things/{key}", "body": {"$columns": "all"}},
                            "upsert": {"request": "PUT /things/{key}", "body": {"$columns": "all"}},
                            "lookup": {"request": "GET /things/{key}"},
                            "list": {"request": "GET /things"}})",
                                                R"("defaults": {"idempotency_key": "Idempotency-Key"}, )");
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(200, "{}"); });
    struct Forgetful : JobHandler {
        void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override {}
    } forgetful;
    Policy policy = quick();
    policy.idempotency_scope = "cluster/1";
    std::set<std::string> keys;
    for (const OperationKind kind : {OperationKind::remove, OperationKind::update, OperationKind::upsert,
                                     OperationKind::lookup, OperationKind::list}) {
        Line line(connector, "things", kind, {}, "email", at(destination.url()), {}, policy);
        for (const char *key : {"a@x", "b@x"}) {
            Batch batch(line.bound.operation.frame());
            add_row(batch, line.bound.operation, 7, {key});
            line.dispatcher.submit(std::make_unique<Job>(std::move(batch)));
            line.dispatcher.run(forgetful);
            const std::string found = destination.received().back().idempotency_key;
            BOOST_TEST(found.empty() == is_read_only(kind), operation_name(kind));
            if (!found.empty())
                BOOST_TEST(keys.insert(found).second, "a key comes twice");
        }
    }
    BOOST_TEST(keys.size() == 6u);
}

BOOST_AUTO_TEST_CASE(without_a_scope_each_request_has_its_own) {
    BOOST_TEST((keys("", {{1, 1}}) != keys("", {{1, 1}})));
}

BOOST_AUTO_TEST_SUITE_END()
