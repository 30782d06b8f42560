/// Queued rows that must share requests.

#include "engine/queue/delivery_lane.h"
#include "engine/requests/row_groups.h"
#include "engine/text/json.h"
#include "uninterested.h"

#include "connector_fixture.h"
#include "poll_waiter.h"

#include <boost/test/unit_test.hpp>

#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace reverse_etl;

namespace {

/// Notes what is sent, for a test to answer.
class NotingTransport final : public Transport {
  public:
    ExchangeId start(const Request &request) override {
        const std::string list = request.url.substr(request.url.rfind('/') + 1);
        sent.push_back(list + " " + Json::parse(request.body).at("rows").dump());
        places.push_back(request.place);
        return sent.size();
    }
    void cancel(ExchangeId) override {}
    void run(Waiter &, Clock::time_point, std::vector<Finished> &) override {}
    void give_back(std::vector<Finished>) override {}

    std::vector<std::string> sent;                   ///< by the number of their exchange less one
    std::vector<std::shared_ptr<const void>> places; ///< likewise: what they take up of limits
};

struct Member {
    std::string list, email;
    std::int64_t batch = 0;        ///< of a process before
    std::size_t most_together = 0; ///< it failed before
};

/// Members of lists, up to three a request, whose changes are known by list and email.
class GroupedLane : public OutcomeSink {
  public:
    explicit GroupedLane(std::size_t rows_a_request = 3, int concurrent = 100)
        : rows_a_request_(rows_a_request), concurrent_(concurrent) {}

    void queue(const std::vector<Member> &members) {
        for (const Member &member : members) {
            auto row = std::make_unique<QueuedRow>();
            row->id = ++last_;
            row->identity = member.list + "/" + member.email;
            row->identity_hash = std::hash<std::string>()(row->identity);
            row->key = "{}";
            row->row = "{\"name\":\"" + member.list + "\",\"email\":\"" + member.email + "\"}";
            row->batch = member.batch;
            row->most_together = member.most_together;
            rows_.add(std::move(row), [](const QueuedRow &, const QueuedRow &) { return false; });
        }
    }
    /// Sends what may go now, as far as there is room. What was sent since the last time: each request's list and
    /// members.
    std::string send() {
        const Clock::time_point now = Clock::now();
        while (lane_.has_room() && rows_.next(0, now) != nullptr) {
            lane_.submit(lane_.make_batches(0, now, false), now);
            most_jobs = std::max(most_jobs, lane_.jobs());
            lane_.start_ready();
        }
        std::string seen;
        for (; told_ < transport_.sent.size(); told_++)
            seen += transport_.sent[told_] + "\n";
        return seen;
    }
    void answer(ExchangeId exchange, long status = 200) {
        Response response;
        response.status = status;
        response.body = "{}";
        transport_.places[exchange - 1].reset();
        BOOST_TEST(lane_.take({exchange, response}));
        lane_.start_ready();
    }
    /// Answers each request until nothing is left; how many there were.
    std::size_t drain() {
        ExchangeId answered = 0;
        do {
            send();
            while (answered < transport_.sent.size())
                answer(++answered);
        } while (rows_.size() > 0);
        return answered;
    }

    void accepted(std::uint64_t row, const std::string &) override { end(row, "accepted"); }
    void rejected(std::uint64_t row, const std::string &reason, long) override { end(row, reason); }
    void absent(std::uint64_t row) override { end(row, "absent"); }

    std::map<std::uint64_t, std::string> outcomes;
    std::size_t most_jobs = 0;

  private:
    void end(std::uint64_t row, const std::string &outcome) {
        BOOST_TEST(outcomes.emplace(row, outcome).second);
        rows_.finish(row);
    }
    Route route() const {
        Policy policy;
        policy.max_in_flight = 8;
        policy.account = "test";
        return {object_,
                CompiledOperation(*object_, object_->operations.at(OperationKind::upsert),
                                  {{"name", true}, {"email", true}}, -1, {}),
                NullAs::null,
                {},
                std::make_shared<Authenticator>(connector_.auth(), Settings{}),
                policy};
    }

    const std::size_t rows_a_request_;
    const int concurrent_;
    const Connector connector_ = small_connector(
        R"({"upsert": {"request": "POST /{row.name}", "group_by": "name", "body": {"rows": {"$rows": "{row.email}"}},
            "rate_limits": [{"name": "open", "concurrent": )" +
        std::to_string(concurrent_) + R"(}],
            "rows": )" +
        std::to_string(rows_a_request_) + "}}");
    const std::shared_ptr<const Object> object_ = std::make_shared<const Object>(connector_.object("things", {}));
    PollWaiter waiter_;
    RateLimiter limiter_;
    NotingTransport transport_;
    KeyQueue rows_;
    std::uint64_t last_ = 0;
    std::size_t told_ = 0;
    DeliveryLane lane_{route(), {transport_, waiter_, limiter_}, rows_, *this, std::make_unique<Uninterested>()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(grouped_lane)

BOOST_AUTO_TEST_CASE(groups_that_alternate_share_as_few_requests_as_if_they_were_sorted) {
    GroupedLane lane;
    std::vector<Member> members;
    for (int i = 0; i < 24; i++)
        members.push_back({i % 2 == 0 ? "a" : "b", std::to_string(i)});
    lane.queue(members);
    BOOST_TEST(lane.send() == "a [\"0\",\"2\",\"4\"]\nb [\"1\",\"3\",\"5\"]\n"
                              "a [\"6\",\"8\",\"10\"]\nb [\"7\",\"9\",\"11\"]\n"
                              "a [\"12\",\"14\",\"16\"]\nb [\"13\",\"15\",\"17\"]\n"
                              "a [\"18\",\"20\",\"22\"]\nb [\"19\",\"21\",\"23\"]\n");
}

BOOST_AUTO_TEST_CASE(changes_of_a_key_follow_each_other_whatever_group_is_quicker) {
    GroupedLane lane;
    lane.queue({{"a", "x"}, {"b", "x"}, {"a", "x"}, {"a", "y"}, {"b", "x"}, {"b", "x"}});
    BOOST_TEST(lane.send() == "a [\"x\",\"y\"]\nb [\"x\"]\n");
    lane.answer(2);
    BOOST_TEST(lane.send() == "b [\"x\"]\n", "the next change of b/x, and none of a/x");
    lane.answer(1);
    BOOST_TEST(lane.send() == "a [\"x\"]\n");
    lane.answer(4);
    lane.answer(3);
    BOOST_TEST(lane.send() == "b [\"x\"]\n");
    lane.answer(5);
    BOOST_TEST(lane.outcomes.size() == 6u);
}

/// What a process before may have sent is made again as it was, and what failed takes no others with it.
BOOST_AUTO_TEST_CASE(what_was_one_request_and_what_failed_stand_apart_from_their_groups) {
    GroupedLane lane;
    lane.queue({{"a", "1", 7}, {"a", "2", 7}, {"a", "3"}, {"b", "4"}, {"a", "5", 0, 1}, {"b", "6", 0, 1}, {"a", "7"}});
    BOOST_TEST(lane.send() == "a [\"1\",\"2\"]\na [\"3\"]\nb [\"4\"]\na [\"5\"]\nb [\"6\"]\na [\"7\"]\n");
}

BOOST_AUTO_TEST_CASE(a_group_that_is_not_there_keeps_its_rows_and_no_others) {
    GroupedLane lane;
    lane.queue({{"a", "1"}, {"gone", "2"}, {"a", "3"}, {"gone", "4"}});
    BOOST_TEST(lane.send() == "a [\"1\",\"3\"]\ngone [\"2\",\"4\"]\n");
    lane.answer(2, 404);
    lane.answer(1);
    BOOST_TEST(lane.outcomes[1] == "accepted");
    BOOST_TEST(lane.outcomes[3] == "accepted");
    BOOST_TEST(lane.outcomes[2] != "accepted");
    BOOST_TEST(lane.outcomes[2] == lane.outcomes[4]);
}

/// As many requests as there are groups, of which no more than eight requests' worth of rows are made ahead.
BOOST_AUTO_TEST_CASE(ten_thousand_groups_of_a_row_are_held_in_parts_and_take_no_longer_than_their_requests) {
    std::vector<Member> members;
    for (int i = 0; i < 10'000; i++)
        members.push_back({"list" + std::to_string(i), "x"});
    struct Case {
        std::size_t rows_a_request;
        int concurrent;
        std::size_t most_jobs;
    };
    for (const Case &one : {Case{100, 100, 800}, Case{5000, 2, 10'000}}) {
        GroupedLane lane(one.rows_a_request, one.concurrent);
        lane.queue(members);
        const std::clock_t begin = std::clock();
        BOOST_TEST(lane.drain() == 10'000u);
        BOOST_TEST(lane.outcomes.size() == 10'000u);
        BOOST_TEST(lane.most_jobs <= one.most_jobs + 8);
        BOOST_TEST(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 2, "most of it would be spent in line");
    }
}

BOOST_AUTO_TEST_SUITE_END()
