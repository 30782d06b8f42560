#include "engine/queue/delivery_lane.h"
#include "uninterested.h"

#include "engine/text/json.h"

#include "connector_fixture.h"
#include "poll_waiter.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace reverse_etl;

namespace {

/// Keeps what is sent, for a test to answer.
class SilentTransport final : public Transport {
  public:
    ExchangeId start(const Request &request) override {
        bodies.push_back(Json::parse(request.body));
        return bodies.size();
    }
    void cancel(ExchangeId) override {}
    void run(Waiter &, Clock::time_point, std::vector<Finished> &) override {}
    void give_back(std::vector<Finished>) override {}

    std::vector<Json> bodies; ///< of the requests, by the number of their exchange less one
};

class Ignoring final : public OutcomeSink {
    void accepted(std::uint64_t, const std::string &) override {}
    void rejected(std::uint64_t, const std::string &, long) override {}
    void absent(std::uint64_t) override {}
};

/// Updates by the destination's id, up to three a request, or upserts; each row is looked up for itself.
class LaneWithLookups : public OutcomeSink {
  public:
    explicit LaneWithLookups(std::uint64_t count, bool upserts = false) : upserts_(upserts) {
        for (std::uint64_t id = 1; id <= count; id++) {
            auto row = std::make_unique<QueuedRow>();
            row->id = id;
            row->key = "{\"email\":\"" + key_of(id) + "\"}";
            row->row = "{\"name\":\"name " + std::to_string(id) + "\"" +
                       (upserts ? ",\"email\":\"" + key_of(id) + "\"" : "") + "}";
            rows_.add(std::move(row), [](const QueuedRow &, const QueuedRow &) { return false; });
        }
        while (rows_.next(0, Clock::now()) != nullptr)
            lane_.submit(lane_.make_batches(0, Clock::now(), false), Clock::now());
        lane_.start_ready();
    }

    /// The row's look-up, of which the exchange has the row's number, is answered.
    void find(std::uint64_t id) {
        answer(id, {{"records", {{{"id", "id " + std::to_string(id)}, {"email", key_of(id)}}}}});
    }
    void answer(ExchangeId exchange, const Json &body) {
        Response response;
        response.status = 200;
        response.body = body.dump();
        BOOST_TEST(lane_.take({exchange, response}));
        lane_.start_ready();
    }
    /// The rows that a request names, in its order, with the ids by which it names them.
    std::string sent(ExchangeId exchange) const {
        std::string rows;
        for (const Json &input : transport_.bodies.at(exchange - 1).at("inputs"))
            rows += input.at("trace").get<std::string>() + ": " + input.at("id").get<std::string>() + ", " +
                    input.at("properties").at("name").get<std::string>() + "\n";
        return rows;
    }
    const Json &body(ExchangeId exchange) const { return transport_.bodies.at(exchange - 1); }
    DeliveryLane &lane() { return lane_; }
    std::size_t requests() const { return transport_.bodies.size(); }

    void accepted(std::uint64_t row, const std::string &) override { outcomes[row] = "accepted"; }
    void rejected(std::uint64_t row, const std::string &reason, long) override { outcomes[row] = reason; }
    void absent(std::uint64_t row) override { outcomes[row] = "absent"; }

    std::map<std::uint64_t, std::string> outcomes;

  private:
    static std::string key_of(std::uint64_t id) { return "row" + std::to_string(id) + "@example.com"; }

    static Policy eight_in_flight() {
        Policy policy;
        policy.max_in_flight = 8;
        policy.account = "test";
        return policy;
    }
    Route route() const {
        if (upserts_) {
            const std::vector<StatementColumn> columns = {{"name", true}, {"email", true}};
            return {object_,
                    compile_lookup(*object_, columns, {"email"}),
                    NullAs::null,
                    update_or_create(*object_, columns, NullAs::null, NullAs::omit),
                    std::make_shared<Authenticator>(connector_.auth(), Settings{}),
                    eight_in_flight()};
        }
        return {object_,
                compile_lookup(*object_, {{"name", true}, {"email", false}}, {"email"}),
                NullAs::null,
                by_found_id(*object_, object_->operations.at(OperationKind::update), {{"name", true}, {"email", false}},
                            NullAs::null, NullAs::omit),
                std::make_shared<Authenticator>(connector_.auth(), Settings{}),
                eight_in_flight()};
    }

    const bool upserts_;
    const Connector connector_ = small_connector(R"({
        "update": {"request": "POST /update", "by": "id", "rows": 3,
            "body": {"inputs": {"$rows": {"trace": "{row_number}", "id": "{key}", "properties": {"$columns": "all"}}}},
            "outcome": [{"each": "/results", "row": [{"number": "/trace"}]},
                        {"each": "/errors", "is": "rejected", "row": [{"number": "/trace"}], "reason": "/message"}]},
        "create": {"request": "POST /create", "rows": 3, "body": {"made": {"$rows": {"$columns": "all"}}}},
        "upsert": {"by": "lookup"},
        "lookup": {"request": "POST /lookup", "rows": 1, "body": {"inputs": {"$rows": {"key": "{key}"}}},
            "records": "/records"}})");
    const std::shared_ptr<const Object> object_ = std::make_shared<const Object>(connector_.object("things", {}));
    SilentTransport transport_;
    PollWaiter waiter_;
    RateLimiter limiter_;
    KeyQueue rows_;
    DeliveryLane lane_{route(), {transport_, waiter_, limiter_}, rows_, *this, std::make_unique<Uninterested>()};
};

} // namespace

/// An answer's words are paired with rows by their numbers, and those are looked for as in a sorted list.
BOOST_AUTO_TEST_CASE(rows_leave_in_their_order_in_whatever_order_they_were_found) {
    std::vector<std::uint64_t> order{1, 2, 3};
    do {
        LaneWithLookups lane(3);
        for (std::uint64_t id : order)
            lane.find(id);
        BOOST_TEST(lane.requests() == 4u);
        BOOST_TEST(lane.sent(4) == "1: id 1, name 1\n2: id 2, name 2\n3: id 3, name 3\n");
        lane.answer(4, {{"results", {{{"trace", "3"}}, {{"trace", "1"}}}},
                        {"errors", {{{"trace", "2"}, {"message", "no such name"}}}}});
        BOOST_TEST(lane.outcomes[1] == "accepted");
        BOOST_TEST(lane.outcomes[2] == "no such name");
        BOOST_TEST(lane.outcomes[3] == "accepted");
    } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(a_full_batch_of_found_rows_leaves_at_once_and_the_rest_when_nothing_is_looked_up) {
    LaneWithLookups lane(5);
    for (std::uint64_t id : {5, 1, 4})
        lane.find(id);
    BOOST_TEST(lane.requests() == 6u);
    BOOST_TEST(lane.sent(6) == "1: id 1, name 1\n4: id 4, name 4\n5: id 5, name 5\n");
    lane.find(3);
    BOOST_TEST(lane.requests() == 6u, "another may be found yet");
    lane.answer(2, {{"records", Json::array()}});
    BOOST_TEST(lane.outcomes[2] == "absent");
    BOOST_TEST(lane.sent(7) == "3: id 3, name 3\n");
}

/// What is noted before it is sent are requests that must not be made again: of an upsert by look-ups, the creates.
BOOST_AUTO_TEST_CASE(of_an_upsert_by_look_ups_creates_alone_are_held) {
    LaneWithLookups lane(4, true);
    BOOST_TEST(lane.lane().needs_marks());
    BOOST_TEST(!lane.lane().has_idempotency_key());
    lane.find(1);
    for (ExchangeId exchange : {4, 2, 3})
        lane.answer(exchange, {{"records", Json::array()}});
    BOOST_TEST(lane.requests() == 5u);
    BOOST_TEST(lane.sent(5) == "1: id 1, name 1\n");
    const std::vector<const StartableJob *> held = lane.lane().held();
    BOOST_TEST(held.size() == 1u);
    BOOST_TEST(held.front()->job->batch.rows().front().number == 2u);
    lane.lane().start_held();
    BOOST_TEST(lane.requests() == 6u);
    BOOST_TEST(lane.body(6).dump() == R"({"made":[{"name":"name 2","email":"row2@example.com"},)"
                                      R"({"name":"name 3","email":"row3@example.com"},)"
                                      R"({"name":"name 4","email":"row4@example.com"}]})");
    lane.answer(6, Json::object());
    BOOST_TEST(lane.outcomes[3] == "accepted");
    lane.answer(5, {{"results", {{{"trace", "1"}}}}, {"errors", Json::array()}});
    BOOST_TEST(lane.outcomes[1] == "accepted");
    BOOST_TEST(lane.lane().jobs() == 0u);
}

/// What is taken back is every row that has no outcome, wherever it stands.
BOOST_AUTO_TEST_CASE(rows_of_an_upsert_by_look_ups_are_taken_back_from_wherever_they_wait) {
    LaneWithLookups lane(3, true);
    lane.answer(2, {{"records", Json::array()}});
    std::multiset<std::uint64_t> rows;
    for (const std::unique_ptr<Job> &job : lane.lane().withdraw())
        for (const BatchRow &row : job->batch.rows())
            rows.insert(row.number);
    BOOST_TEST((rows == std::multiset<std::uint64_t>{2}), "the others are being looked up");
    BOOST_TEST(lane.lane().jobs() == 2u);
}

/// What is made once more has another key: a row that begins anew would make the first request again, and the second
/// one in vain. So it is as if there was no key.
BOOST_AUTO_TEST_CASE(a_create_that_is_made_once_more_counts_as_one_without_a_key) {
    struct Case {
        std::string rule;
        bool has_key;
    };
    for (const Case &one : {Case{R"({"try": "unlock", "and": "again"})", false}, Case{R"({"try": "unlock"})", true},
                            Case{R"("absent")", true}}) {
        Json manifest =
            Json::parse(small_manifest(R"({"create": {"request": "POST /things", "body": {"$columns": "all"},
            "idempotency_key": "Idempotency-Key", "errors": [{"status": 409, "then": )" +
                                       one.rule + "}]}}"));
        manifest["objects"]["things"]["reactions"] = {{"unlock", {{"request", "POST /things/{key}/unlock"}}}};
        const Connector connector = Connector::parse(manifest.dump());
        const auto object = std::make_shared<const Object>(connector.object("things", {}));
        const std::vector<StatementColumn> columns = {{"name", true}, {"email", true}};
        Policy policy;
        policy.idempotency_scope = "of the test";
        Route route{object,
                    CompiledOperation(*object, object->operations.at(OperationKind::create), columns, 1, {}),
                    NullAs::null,
                    std::nullopt,
                    std::make_shared<Authenticator>(connector.auth(), Settings{}),
                    policy};
        route.reactions = compile_reactions(route.operation, {NullAs::null, NullAs::null});
        SilentTransport transport;
        PollWaiter waiter;
        RateLimiter limiter;
        KeyQueue rows;
        Ignoring sink;
        DeliveryLane lane(std::move(route), {transport, waiter, limiter}, rows, sink, std::make_unique<Uninterested>());
        BOOST_TEST(lane.needs_marks());
        BOOST_TEST(lane.has_idempotency_key() == one.has_key, one.rule);
    }
}
