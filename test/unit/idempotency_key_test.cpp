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
        found.push_back(request.idempotency_key());
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
            const std::string found = destination.received().back().idempotency_key();
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

/// What the destination got of batches, by a dispatcher of its own: the first answer of each request is lost.
std::vector<Received> requests(const std::string &scope, const char *operations, OperationKind kind,
                               const std::vector<std::pair<int, int>> &batches, std::string_view more = "") {
    std::set<std::string> seen;
    ScriptedDestination destination([&](const Received &request, auto &connection) {
        if (seen.insert(request.method + request.target + request.body).second)
            connection.answer(503, "{}");
        else
            connection.answer(201, "{}");
    });
    Policy policy = quick();
    policy.idempotency_scope = scope;
    policy.max_in_flight = 1;
    Line line(small_connector(operations, more), "things", kind, {"name"}, "", at(destination.url()), {}, policy);
    struct Forgetful : JobHandler {
        void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override {}
    } forgetful;
    for (auto [first, last] : batches)
        line.dispatcher.submit(job(line.bound.operation, first, last));
    line.dispatcher.run(forgetful);
    return destination.received();
}

BOOST_AUTO_TEST_CASE(ids_in_every_place_are_the_same_at_every_attempt_and_after_a_crash) {
    const char *operations = R"({"create": {"request": "POST /things/{request.id}", "query": {"q": "{request.id}"},
        "headers": {"X-Id": "a {request.id}"}, "idempotent": true, "rows": 10,
        "body": {"id": "{request.id}", "rows": {"$rows": {"insertId": "{entry.id}", "of": "r-{request.id}", "json": {"$columns": "all"}}}}}})";
    std::set<std::string> entries, of_requests;
    for (const std::string scope : {"cluster/1", "cluster/2", ""}) {
        for (const std::pair<int, int> &rows : {std::pair(1, 3), std::pair(4, 4)}) {
            const std::vector<Received> attempts = requests(scope, operations, OperationKind::create, {rows});
            BOOST_TEST(attempts.size() == 2u);
            const Received &request = attempts.front();
            const std::string id = request.member("id");
            BOOST_TEST(id.size() == 32u);
            BOOST_TEST(id.find_first_not_of("0123456789abcdef") == id.npos);
            BOOST_TEST(of_requests.insert(id).second);
            BOOST_TEST(request.target == "/things/" + id + "?q=" + id);
            BOOST_TEST(request.all_of("X-Id") == "a " + id);
            for (const Json &row : request.member("rows")) {
                BOOST_TEST(entries.insert(row.at("insertId")).second, "the id of a row comes twice");
                BOOST_TEST(row.at("of") == "r-" + id);
            }
            BOOST_TEST(attempts.back().body == request.body);
            BOOST_TEST(attempts.back().target == request.target);
            const Received again = requests(scope, operations, OperationKind::create, {rows}).front();
            BOOST_TEST((again.body == request.body) == !scope.empty());
        }
    }
    BOOST_TEST(entries.size() == 12u);
}

/// A row that travels with others another time is the same row.
BOOST_AUTO_TEST_CASE(a_row_keeps_its_id_in_another_batch) {
    const char *operations = R"({"create": {"request": "POST /things", "idempotent": true, "rows": 10,
        "body": {"r": {"$rows": {"i": "{entry.id}", "$columns": "all"}}}}})";
    const auto whole = requests("c/1", operations, OperationKind::create, {{1, 2}});
    const auto halves = requests("c/1", operations, OperationKind::create, {{1, 1}, {2, 2}});
    // Which of the halves comes again first is left to chance.
    BOOST_TEST(halves.size() == 4u);
    const Json rows = whole[0].member("r");
    for (const Received &half : halves) {
        const Json row = half.member("r")[0];
        BOOST_TEST(row == rows[row.at("name") == "row 1" ? 0 : 1]);
    }
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_cut_keeps_the_ids_of_its_rows) {
    const Connector connector =
        small_connector(R"({"create": {"request": "POST /things", "idempotent": true, "rows": 10,
        "body": {"id": "{request.id}", "r": {"$rows": {"i": "{entry.id}", "$columns": "all"}}}}})");
    const BoundOperation bound(connector, "things", OperationKind::create, {"name"});
    const std::string scope = "c/1";
    const RequestIds ids(bound.operation, scope);
    const auto sent = [&](Batch &batch) {
        Request request;
        request.body = batch.body();
        std::string body;
        ids.fill_in(request, batch, ids.of_request(batch), body);
        return Json::parse(body);
    };
    Batch batch = batch_of(bound.operation, {{"a"}, {"b"}});
    const Json whole = sent(batch);
    std::vector<Batch> halves = batch.halves();
    const Json first = sent(halves[0]), second = sent(halves[1]);
    BOOST_TEST(first.at("r")[0].at("i") == whole.at("r")[0].at("i"));
    BOOST_TEST(second.at("r")[0].at("i") == whole.at("r")[1].at("i"));
    BOOST_TEST((std::set<std::string>{whole.at("id"), first.at("id"), second.at("id")}.size()) == 3u);
}

BOOST_AUTO_TEST_CASE(the_id_of_a_row_in_a_url_or_a_header_makes_a_request_of_each) {
    for (
        const char *operations :
        {R"({"create": {"request": "PUT /things/{entry.id}", "rows": 10, "body": {"$columns": "all"}}})",
         R"({"create": {"request": "PUT /things", "rows": 10, "headers": {"X": "{entry.id}"}, "body": {"r": {"$rows": {"$columns": "all"}}}}})"}) {
        const Connector connector = small_connector(operations);
        const BoundOperation bound(connector, "things", OperationKind::create, {"name"});
        BOOST_TEST(bound.operation.one_row());
    }
}

BOOST_AUTO_TEST_CASE(an_idempotency_key_in_the_body) {
    const auto sent = requests(
        "c/1", R"({"create": {"request": "POST /things", "rows": 10, "idempotency_key": {"body": "/meta/a~1{{b"},
        "body": {"r": {"$rows": {"$columns": "all"}}}}})",
        OperationKind::create, {{1, 2}});
    // It was sent again, though it creates.
    BOOST_TEST(sent.size() == 2u);
    BOOST_TEST(sent[0].member("meta").at("a/{b").get<std::string>().size() == 32u);
    BOOST_TEST(sent[0].body == sent[1].body);
    const auto form =
        requests("c/1", R"({"create": {"request": "POST /things", "format": "form", "idempotency_key": {"body": "/key"},
        "body": {"$columns": "all"}}})",
                 OperationKind::create, {{1, 1}});
    BOOST_TEST(form[0].body.find("key=") != std::string::npos, form[0].body);
    BOOST_TEST(form[0].body == form[1].body);
}

BOOST_AUTO_TEST_CASE(reads_carry_no_id) {
    const char *more = R"("headers": {"X-Id": "{request.id}", "X-Other": "o"}, )";
    const auto read = requests("c/1", R"({"list": {"request": "GET /things"}})", OperationKind::list, {{1, 1}}, more);
    BOOST_TEST(read[0].all_of("X-Id") == "");
    BOOST_TEST(read[0].all_of("X-Other") == "o");
    const char *own =
        R"({"create": {"request": "POST /things", "headers": {"x-id": "own"}, "body": {"$columns": "all"}}})";
    BOOST_TEST(requests("c/1", own, OperationKind::create, {{1, 1}}, more)[0].all_of("X-Id") == "own");
}

/// A value cannot be taken for the place of an id, whatever it holds.
BOOST_AUTO_TEST_CASE(a_value_is_no_id) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /things/{row.name}", "body": {"id": "{request.id}", "$columns": "all"}}})");
    const BoundOperation bound(connector, "things", OperationKind::create, {"name"});
    const std::string scope = "c/1";
    const RequestIds ids(bound.operation, scope);
    Batch batch = batch_of(bound.operation, {{"{request.id}{entry.id}"}});
    Request request;
    request.url = bound.operation.url(&batch, "");
    request.body = batch.body();
    std::string body;
    ids.fill_in(request, batch, ids.of_request(batch), body);
    BOOST_TEST(Json::parse(body).at("name") == "{request.id}{entry.id}");
    BOOST_TEST(request.url.ends_with("/things/%7Brequest.id%7D%7Bentry.id%7D"));
}

BOOST_AUTO_TEST_SUITE_END()
