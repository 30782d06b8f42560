#pragma once

#include "engine/http/transport.h"
#include "engine/limits/rate_limiter.h"
#include "engine/requests/authenticator.h"
#include "engine/requests/batch.h"
#include "engine/requests/compiled_operation.h"
#include "engine/requests/rehearsal.h"
#include "engine/requests/request_ids.h"
#include "engine/requests/request_observer.h"
#include "engine/requests/verdict.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// How a statement deals with its destination.
struct Policy {
    std::size_t max_in_flight = 8;
    int max_attempts = 8;
    Milliseconds backoff_base{250};
    Milliseconds backoff_cap{30000};
    Milliseconds connect_timeout{10000};
    Milliseconds timeout{60000};
    std::string ca_file;
    std::string proxy;            ///< as a Request has it
    std::string account;          ///< prefix of rate limit buckets: whose limits they are
    bool keep_rate_limits = true; ///< those that the connector names; the destination's own word is always kept
    /// Makes idempotency keys out of the rows' numbers, which then must be unique within it: the same rows get the same
    /// key again, also after a crash. "": each request has a random one.
    std::string idempotency_scope;
    Rehearsal *rehearsal = nullptr; ///< in place of the network, if there is one
};

/// One request until it has an answer that counts: a batch of rows, or a page to read.
struct Job {
    explicit Job(Batch batch) : batch(std::move(batch)) {}

    Batch batch;
    std::string cursor; ///< of the page to read
    std::string url;    ///< of the page to read, where the last answer named it; else the operation's
    std::string id;     ///< {request.id}, and the idempotency key: the same at every attempt; "" for none
    std::string body;   ///< what is sent, where that is not the batch's
    int attempts = 0;
    Clock::time_point ready; ///< not before
    Clock::time_point began; ///< its last attempt
    unsigned token_generation = 0;
    bool may_be_done = false;  ///< an attempt may have been carried out
    int renewals = 0;          ///< how often its credentials were refused and others fetched
    bool had_new_token = true; ///< its last attempt: fetched when it was needed
};

/// A job that the limits permit now, with the places that it takes up among them.
struct StartableJob {
    std::unique_ptr<Job> job;
    std::shared_ptr<const void> places;
};

/// Takes what became of jobs.
class JobHandler {
  public:
    virtual ~JobHandler() = default;
    /// The action is proceed, reject, absent, accept or react; or retry, for a request that may have been carried out
    /// and must not be made again.
    virtual void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) = 0;
    /// The job is sent again, some time: it was not carried out, or the same request may be made twice.
    virtual void put_off(const Job &) {}
    /// The job cannot be carried out now: its attempts are used up, or the destination as a whole is at fault. What it
    /// asked for was not done, or can be asked for again. Unless the handler knows better, that ends everything.
    virtual void failed(std::unique_ptr<Job> job, const DestinationError &error) {
        (void)job;
        throw error;
    }
};

/// Sends jobs of one operation, several at once: within the rate limits, signed, repeated where that is safe and
/// useful. Either it runs by itself, or a loop that serves many of them calls start_ready() and take().
class Dispatcher {
  public:
    Dispatcher(const CompiledOperation &operation, Transport &transport, Waiter &waiter, RateLimiter &limiter,
               Authenticator &authenticator, const Policy &policy);
    ~Dispatcher();
    Dispatcher(const Dispatcher &) = delete;
    Dispatcher &operator=(const Dispatcher &) = delete;

    /// From now on jobs that may be sent are held for start_held(), since something has to be done before.
    void hold_starts() { holds_starts_ = true; }
    /// From now on the observer, which must outlive this, is told of every request.
    void report_to(RequestObserver &observer) { observer_ = &observer; }

    void submit(std::unique_ptr<Job> job);
    /// The delay before the attempt of that number, with full jitter.
    Milliseconds delay(int attempt);

    /// Runs until every job is settled; the handler may submit more.
    void run(JobHandler &handler);

    /// Starts what may start and settles what has ended, without waiting.
    void advance(JobHandler &handler);

    /// Starts what may start now; answers when more may. Jobs fail that wait for a token that somebody gave up.
    Clock::time_point start_ready(JobHandler &handler);
    /// Jobs that may be sent now and are held.
    const std::vector<StartableJob> &held() const { return held_; }
    /// Sends them.
    void start_held();
    /// Settles what has ended, if it is one of this dispatcher's.
    bool take(const Finished &finished, JobHandler &handler);
    /// Gives back the jobs that were not sent, or are to be sent again.
    std::deque<std::unique_ptr<Job>> withdraw();
    /// An address that an answer names, as one of the operation's: the API may be elsewhere for this account.
    std::string home_address(std::string url) const {
        return authenticator_.home_address(std::move(url), operation_.object().base_url);
    }

    /// Jobs that are not settled.
    std::size_t jobs() const { return pending_.size() + held_.size() + in_flight_.size(); }
    std::size_t jobs_in_flight() const { return in_flight_.size(); }
    /// Rows that are under way now: sent, and not yet answered.
    std::size_t rows_in_flight() const;

    std::uint64_t requests() const { return requests_; }
    std::uint64_t retries() const { return retries_; }
    /// Of the requests' bodies, before any compression.
    std::uint64_t bytes() const { return bytes_; }

  private:
    /// One round of both: starts, waits until the deadline at most for something to end, settles what ended.
    void turn(JobHandler &handler, Clock::time_point deadline, std::vector<Finished> &others);
    std::vector<RateLimit> limits_of(const Job &job) const;
    BucketKey bucket_of(const std::string &name) const { return bucket_key(policy_.account + "/" + name); }
    enum class Place { first, last };
    void put_in_line(std::unique_ptr<Job> job, Place place);
    void start(StartableJob startable);
    /// The job's request, as it can be read: neither compressed nor signed. Its body is the job's.
    Request request_of(Job &job) const;
    void compress(Request &request, Job &job) const;
    void sign(Request &request, Job &job) const;
    /// What turn() does where the policy has a rehearsal.
    void rehearse(JobHandler &handler);
    ShownRequest shown(Job &job) const;
    /// Sends again after the usual delay, or gives up when the attempts have run out.
    void resubmit(std::unique_ptr<Job> job, const Verdict &verdict, JobHandler &handler);
    bool is_awaited(ExchangeId exchange) const;
    /// Asks for a token, if that may be done now; answers when it may.
    Clock::time_point fetch_token(JobHandler &handler);
    /// The same where it is fetched once for all who have these credentials; nothing where it is for each.
    std::optional<Clock::time_point> share_token(JobHandler &handler);
    void take_token(const std::optional<TokenFault> &fault, JobHandler &handler);
    void fail_for_token(JobHandler &handler);
    /// Takes what an answer says of limits and of the destination's pace.
    void learn(const Job &job, Answer &answer, const Verdict &verdict);
    bool may_renew(const Job &job) const;
    void conclude(std::unique_ptr<Job> job, const Response &response, JobHandler &handler);
    void give_up(std::unique_ptr<Job> job, const Verdict &verdict, const Response *response, JobHandler &handler) const;
    RateLimit token_limit() const;

    const CompiledOperation &operation_;
    Transport &transport_;
    Waiter &waiter_;
    RateLimiter &limiter_;
    Authenticator &authenticator_;
    const Policy &policy_;
    const RequestIds ids_;
    RequestObserver *observer_ = nullptr;
    std::vector<RateLimit> limits_;      ///< of every job; for_each names others for some
    const BucketKey pace_;               ///< the operation's, for this account
    const bool all_count_alike_;         ///< where one waits for a limit, all do
    Clock::time_point not_before_{};     ///< for a window, until then
    Clock::time_point attended_;         ///< last time
    Clock::time_point attended_since_{}; ///< without a pause
    simdjson::dom::parser parser_;
    bool holds_starts_ = false;
    std::deque<std::unique_ptr<Job>> pending_;
    std::vector<StartableJob> held_;
    std::map<ExchangeId, std::unique_ptr<Job>> in_flight_;
    ExchangeId token_exchange_ = 0; ///< that this one began
    unsigned tokens_given_up_ = 0;  ///< before those who wait now began to
    std::uint64_t requests_ = 0, retries_ = 0, bytes_ = 0;
};

} // namespace reverse_etl
