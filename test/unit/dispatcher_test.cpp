#include "engine/requests/dispatcher.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <thread>

using namespace reverse_etl;
using std::chrono::seconds;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const char *const create = R"({"create": {"request": "POST /things", "rows": 10,
    "body": {"$rows": {"$columns": "all"}}, "idempotency_key": "Idempotency-Key"}})";

/// A destination whose tokens come from /token.
Connector with_tokens() {
    return Connector::parse(
        R"({"manifest": 1, "name": "tokens", "title": "Tokens", "credentials": {"client_id": {"description": "-"}, "client_secret": {"description": "-"}}, "base_url": "https://x",
        "auth": {"kind": "oauth2", "grant": "client_credentials", "token_url": "{base_url}/token",
                 "client_id": "{client_id}", "client_secret": "{client_secret}"},
        "objects": {"things": {"operations": {"create":
            {"request": "POST /things", "body": {"$columns": "all"}}}}}})");
}

/// Notes what becomes of jobs, by the number of their first row.
struct Notes : JobHandler {
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &) override {
        note(*job, verdict.action == Action::proceed || verdict.action == Action::accept ? "done" : "not done");
    }
    void failed(std::unique_ptr<Job> job, const DestinationError &error) override {
        note(*job, "failed: " + std::string(error.what()));
        faults.insert(error.fault);
        may_be_done += error.may_be_done;
    }
    void note(const Job &job, const std::string &what) {
        BOOST_TEST(jobs.emplace(job.batch.rows().front().number, what).second, "a second end of a job: " << what);
    }
    std::size_t count(const std::string &beginning) const {
        return std::count_if(jobs.begin(), jobs.end(),
                             [&](const auto &job) { return job.second.starts_with(beginning); });
    }

    std::map<std::uint64_t, std::string> jobs;
    std::set<Fault> faults;
    int may_be_done = 0; ///< jobs that failed
};

/// A loop that serves several dispatchers, as the background worker has one.
template <class... Dispatchers>
void serve(Transport &transport, JobHandler &handler, Dispatchers &...dispatchers) {
    PollWaiter waiter;
    while ((dispatchers.jobs() + ...) > 0) {
        Clock::time_point next = std::min({dispatchers.start_ready(handler)..., Clock::now() + seconds(5)});
        std::vector<Finished> finished;
        transport.run(waiter, next, finished);
        for (const Finished &one : finished)
            BOOST_TEST((dispatchers.take(one, handler) + ...) == 1, "an exchange of nobody's");
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(a_job_that_fails_is_handed_over_and_the_others_go_on) {
    ScriptedDestination destination([](const Received &request, auto &connection) {
        connection.answer(request.body.find("row 2") == std::string::npos ? 201 : 503, "{}");
    });
    Policy policy = quick();
    policy.max_attempts = 3;
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()), {},
              policy);
    Notes notes;
    for (std::uint64_t number : {1, 2, 3})
        line.dispatcher.submit(job(line.bound.operation, number));
    line.dispatcher.run(notes);
    BOOST_TEST(notes.jobs[1] == "done");
    BOOST_TEST(notes.jobs[2] == "failed: " + destination.url() + ": HTTP status 503, after 3 attempts");
    BOOST_TEST(notes.jobs[3] == "done");
    BOOST_TEST(line.dispatcher.jobs() == 0u);
    BOOST_TEST((notes.faults == std::set{Fault::unreachable}));
}

BOOST_AUTO_TEST_CASE(what_was_not_sent_can_be_withdrawn) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(401, "{}"); });
    Policy policy = quick();
    policy.max_in_flight = 2;
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()), {},
              policy);
    struct Withdrawing : Notes {
        explicit Withdrawing(Dispatcher &dispatcher) : dispatcher(dispatcher) {}
        void failed(std::unique_ptr<Job> job, const DestinationError &error) override {
            Notes::failed(std::move(job), error);
            for (const std::unique_ptr<Job> &other : dispatcher.withdraw())
                withdrawn.insert(other->batch.rows().front().number);
        }
        Dispatcher &dispatcher;
        std::set<std::uint64_t> withdrawn;
    } notes(line.dispatcher);
    for (std::uint64_t number = 1; number <= 20; number++)
        line.dispatcher.submit(job(line.bound.operation, number));
    line.dispatcher.run(notes);
    BOOST_TEST(destination.received().size() == 2u);
    BOOST_TEST(notes.count("failed: ") == 2u);
    BOOST_TEST(notes.withdrawn.size() == 18u);
    BOOST_TEST((notes.faults == std::set{Fault::unauthorized}));
}

BOOST_AUTO_TEST_CASE(a_handler_that_knows_no_better_ends_everything) {
    struct Plain : JobHandler {
        void settled(std::unique_ptr<Job>, const Verdict &, Answer &) override {}
    } plain;
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(401, "{}"); });
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()));
    line.dispatcher.submit(job(line.bound.operation, 1));
    BOOST_CHECK_THROW(line.dispatcher.run(plain), DestinationError);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(one_loop)

BOOST_AUTO_TEST_CASE(serves_many_dispatchers) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()));
    Dispatcher other(line.bound.operation, line.transport, line.waiter, line.limiter, line.authenticator, line.policy);
    Notes notes;
    for (std::uint64_t number = 1; number <= 20; number++)
        (number % 2 == 0 ? line.dispatcher : other).submit(job(line.bound.operation, number));
    BOOST_TEST(line.dispatcher.jobs() == 10u);
    BOOST_TEST(line.dispatcher.jobs_in_flight() == 0u);
    serve(line.transport, notes, line.dispatcher, other);
    BOOST_TEST(notes.count("done") == 20u);
    BOOST_TEST(destination.received().size() == 20u);
}

BOOST_AUTO_TEST_CASE(start_ready_tells_when_more_may_start) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()));
    Notes notes;
    BOOST_TEST((line.dispatcher.start_ready(notes) == Clock::time_point::max()));
    std::unique_ptr<Job> later = job(line.bound.operation, 1);
    Clock::time_point when = later->ready = Clock::now() + Milliseconds(200);
    line.dispatcher.submit(std::move(later));
    BOOST_TEST((line.dispatcher.start_ready(notes) == when));
    BOOST_TEST(line.dispatcher.jobs_in_flight() == 0u);
    serve(line.transport, notes, line.dispatcher);
    BOOST_TEST((Clock::now() >= when));
    BOOST_TEST(notes.count("done") == 1u);
}

BOOST_AUTO_TEST_CASE(takes_only_its_own) {
    ScriptedDestination destination([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(destination.url()));
    Notes notes;
    BOOST_TEST(!line.dispatcher.take({12345, {}}, notes));
    BOOST_TEST(notes.jobs.empty());
}

BOOST_AUTO_TEST_CASE(fetching_a_token_keeps_nobody_else_waiting) {
    std::atomic<bool> others_done = false;
    // A connection has a thread of its own there.
    LoopbackServer slow([&](const Received &request, auto &connection) {
        if (request.target != "/token") {
            connection.answer(201, "{}");
            return;
        }
        for (int i = 0; i < 500 && !others_done; i++)
            std::this_thread::sleep_for(Milliseconds(10));
        connection.answer(200, R"({"access_token": "t"})");
    });
    ScriptedDestination fast([](const Received &, auto &connection) { connection.answer(201, "{}"); });
    Line line(small_connector(create), "things", OperationKind::create, {"name"}, "", at(fast.url()));
    const Connector tokens = with_tokens();
    const BoundOperation bound(tokens, "things", OperationKind::create, {"name"}, "", at(slow.url("")));
    Authenticator authenticator(bound.object.auth, {{"client_id", "i"}, {"client_secret", "s"}});
    Dispatcher waiting(bound.operation, line.transport, line.waiter, line.limiter, authenticator, line.policy);
    struct Order : Notes {
        explicit Order(std::atomic<bool> &others_done) : others_done(others_done) {}
        void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override {
            Notes::settled(std::move(job), verdict, answer);
            others_done = count("done") == 5;
        }
        std::atomic<bool> &others_done;
    } notes(others_done);
    for (std::uint64_t number : {101, 102})
        waiting.submit(job(bound.operation, number));
    for (std::uint64_t number = 1; number <= 5; number++)
        line.dispatcher.submit(job(line.bound.operation, number));
    serve(line.transport, notes, line.dispatcher, waiting);
    BOOST_TEST(notes.count("done") == 7u);
    BOOST_TEST(slow.requests() == 3, "one token for both");
}

/// Hands out tokens that others had before, and one that it fetches when each of those was refused.
struct Tokens : TokenStore {
    explicit Tokens(std::vector<FetchedToken> all) : all(std::move(all)) {}
    Answer ask() override { return all.at(std::min(refused, all.size() - 1)); }
    void refuse() override { refused++; }
    void abandon() noexcept override {}

    const std::vector<FetchedToken> all;
    std::size_t refused = 0;
};

FetchedToken token(const std::string &text, bool is_new) {
    return {text, "", "", std::nullopt, is_new};
}

/// The authorizations that a job went through, and what became of it, where only one of the tokens is good.
std::pair<std::string, std::string> tried_with(std::vector<FetchedToken> tokens, const std::string &good) {
    ScriptedDestination destination([&](const Received &request, auto &connection) {
        connection.answer(request.authorization() == "Bearer " + good ? 201 : 401, "{}");
    });
    Line line(with_tokens(), "things", OperationKind::create, {"name"}, "", at(destination.url()),
              {{"client_id", "i"}, {"client_secret", "s"}});
    line.authenticator.token()->share(std::make_unique<Tokens>(std::move(tokens)));
    Notes notes;
    line.dispatcher.submit(job(line.bound.operation, 1));
    line.dispatcher.run(notes);
    std::string authorizations;
    for (const Received &one : destination.received())
        authorizations += one.authorization().substr(std::string("Bearer ").size()) + " ";
    return {authorizations, notes.jobs.at(1).substr(0, 6)};
}

BOOST_AUTO_TEST_CASE(a_token_that_somebody_else_had_may_have_ended_too) {
    using Tried = std::pair<std::string, std::string>;
    BOOST_TEST((tried_with({token("mine", false), token("anothers", false), token("fetched", true)}, "fetched") ==
                Tried{"mine anothers fetched ", "done"}));
    // One that was fetched for it and is refused ends the trying.
    BOOST_TEST((tried_with({token("mine", false), token("fetched", true), token("more", true)}, "more") ==
                Tried{"mine fetched ", "failed"}));
    // And so does a destination that refuses everything.
    BOOST_TEST(
        (tried_with({token("anothers", false)}, "none") == Tried{"anothers anothers anothers anothers ", "failed"}));
}

BOOST_AUTO_TEST_CASE(a_token_that_is_refused_fails_all_jobs) {
    ScriptedDestination destination(
        [](const Received &, auto &connection) { connection.answer(400, R"({"error": "invalid_client"})"); });
    Line line(with_tokens(), "things", OperationKind::create, {"name"}, "", at(destination.url()),
              {{"client_id", "i"}, {"client_secret", "s"}});
    Notes notes;
    for (std::uint64_t number : {1, 2, 3})
        line.dispatcher.submit(job(line.bound.operation, number));
    line.dispatcher.run(notes);
    BOOST_TEST(notes.count("failed: no access token from ") == 3u);
    BOOST_TEST((notes.faults == std::set{Fault::unauthorized}));
    BOOST_TEST(destination.received().size() == 1u);
    BOOST_TEST(line.dispatcher.jobs() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tokens)

namespace {

struct TokenServer {
    using Script = std::function<void(int request, LoopbackServer::Connection &)>;

    explicit TokenServer(Script script)
        : destination([this, script](const Received &request, auto &connection) {
              if (request.target == "/token")
                  script(++tokens, connection);
              else
                  connection.answer(201, "{}");
          }) {}

    Notes deliver(std::uint64_t rows) {
        Notes notes;
        Line line(with_tokens(), "things", OperationKind::create, {"name"}, "", at(destination.url()),
                  {{"client_id", "the-client"}, {"client_secret", "the-secret"}});
        for (std::uint64_t number = 1; number <= rows; number++)
            line.dispatcher.submit(job(line.bound.operation, number));
        line.dispatcher.run(notes);
        return notes;
    }

    int tokens = 0;
    ScriptedDestination destination;
};

} // namespace

BOOST_AUTO_TEST_CASE(those_who_share_credentials_share_the_token_and_no_others) {
    TokenServer server([](int request, auto &connection) {
        if (request == 1)
            connection.answer(503, "");
        else
            connection.answer(200, R"({"access_token": "t"})");
    });
    const Settings credentials{{"client_id", "i"}, {"client_secret", "s"}};
    Line first(with_tokens(), "things", OperationKind::create, {"name"}, "", at(server.destination.url()), credentials);
    Dispatcher second(first.bound.operation, first.transport, first.waiter, first.limiter, first.authenticator,
                      first.policy);
    Notes notes;
    first.dispatcher.submit(job(first.bound.operation, 1));
    second.submit(job(first.bound.operation, 2));
    serve(first.transport, notes, first.dispatcher, second);
    BOOST_TEST(notes.count("done") == 2u);
    BOOST_TEST(server.tokens == 2, "the one that failed, and one for both");

    Authenticator other(first.bound.object.auth, credentials);
    Dispatcher third(first.bound.operation, first.transport, first.waiter, first.limiter, other, first.policy);
    third.submit(job(first.bound.operation, 3));
    third.run(notes);
    BOOST_TEST(server.tokens == 3, "another account asks for its own");
}

BOOST_AUTO_TEST_CASE(a_statement_inside_of_another_waits_for_the_token_that_the_outer_one_asked_for) {
    TokenServer server([](int, auto &connection) { connection.answer(200, R"({"access_token": "t"})"); });
    Line outer(with_tokens(), "things", OperationKind::create, {"name"}, "", at(server.destination.url()),
               {{"client_id", "i"}, {"client_secret", "s"}});
    Notes notes;
    outer.dispatcher.submit(job(outer.bound.operation, 1));
    outer.dispatcher.start_ready(notes);
    {
        Dispatcher inner(outer.bound.operation, outer.transport, outer.waiter, outer.limiter, outer.authenticator,
                         outer.policy);
        inner.submit(job(outer.bound.operation, 2));
        inner.run(notes);
    }
    outer.dispatcher.run(notes);
    BOOST_TEST(notes.count("done") == 2u);
    BOOST_TEST(server.tokens == 1);
}

BOOST_AUTO_TEST_CASE(whoever_asked_for_the_token_may_go_away) {
    TokenServer server([](int, auto &connection) { connection.answer(200, R"({"access_token": "t"})"); });
    Line left(with_tokens(), "things", OperationKind::create, {"name"}, "", at(server.destination.url()),
              {{"client_id", "i"}, {"client_secret", "s"}});
    Notes notes;
    {
        Dispatcher gone(left.bound.operation, left.transport, left.waiter, left.limiter, left.authenticator,
                        left.policy);
        gone.submit(job(left.bound.operation, 1));
        gone.start_ready(notes);
    }
    left.dispatcher.submit(job(left.bound.operation, 2));
    left.dispatcher.run(notes);
    BOOST_TEST(notes.count("done") == 1u);
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_is_busy_or_broken_is_asked_again) {
    TokenServer server([](int request, auto &connection) {
        if (request == 1)
            connection.answer(429, "", "Retry-After: 0\r\n");
        else if (request == 2)
            connection.reset();
        else if (request < 5)
            connection.answer(503, "<html>down</html>");
        else
            connection.answer(201, R"({"access_token": "t", "expires_in": 3600})");
    });
    BOOST_TEST(server.deliver(3).count("done") == 3u);
    BOOST_TEST(server.tokens == 5);
}

BOOST_AUTO_TEST_CASE(what_may_be_done_already_is_not_forgotten_for_want_of_one) {
    TokenServer server([](int, auto &connection) { connection.answer(401, "{}"); });
    Notes notes;
    Line line(with_tokens(), "things", OperationKind::create, {"name"}, "", at(server.destination.url()),
              {{"client_id", "the-client"}, {"client_secret", "the-secret"}});
    line.dispatcher.submit(job(line.bound.operation, 1));
    std::unique_ptr<Job> repeated = job(line.bound.operation, 2);
    repeated->may_be_done = true;
    line.dispatcher.submit(std::move(repeated));
    line.dispatcher.run(notes);
    BOOST_TEST(notes.count("failed: ") == 2u);
    BOOST_TEST(notes.may_be_done == 1);
}

BOOST_AUTO_TEST_CASE(one_that_stays_broken_is_given_up_and_no_word_of_credentials) {
    TokenServer server([](int, auto &connection) { connection.answer(500, "client the-client, the%2Dsecret"); });
    const Notes notes = server.deliver(3);
    BOOST_TEST(notes.count("failed: no access token from ") == 3u);
    BOOST_TEST((notes.faults == std::set{Fault::unreachable}));
    BOOST_TEST(server.tokens == quick().max_attempts);
    for (const auto &[row, said] : notes.jobs)
        BOOST_TEST(said.ends_with("client ***, ***"), said);
}

/// Each asking in turn, they would learn it one after the other, and refused credentials would be refused to each.
BOOST_AUTO_TEST_CASE(one_that_is_given_up_is_given_up_for_all_who_wait_and_for_nobody_later) {
    for (const auto &[status, asked] : {std::pair{500, quick().max_attempts}, {401, 1}}) {
        TokenServer server([status = status](int, auto &connection) { connection.answer(status, "{}"); });
        Line first(with_tokens(), "things", OperationKind::create, {"name"}, "", at(server.destination.url()),
                   {{"client_id", "i"}, {"client_secret", "s"}});
        Dispatcher second(first.bound.operation, first.transport, first.waiter, first.limiter, first.authenticator,
                          first.policy);
        Notes notes;
        first.dispatcher.submit(job(first.bound.operation, 1));
        second.submit(job(first.bound.operation, 2));
        serve(first.transport, notes, first.dispatcher, second);
        BOOST_TEST(notes.count("failed: no access token from ") == 2u);
        BOOST_TEST(server.tokens == asked, status << ": " << server.tokens);

        second.submit(job(first.bound.operation, 3));
        serve(first.transport, notes, first.dispatcher, second);
        BOOST_TEST(notes.count("failed: no access token from ") == 3u);
        BOOST_TEST(server.tokens == 2 * asked, "who comes later asks anew");
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_lives_no_time_serves_all_that_waits) {
    for (const char *life : {"0", "1", "-1", "\"0\""}) {
        TokenServer server([life](int, auto &connection) {
            connection.answer(200, std::string(R"({"access_token": "t", "expires_in": )") + life + "}");
        });
        BOOST_TEST(server.deliver(20).count("done") == 20u);
        BOOST_TEST(server.tokens <= 2, server.tokens);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_token_is_none) {
    TokenServer server([](int, auto &connection) { connection.answer(200, R"({"access_token": ""})"); });
    const Notes notes = server.deliver(3);
    BOOST_TEST((notes.faults == std::set{Fault::unintelligible}));
    BOOST_TEST(server.tokens == 1);
}

BOOST_AUTO_TEST_SUITE_END()
