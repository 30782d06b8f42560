#include "engine/queue/delivery_queue.h"
#include "uninterested.h"

#include "engine/text/json.h"

#include "connector_fixture.h"
#include "poll_waiter.h"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <set>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

Clock::time_point time_of_test;

/// Answers at once what the test says.
class InstantTransport final : public Transport {
  public:
    using Answers = std::function<long(const std::vector<std::uint64_t> &rows)>;
    static constexpr long no_answer = 0, no_connection = -1;
    explicit InstantTransport(Answers answers) : answers_(std::move(answers)) {}

    ExchangeId start(const Request &request) override {
        if (request.url.ends_with("/token")) {
            ended_.push_back({++last_, {Failure::none, "", token_status, {}, R"({"access_token": "t"})", {}}});
            return last_;
        }
        std::vector<std::uint64_t> rows;
        const Json body = Json::parse(request.body);
        for (const Json &row : body.at("rows"))
            rows.push_back(row.at("n"));
        requests.push_back(rows);
        Response response;
        response.status = answers_(rows);
        if (response.status == no_answer)
            response.failure = Failure::interrupted;
        if (response.status == no_connection)
            response.failure = Failure::not_connected;
        if (response.status == 429)
            response.headers.emplace_back("retry-after", "100");
        ended_.push_back({++last_, response});
        return last_;
    }
    void cancel(ExchangeId id) override {
        std::erase_if(ended_, [id](const Finished &one) { return one.id == id; });
    }
    void run(Waiter &, Clock::time_point, std::vector<Finished> &finished) override {
        finished = std::exchange(ended_, {});
    }
    void give_back(std::vector<Finished>) override {}

    std::vector<std::vector<std::uint64_t>> requests; ///< the rows of each
    long token_status = 200;

  private:
    Answers answers_;
    std::vector<Finished> ended_;
    ExchangeId last_ = 0;
};

/// A destination whose requests take eight rows.
struct Queue : DeliveryJournal {
    explicit Queue(InstantTransport::Answers answers, int in_flight = 1, const std::string &of_create = "")
        : connector(connector_with(of_create)), transport(std::move(answers)) {
        Clock::source = []() noexcept { return time_of_test; };
        time_of_test = Clock::time_point(hours(1));
        policy.max_attempts = 1;
        policy.idempotency_scope = "of the test";
        policy.max_in_flight = in_flight;
        queue.use({3, true, {}});
    }
    ~Queue() override { Clock::source = &std::chrono::steady_clock::now; }

    void row_accepted(const QueuedRow &row) override { outcomes[row.id] = "accepted"; }
    void row_absent(const QueuedRow &row) override { outcomes[row.id] = "absent"; }
    void row_rejected(const QueuedRow &row, const Rejection &why) override {
        outcomes[row.id] = why.reason;
        if (why.in_doubt)
            in_doubt.insert(row.id);
    }
    void row_deferred(const QueuedRow &, Milliseconds, const std::string &) override {}
    std::int64_t next_request() override { return ++last_request; }
    std::int64_t next_job() override { return ++last_request; }
    void job_ended(std::int64_t) override {}
    void row_released(QueuedRow &row) override { row.batch = 0; }

    void add(std::uint64_t id, OperationKind operation, const std::string &key = "", bool may_be_done = false,
             bool is_like_last = false) {
        KeyQueue::Row row = queue.rows().new_row();
        row->may_be_done = may_be_done;
        row->id = id;
        row->role = 1;
        row->key = key.empty() ? "" : "{\"email\":\"" + key + "\"}";
        row->row = "{\"email\":\"" + key + "\",\"n\":" + std::to_string(id) + "}";
        if (is_like_last) {
            JsonRow reader;
            reader.read(row->row, row->key);
            reader.tell_places(row->values);
        }
        queue.add(std::move(row), operation_name(operation), is_like_last);
        queue.open_lanes([this](const LaneKey &lane, KeyQueue &rows, OutcomeSink &sink) {
            const OperationSpec &spec = lane.operation == std::string("create")
                                            ? object->operations.at(OperationKind::create)
                                            : object->operations.at(OperationKind::upsert);
            Route route{object,        CompiledOperation(*object, spec, {{"email", true}, {"n", true}}, 0, {}),
                        NullAs::omit,  std::nullopt,
                        authenticator, policy};
            return DeliveryQueue::OpenedLane{
                std::make_unique<DeliveryLane>(std::move(route), Surroundings{transport, waiter, limiter}, rows, sink,
                                               std::make_unique<Uninterested>()),
                ""};
        });
    }

    /// As the worker does, but for what it writes down.
    void turn() {
        queue.send(time_of_test, true);
        queue.submit_marked();
        queue.send(time_of_test, false);
        std::vector<Finished> finished;
        transport.run(waiter, {}, finished);
        for (const Finished &one : finished)
            queue.take(one);
    }
    void go_on_for(Clock::duration time) {
        for (const Clock::time_point end = time_of_test + time; time_of_test < end; time_of_test += Milliseconds(500))
            turn();
    }

    static Connector connector_with(const std::string &of_create) {
        return small_connector(R"({
            "create": {"request": "POST /create", )" +
                               of_create + R"("rows": 8, "body": {"rows": {"$rows": {"$columns": "all"}}}},
            "upsert": {"request": "POST /upsert", "rows": 8, "body": {"rows": {"$rows": {"$columns": "all"}}}}})");
    }

    const Connector connector;
    const std::shared_ptr<const Object> object = std::make_shared<const Object>(connector.object("things", {}));
    std::shared_ptr<Authenticator> authenticator = std::make_shared<Authenticator>(connector.auth(), Settings{});
    InstantTransport transport;
    PollWaiter waiter;
    RateLimiter limiter;
    Policy policy;
    Health health;
    DeliveryQueue queue{*this, health};
    std::map<std::uint64_t, std::string> outcomes;
    std::set<std::uint64_t> in_doubt;
    std::int64_t last_request = 0;
};

/// Credentials for tokens.
std::shared_ptr<Authenticator> with_tokens() {
    const Connector tokens = Connector::parse(
        R"({"manifest": 1, "name": "tokens", "title": "Tokens", "credentials": {"client_id": {"description": "-"}, "client_secret": {"description": "-"}},
        "base_url": "https://x", "auth": {"kind": "oauth2", "grant": "client_credentials",
            "token_url": "{base_url}/token", "client_id": "{client_id}", "client_secret": "{client_secret}"},
        "objects": {"things": {"operations": {"create": {"request": "POST /things", "body": {"$columns": "all"}}}}}})");
    return std::make_shared<Authenticator>(tokens.auth(), Settings{{"client_id", "i"}, {"client_secret", "s"}});
}

bool holds(const std::vector<std::uint64_t> &rows, std::uint64_t row) {
    return std::find(rows.begin(), rows.end(), row) != rows.end();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_row_that_breaks_its_destination_stands_alone_in_the_end) {
    Queue queue([](const auto &rows) { return holds(rows, 3) ? 500 : 200; });
    for (std::uint64_t id = 1; id <= 16; id++)
        queue.add(id, OperationKind::upsert);
    queue.go_on_for(minutes(10));
    for (std::uint64_t id = 1; id <= 16; id++)
        if (id != 3)
            BOOST_TEST(queue.outcomes[id] == "accepted", "row " << id);
    BOOST_TEST(queue.outcomes[3].starts_with("gave up after 3 attempts"), queue.outcomes[3]);
}

BOOST_AUTO_TEST_CASE(a_row_like_the_last_is_read_by_the_places_that_it_brings) {
    Queue queue([](const auto &) { return 200; });
    auto add = [&](std::uint64_t id, const std::string &key, OperationKind operation = OperationKind::upsert) {
        queue.add(id, operation, key, false, true);
    };
    add(1, "a"); // nothing was read before it
    add(2, "b");
    add(3, "c");
    add(4, "b"); // stands for 2
    queue.add(5, OperationKind::upsert, "d");
    add(6, "e", OperationKind::create);
    queue.go_on_for(minutes(1));
    for (const std::uint64_t id : {1, 3, 4, 5, 6})
        BOOST_TEST(queue.outcomes[id] == "accepted", "row " << id);
    const std::vector<std::vector<std::uint64_t>> requests{{1, 3, 4, 5}, {6}};
    BOOST_TEST((queue.transport.requests == requests));
}

BOOST_AUTO_TEST_CASE(a_lane_whose_rows_fail_does_not_keep_the_probes_to_itself) {
    Queue queue([](const auto &rows) { return rows.front() < 100 ? 500 : 200; });
    for (std::uint64_t id = 1; id <= 3; id++)
        queue.add(id, OperationKind::upsert);
    queue.go_on_for(minutes(2));
    queue.add(100, OperationKind::create);
    queue.go_on_for(minutes(10));
    BOOST_TEST(queue.outcomes[100] == "accepted");
}

BOOST_AUTO_TEST_CASE(a_row_that_fails_with_nothing_beside_it_is_given_up_after_a_day) {
    Queue queue([](const auto &) { return 500; });
    queue.add(1, OperationKind::upsert);
    queue.go_on_for(hours(23));
    BOOST_TEST(queue.outcomes[1] == "", "an outage may last that long");
    queue.go_on_for(hours(3));
    BOOST_TEST(queue.outcomes[1].starts_with("gave up"));
}

/// Each note is a commit: as long as the destination has enough to do, requests wait a moment to be noted together.
BOOST_AUTO_TEST_CASE(creates_are_noted_together_while_enough_is_under_way) {
    Queue queue([](const auto &) { return 200; }, 4);
    for (std::uint64_t id = 1; id <= 80; id++)
        queue.add(id, OperationKind::create);
    queue.queue.send(time_of_test, true);
    BOOST_TEST(queue.queue.marks().size() == 32u);
    queue.queue.submit_marked();
    std::vector<Finished> finished;
    queue.transport.run(queue.waiter, {}, finished);
    BOOST_TEST_REQUIRE(finished.size() == 4u);
    queue.queue.take(finished[0]);
    BOOST_TEST((queue.queue.send(time_of_test, true) <= time_of_test + DeliveryLane::between_notes));
    BOOST_TEST(!queue.queue.has_marks(), "three of four are under way");
    queue.queue.take(finished[1]);
    queue.queue.send(time_of_test, true);
    BOOST_TEST(queue.queue.marks().size() == 16u, "half of them are");
    queue.queue.submit_marked();
    queue.queue.take(finished[2]);
    queue.queue.send(time_of_test, true);
    BOOST_TEST(!queue.queue.has_marks());
    time_of_test += DeliveryLane::between_notes;
    queue.queue.send(time_of_test, true);
    BOOST_TEST(queue.queue.marks().size() == 8u, "none waits for long");
}

/// It may be made again, with the same key; but once it is given up, nobody knows whether it was.
BOOST_AUTO_TEST_CASE(a_create_that_is_given_up_may_have_been_made_if_an_attempt_may_have_arrived) {
    const std::string unknown = "outcome unknown, the destination may have the row: gave up";
    for (const auto &[answer, reason] : {std::pair<long, std::string>{InstantTransport::no_answer, unknown},
                                         {502, unknown},
                                         {InstantTransport::no_connection, "gave up"},
                                         {429, "gave up"}}) {
        Queue queue([answer](const auto &rows) { return rows.front() == 1 ? answer : 200; }, 1,
                    R"("idempotency_key": "Idempotency-Key", )");
        queue.add(1, OperationKind::create);
        for (std::uint64_t id = 100; queue.outcomes[1].empty() && id < 200; id++) {
            queue.add(id, OperationKind::upsert);
            queue.go_on_for(minutes(2));
        }
        BOOST_TEST(queue.outcomes[1].starts_with(reason), answer << ": " << queue.outcomes[1]);
    }
}

BOOST_AUTO_TEST_CASE(only_a_request_that_may_have_been_made_comes_again_as_it_was) {
    for (const auto &[answer, may_be_done] : {std::pair<long, bool>{InstantTransport::no_answer, true},
                                              {502, true},
                                              {InstantTransport::no_connection, false},
                                              {429, false}}) {
        Queue queue([answer](const auto &) { return answer; }, 1, R"("idempotency_key": "Idempotency-Key", )");
        for (std::uint64_t id = 1; id <= 8; id++)
            queue.add(id, OperationKind::create);
        queue.turn();
        BOOST_TEST((queue.queue.rows().row(1).batch != 0) == may_be_done, answer);
        queue.go_on_for(minutes(10));
        BOOST_TEST((queue.transport.requests.at(1).size() == 8) == may_be_done, answer);
    }
}

/// Else the rows that were tried less would come again as another request, with another key, and be made twice.
BOOST_AUTO_TEST_CASE(a_request_that_may_have_been_made_is_given_up_as_a_whole) {
    for (const long answer : {InstantTransport::no_answer, 502L})
        for (const std::uint64_t tried_most : {1, 4, 8}) {
            Queue queue([answer](const auto &rows) { return rows.front() <= 8 ? answer : 200; }, 1,
                        R"("idempotency_key": "Idempotency-Key", )");
            for (std::uint64_t id = 1; id <= 8; id++)
                queue.add(id, OperationKind::create);
            // By the process before, maybe with others.
            queue.queue.rows().row(tried_most).attempts = 2;
            for (std::uint64_t id = 100; queue.outcomes.count(tried_most % 8 + 1) == 0 && id < 200; id++) {
                queue.add(id, OperationKind::upsert);
                queue.go_on_for(minutes(2));
            }
            for (const std::vector<std::uint64_t> &request : queue.transport.requests)
                if (request.front() <= 8)
                    BOOST_TEST(request.size() == 8u);
            for (std::uint64_t id = 1; id <= 8; id++)
                BOOST_TEST(queue.outcomes[id].starts_with("outcome unknown"), id << ": " << queue.outcomes[id]);
        }
}

BOOST_AUTO_TEST_CASE(what_a_destination_asks_for_is_kept_when_the_request_is_given_up) {
    Queue queue([](const auto &) { return 429; });
    queue.add(1, OperationKind::upsert);
    queue.go_on_for(std::chrono::seconds(99));
    BOOST_TEST(queue.transport.requests.size() == 1u);
    queue.go_on_for(minutes(1));
    BOOST_TEST(queue.transport.requests.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_is_a_failure_of_the_destination) {
    Queue queue([](const auto &) { return 502; });
    for (std::uint64_t id = 1; id <= 40; id++)
        queue.add(id, OperationKind::create);
    queue.turn();
    BOOST_TEST(queue.outcomes.size() == 8u);
    BOOST_TEST((queue.health.of(1).state() == Circuit::State::failing));
    queue.turn();
    BOOST_TEST(queue.transport.requests.size() == 1u, "the rest waits");
    queue.go_on_for(minutes(1));
    BOOST_TEST(queue.transport.requests.size() > 1u);
    BOOST_TEST(queue.transport.requests.size() < 8u);
    for (std::size_t i = 1; i < queue.transport.requests.size(); i++)
        BOOST_TEST(queue.transport.requests[i].size() == 1u, "a destination is not tried out with many creates");
}

BOOST_AUTO_TEST_CASE(lanes_share_one_probe) {
    Queue queue([](const auto &) { return 502; });
    queue.add(1, OperationKind::upsert);
    queue.turn();
    queue.add(2, OperationKind::create);
    queue.add(3, OperationKind::create);
    queue.add(4, OperationKind::upsert);
    time_of_test = queue.health.of(1).retry_at() + minutes(1);
    queue.transport.requests.clear();
    queue.turn();
    BOOST_TEST(queue.transport.requests.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_process_before_may_have_sent_is_in_doubt_when_it_is_refused) {
    Queue queue([](const auto &) { return 422; });
    queue.add(1, OperationKind::upsert, "ada");
    queue.add(2, OperationKind::upsert, "bob", true);
    queue.go_on_for(minutes(1));
    BOOST_TEST(queue.outcomes.size() == 2u);
    BOOST_TEST(!queue.in_doubt.contains(1));
    BOOST_TEST(queue.in_doubt.contains(2));
}

BOOST_AUTO_TEST_CASE(only_what_is_sent_at_once_is_noted) {
    Queue queue([](const auto &rows) { return rows.front() == 1 ? 429 : 200; }, 4);
    queue.policy.max_attempts = 8;
    for (std::uint64_t id = 1; id <= 32; id++)
        queue.add(id, OperationKind::create);
    const BucketKey whole_account = bucket_key(queue.policy.account + "/");
    queue.limiter.hold({{whole_account}}, time_of_test + minutes(1), time_of_test);
    queue.queue.send(time_of_test, true);
    BOOST_TEST(!queue.queue.has_marks(), "what may not be sent yet is not noted");
    time_of_test += minutes(2);
    queue.queue.send(time_of_test, false);
    BOOST_TEST(queue.queue.has_marks());
    BOOST_TEST(queue.queue.marks().size() == 32u);
    BOOST_TEST(queue.transport.requests.empty(), "noted first");
    queue.turn();
    BOOST_TEST(queue.transport.requests.size() == 4u);
    BOOST_TEST(queue.queue.rows().row(1).batch == 0, "what was surely not done is not in doubt");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_noted_is_not_sent) {
    Queue queue([](const auto &) { return 200; });
    for (std::uint64_t id = 1; id <= 8; id++)
        queue.add(id, OperationKind::create);
    queue.queue.send(time_of_test, true);
    queue.queue.drop_marked();
    BOOST_TEST(!queue.queue.has_marks());
    BOOST_TEST(queue.queue.rows().under_way() == 0u);
    queue.queue.submit_marked();
    BOOST_TEST(queue.transport.requests.empty());
    queue.turn();
    BOOST_TEST(queue.outcomes.size() == 8u);
}

BOOST_AUTO_TEST_CASE(a_create_waits_for_the_outcome_that_it_follows_to_be_stored) {
    Queue queue([](const auto &) { return 200; });
    queue.add(1, OperationKind::upsert, "ada");
    queue.add(2, OperationKind::create, "ada");
    queue.add(3, OperationKind::create, "bob");
    queue.queue.send(time_of_test, true);
    BOOST_TEST(!queue.queue.marks_follow_outcomes(), "bob follows nothing");
    queue.turn();
    queue.queue.send(time_of_test, true);
    BOOST_TEST(queue.queue.has_marks());
    BOOST_TEST(queue.queue.marks_follow_outcomes());
}

BOOST_AUTO_TEST_CASE(no_row_is_at_fault_for_a_token_that_does_not_come) {
    for (const std::uint64_t rows : {1, 8}) {
        Queue queue([](const auto &) { return 200; });
        queue.authenticator = with_tokens();
        queue.transport.token_status = 503;
        for (std::uint64_t id = 1; id <= rows; id++)
            queue.add(id, OperationKind::upsert);
        queue.turn();
        BOOST_TEST((queue.health.of(1).state() == Circuit::State::failing));
        BOOST_TEST(queue.queue.rows().row(1).attempts == 0, "it was not tried");
        queue.transport.token_status = 200;
        queue.go_on_for(minutes(1));
        BOOST_TEST(queue.outcomes.size() == rows);
        BOOST_TEST(queue.transport.requests.size() == 1u, "what was not tried is not tried apart");
    }
}

/// By how long it waits for a token, not by what it is: no outage of a day is told from the end of it.
BOOST_AUTO_TEST_CASE(a_token_that_does_not_come_for_a_day_gives_rows_up) {
    Queue queue([](const auto &) { return 200; });
    queue.authenticator = with_tokens();
    queue.transport.token_status = 503;
    queue.add(1, OperationKind::upsert);
    queue.go_on_for(hours(23));
    BOOST_TEST(queue.outcomes[1] == "");
    queue.go_on_for(hours(3));
    BOOST_TEST(queue.outcomes[1].starts_with("gave up"));
}

BOOST_AUTO_TEST_CASE(a_token_that_is_given_up_stops_all_lanes_of_its_credentials) {
    Queue queue([](const auto &) { return 200; }), other([](const auto &) { return 200; });
    queue.authenticator = other.authenticator = with_tokens();
    queue.transport.token_status = other.transport.token_status = 503;
    queue.add(1, OperationKind::upsert);
    other.add(1, OperationKind::upsert);
    queue.queue.send(time_of_test, true);
    other.queue.send(time_of_test, true);
    queue.turn();
    other.queue.send(time_of_test, true);
    BOOST_TEST((other.health.of(1).state() == Circuit::State::failing), "what another destination learnt goes for it");
    BOOST_TEST(other.queue.rows().under_way() == 0u);
}
