#pragma once

#include "engine/queue/delivery_queue.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"

#include "connector_fixture.h"
#include "poll_waiter.h"
#include "uninterested.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace reverse_etl::of_jobs {

using std::chrono::hours;
using std::chrono::seconds;

inline Clock::time_point time_of_test;

struct Seen {
    std::string line, body, authorization;
    Headers headers;
    Clock::time_point at;
};

/// Answers at once what the test says: a status and a body.
class Script final : public Transport {
  public:
    using Answers = std::function<std::pair<long, std::string>(const Seen &)>;

    ExchangeId start(const Request &request) override {
        Seen seen{request.method + " " + request.url, std::string(request.body), "", request.headers, time_of_test};
        for (const auto &[name, value] : request.headers)
            if (lower_case(name) == "authorization")
                seen.authorization = value;
        requests.push_back(seen);
        Response response;
        std::tie(response.status, response.body) = answers(seen);
        if (headers)
            response.headers = headers(seen);
        if (response.status == 0)
            response.failure = Failure::interrupted;
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

    Answers answers;
    std::function<Headers(const Seen &)> headers; ///< of its answers
    std::vector<Seen> requests;

  private:
    std::vector<Finished> ended_;
    ExchangeId last_ = 0;
};

inline const std::string rows_of_body = R"("body": {"rows": {"$rows": {"$columns": "all"}}})";
inline const std::string poll = R"("poll": {"request": "GET /jobs/{job.id}", "done_when": {"/state": "done"},
    "failed_when": {"/state": "failed"}, "reason": "/why",
    "outcome": {"each": "/results", "row": "position", "accepted_when": {"/ok": true}, "reason": "/error"}})";
inline const std::string opened = R"("open": {"request": "POST /jobs", "keep": {"id": "/id", "url": "/url"}})";
inline const std::string closed = R"("close": {"request": "PATCH /jobs/{job.id}", "body": {"state": "closed"}})";

/// A destination whose upserts leave in jobs, and the worker's part in it.
struct Queue : DeliveryJournal {
    explicit Queue(const std::string &job, const std::string &operation = "upsert",
                   const std::string &poll = of_jobs::poll, const std::string &more = "",
                   const std::string &request = "")
        : connector(small_connector("{\"" + operation + "\": {" + request + "\"job\": {" + job + ", " + poll + "}}}",
                                    R"("reason": "/message", )" + more)),
          kind(operation == "create" ? OperationKind::create : OperationKind::upsert) {
        Clock::source = []() noexcept { return time_of_test; };
        time_of_test = Clock::time_point(hours(100));
        policy.max_attempts = 1;
        queue.use({3, true, {}});
    }
    ~Queue() override { Clock::source = &std::chrono::steady_clock::now; }

    void row_accepted(const QueuedRow &row) override { outcomes[row.id] = "accepted"; }
    void row_absent(const QueuedRow &row) override { outcomes[row.id] = "absent"; }
    void row_rejected(const QueuedRow &row, const Rejection &why) override { outcomes[row.id] = why.reason; }
    void row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &) override {
        outcomes[row.id] = "again";
        pauses.insert(pause);
    }
    std::int64_t next_request() override { return 1; }
    std::int64_t next_job() override { return 7; }
    void job_ended(std::int64_t) override { ended++; }
    void row_released(QueuedRow &) override {}

    KeyQueue::Row row(std::uint64_t id) const {
        auto row = std::make_unique<QueuedRow>();
        row->id = id;
        row->role = 1;
        row->row = "{\"email\":\"e" + std::to_string(id) + "\",\"name\":\"n\"}";
        return row;
    }
    void open_lanes() {
        queue.open_lanes([this](const LaneKey &, KeyQueue &rows, OutcomeSink &sink) {
            Route route{
                object,
                CompiledOperation(*object, object->operations.at(kind), {{"email", true}, {"name", true}}, 0, {}),
                NullAs::omit,
                std::nullopt,
                authenticator,
                policy};
            return DeliveryQueue::OpenedLane{
                std::make_unique<DeliveryLane>(std::move(route), Surroundings{transport, waiter, limiter}, rows, sink,
                                               std::make_unique<Uninterested>()),
                ""};
        });
    }
    void add(std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t id = first; id <= last; id++)
            queue.add(row(id), operation_name(kind));
        open_lanes();
    }
    /// A job that another process noted.
    void take_up(JobRecord record, const std::vector<std::uint64_t> &there) {
        for (std::uint64_t id : there)
            queue.add_to_job(row(id), operation_name(kind));
        record.is_stored = true;
        queue.take_up(std::move(record));
        open_lanes();
    }

    void turns(int most = 40) {
        for (int i = 0; i < most; i++) {
            queue.send(time_of_test, may_start);
            for (const JobRecord *record : queue.job_notes())
                notes.push_back(record->submitted ? "submitted" : "about to be");
            if (is_stored)
                queue.jobs_noted();
            else
                queue.drop_job_notes();
            queue.submit_marked();
            std::vector<Finished> finished;
            transport.run(waiter, time_of_test, finished);
            for (const Finished &one : finished)
                queue.take(one);
            time_of_test += seconds(5);
        }
    }
    std::string lines() const {
        std::string lines;
        for (const Seen &one : transport.requests)
            lines += one.line.substr(0, one.line.find(' ')) + one.line.substr(one.line.find('/', 15)) + " ";
        return lines;
    }

    const Connector connector;
    const OperationKind kind;
    const std::shared_ptr<const Object> object =
        std::make_shared<const Object>(connector.object("things", {{"base_url", "http://api.example.com"}}));
    Policy policy;
    const std::shared_ptr<Authenticator> authenticator = std::make_shared<Authenticator>(object->auth, Settings());
    PollWaiter waiter;
    RateLimiter limiter;
    Script transport;
    Health health;
    DeliveryQueue queue{*this, health};
    std::map<std::uint64_t, std::string> outcomes;
    std::set<Milliseconds> pauses; ///< of rows that wait to come again
    std::vector<std::string> notes;
    bool may_start = true, is_stored = true;
    int ended = 0;
};

/// The answers of a destination that takes all but rows of which the test says why not.
inline Script::Answers api(std::map<std::string, std::pair<long, std::string>> others = {}) {
    return [others](const Seen &seen) -> std::pair<long, std::string> {
        for (const auto &[line, answer] : others)
            if (seen.line.find(line) != std::string::npos)
                return answer;
        if (seen.line.starts_with("POST http://api.example.com/jobs"))
            return {200, R"({"id": "j/1{", "url": "https://files.example.com/up?sig=1"})"};
        if (seen.line.starts_with("GET"))
            return {200,
                    R"({"state": "done", "results": [{"ok": true}, {"ok": false, "error": "bad"}, {"ok": true}]})"};
        return {200, "{}"};
    };
}

using Outcomes = std::map<std::uint64_t, std::string>;

inline bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

} // namespace reverse_etl::of_jobs
