#include "engine/requests/dispatcher.h"

#include "engine/http/gzip.h"
#include "engine/limits/announcement.h"
#include "engine/limits/backoff.h"
#include "engine/world/random.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

namespace reverse_etl {

namespace {

/// The longest that one wait lasts, so that a lost wake-up cannot hang a statement.
constexpr std::chrono::seconds longest_wait{5};

/// Requests do not arrive as evenly as they leave: so much longer than it says is a window taken.
Clock::duration with_margin(std::chrono::seconds window) {
    return window + std::min(Milliseconds(window) / 100, Milliseconds(20));
}

/// Answers that were left alone for longer do not tell how long the destination took.
constexpr Milliseconds left_alone{20};

/// Who is being spoken to: the scheme and host of a URL, without what may be private in its path.
std::string origin(const std::string &url) {
    std::size_t host = url.find("://");
    return host == std::string::npos ? url : url.substr(0, url.find_first_of("/?", host + 3));
}

/// What ended of other dispatchers: a statement may read from, or run, another with a dispatcher of its own. It goes
/// back when this one waits no more; before, the transport would hand it out again at once.
struct ExchangesOfOthers {
    explicit ExchangesOfOthers(Transport &transport) : transport(transport) {}
    ~ExchangesOfOthers() { transport.give_back(std::move(finished)); }
    Transport &transport;
    std::vector<Finished> finished;
};

/// What a request of so many rows takes of the limit.
int cost_of(const RateLimitSpec &limit, std::size_t rows) {
    const std::int64_t cost = limit.each_request + static_cast<std::int64_t>(limit.each_row) * static_cast<int>(rows);
    return static_cast<int>(std::min<std::int64_t>(cost, std::numeric_limits<int>::max()));
}

/// Whether every request takes the same of the same limits.
bool all_count_alike(const CompiledOperation &operation) {
    return std::all_of(
        operation.rate_limits().begin(), operation.rate_limits().end(),
        [](const CompiledOperation::CompiledLimit &limit) { return limit.scope.empty() && limit.spec.each_row == 0; });
}

std::string rows_of(const Batch &batch) {
    if (batch.rows().empty())
        return "";
    std::string first = std::to_string(batch.rows().front().number);
    std::string last = std::to_string(batch.rows().back().number);
    return first == last ? "row " + first : "rows " + first + " to " + last;
}

/// Files, of which there may be very many, share one.
std::string name_of_pace(const CompiledOperation &operation) {
    return operation.spec().takes_any_content ? "files" : operation.request_line();
}

} // namespace

Dispatcher::Dispatcher(const CompiledOperation &operation, Transport &transport, Waiter &waiter, RateLimiter &limiter,
                       Authenticator &authenticator, const Policy &policy)
    : operation_(operation), transport_(transport), waiter_(waiter), limiter_(limiter), authenticator_(authenticator),
      policy_(policy), ids_(operation, policy.idempotency_scope), pace_(bucket_of("pace/" + name_of_pace(operation))),
      all_count_alike_(all_count_alike(operation)), attended_(Clock::now()) {
    if (policy_.keep_rate_limits)
        for (const CompiledOperation::CompiledLimit &limit : operation_.rate_limits())
            limits_.push_back({bucket_of(limit.spec.name + "/"), limit.spec.requests,
                               with_margin(std::chrono::seconds(limit.spec.seconds)), limit.spec.concurrent});
    // What the destination says goes for the whole account then.
    if (limits_.empty())
        limits_.push_back({bucket_of("")});
}

Dispatcher::~Dispatcher() {
    for (const auto &[id, job] : in_flight_)
        transport_.cancel(id);
    // Others who wait for the token ask for it themselves.
    if (token_exchange_ != 0 && token_exchange_ == authenticator_.asking.exchange)
        transport_.cancel(std::exchange(authenticator_.asking.exchange, 0));
    if (AccessToken *token = authenticator_.token(); token != nullptr && token->store() != nullptr && !pending_.empty())
        token->store()->abandon();
}

void Dispatcher::submit(std::unique_ptr<Job> job) {
    // A read needs none, and one that a write has as well would have the destination answer with what it read.
    const bool needs_id =
        operation_.spec().has_idempotency_key() || operation_.names_request() || authenticator_.needs_id();
    if (needs_id && job->id.empty() && !is_read_only(operation_.spec().kind))
        job->id = ids_.of_request(job->batch);
    put_in_line(std::move(job), Place::last);
}

void Dispatcher::put_in_line(std::unique_ptr<Job> job, Place place) {
    if (pending_.empty())
        tokens_given_up_ = authenticator_.asking.given_up;
    pending_.insert(place == Place::first ? pending_.begin() : pending_.end(), std::move(job));
}

Milliseconds Dispatcher::delay(int attempt) {
    return backoff(attempt, policy_.backoff_base, policy_.backoff_cap, Random::jitter());
}

void Dispatcher::resubmit(std::unique_ptr<Job> job, const Verdict &verdict, JobHandler &handler) {
    const Milliseconds asked = std::min<Milliseconds>(verdict.delay.value_or(Milliseconds(0)), longest_hold);
    // Also when it is given up: what it was refused for goes for all others.
    if (verdict.delay)
        limiter_.hold(limits_of(*job), Clock::now() + asked, Clock::now());
    if (++job->attempts >= policy_.max_attempts) {
        give_up(std::move(job), verdict, nullptr, handler);
        return;
    }
    retries_++;
    const Milliseconds pause = delay(job->attempts);
    job->ready =
        Clock::now() + (verdict.delay ? asked + jitter_of(verdict.jitter, asked, pause, Random::jitter()) : pause);
    handler.put_off(*job);
    // Before those that were not tried yet: a destination that is down is known as such after its attempts, however
    // many batches wait.
    put_in_line(std::move(job), Place::first);
}

void Dispatcher::run(JobHandler &handler) {
    ExchangesOfOthers others(transport_);
    while (!pending_.empty() || !in_flight_.empty())
        turn(handler, Clock::now() + longest_wait, others.finished);
}

void Dispatcher::advance(JobHandler &handler) {
    ExchangesOfOthers others(transport_);
    turn(handler, Clock::now(), others.finished);
}

void Dispatcher::turn(JobHandler &handler, Clock::time_point deadline, std::vector<Finished> &others) {
    if (policy_.rehearsal != nullptr) {
        rehearse(handler);
        return;
    }
    if (Clock::now() > attended_ + left_alone)
        attended_since_ = Clock::now();
    Clock::time_point next = start_ready(handler);
    std::vector<Finished> finished;
    transport_.run(waiter_, std::min(next, deadline), finished);
    // Those of others first: settling may throw, and they must not be lost by it.
    auto own = std::partition(finished.begin(), finished.end(),
                              [&](const Finished &one) { return !is_awaited(one.id) && !in_flight_.contains(one.id); });
    std::move(finished.begin(), own, std::back_inserter(others));
    for (; own != finished.end(); ++own)
        take(*own, handler);
    attended_ = Clock::now();
}

bool Dispatcher::take(const Finished &finished, JobHandler &handler) {
    if (is_awaited(finished.id)) {
        authenticator_.asking.exchange = 0;
        take_token(authenticator_.token()->read(finished.response), handler);
        return true;
    }
    auto job = in_flight_.extract(finished.id);
    if (job.empty())
        return false;
    conclude(std::move(job.mapped()), finished.response, handler);
    return true;
}

std::deque<std::unique_ptr<Job>> Dispatcher::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = std::exchange(pending_, {});
    for (StartableJob &held : std::exchange(held_, {}))
        jobs.push_back(std::move(held.job));
    return jobs;
}

std::size_t Dispatcher::rows_in_flight() const {
    std::size_t rows = 0;
    for (const auto &[id, job] : in_flight_)
        rows += job->batch.rows().size();
    return rows;
}

std::vector<RateLimit> Dispatcher::limits_of(const Job &job) const {
    std::vector<RateLimit> limits = limits_;
    for (std::size_t i = 0; policy_.keep_rate_limits && i < operation_.rate_limits().size(); i++) {
        const CompiledOperation::CompiledLimit &limit = operation_.rate_limits()[i];
        limits[i].cost = cost_of(limit.spec, job.batch.rows().size());
        if (!limit.scope.empty())
            limits[i].bucket =
                bucket_of(limit.spec.name + "/" + CompiledOperation::expand(limit.scope, &job.batch, "", false));
    }
    return limits;
}

Clock::time_point Dispatcher::start_ready(JobHandler &handler) {
    Clock::time_point next = Clock::time_point::max();
    if (!authenticator_.ready() && tokens_given_up_ != authenticator_.asking.given_up)
        fail_for_token(handler);
    if (pending_.empty())
        return next;
    if (!authenticator_.ready())
        return fetch_token(handler);
    tokens_given_up_ = authenticator_.asking.given_up;
    if (Clock::now() < not_before_)
        return not_before_;
    std::size_t most = limiter_.permitted(pace_, static_cast<int>(policy_.max_in_flight), Clock::now());
    Permission refusal;
    std::vector<RateLimit> refused;
    for (auto it = pending_.begin(); it != pending_.end() && in_flight_.size() + held_.size() < most;) {
        Clock::time_point now = Clock::now();
        if ((*it)->ready > now) {
            next = std::min(next, (*it)->ready);
            ++it;
            continue;
        }
        // Asked once for all jobs that count against the same.
        std::vector<RateLimit> limits = limits_of(**it);
        Permission permission = limits == refused ? refusal : limiter_.acquire(limits, now);
        if (permission.given) {
            StartableJob startable{std::move(*it), std::move(permission.places)};
            it = pending_.erase(it);
            if (holds_starts_)
                held_.push_back(std::move(startable));
            else
                start(std::move(startable));
            continue;
        }
        // A place may be free earlier than said; for a window nothing is gained by asking earlier.
        if (!permission.for_a_place)
            (*it)->ready = permission.again;
        next = std::min(next, permission.again);
        if (all_count_alike_) { // so do those behind it, of which there may be thousands
            not_before_ = permission.for_a_place ? Clock::time_point{} : permission.again;
            break;
        }
        refusal = std::move(permission);
        refused = std::move(limits);
        ++it;
    }
    return next;
}

void Dispatcher::start_held() {
    for (StartableJob &held : std::exchange(held_, {}))
        start(std::move(held));
}

Request Dispatcher::request_of(Job &job) const {
    const OperationSpec &spec = operation_.spec();
    Request request;
    request.method = spec.method;
    request.url = authenticator_.address(job.url.empty() ? operation_.url(&job.batch, job.cursor) : job.url,
                                         operation_.object().base_url);
    request.headers = operation_.headers();
    if (operation_.has_body())
        request.body = job.batch.body();
    ids_.fill_in(request, job.batch, job.id, job.body);
    if (!job.id.empty() && !spec.idempotency_header.empty())
        set_header(request.headers, spec.idempotency_header, job.id);
    return request;
}

void Dispatcher::compress(Request &request, Job &job) const {
    if (!operation_.spec().format.gzip || !operation_.has_body())
        return;
    job.body = gzip(request.body);
    request.body = job.body;
}

void Dispatcher::sign(Request &request, Job &job) const {
    using Format = UnsignedRequest::Format;
    const BodyFormat &format = operation_.spec().format;
    UnsignedRequest unsigned_request{request, job.body,
                                     format.gzip                     ? Format::other
                                     : format.kind == BodyKind::json ? Format::json
                                     : format.kind == BodyKind::form ? Format::form
                                                                     : Format::other,
                                     job.id.empty() && authenticator_.needs_id() ? random_id() : job.id};
    authenticator_.sign(unsigned_request);
}

void Dispatcher::start(StartableJob startable) {
    std::unique_ptr<Job> job = std::move(startable.job);
    Request request = request_of(*job);
    compress(request, *job);
    sign(request, *job); // what is signed is what is sent
    request.ca_file = policy_.ca_file;
    request.proxy = policy_.proxy;
    request.client_certificate = authenticator_.certificate();
    request.connect_timeout = policy_.connect_timeout;
    request.timeout = policy_.timeout;
    request.place = std::move(startable.places);
    job->began = Clock::now();
    job->token_generation = authenticator_.generation();
    job->had_new_token = authenticator_.has_new_token();
    requests_++;
    if (observer_ != nullptr)
        observer_->sent(job->batch.rows().size(), job->attempts > 0 || job->renewals > 0);
    bytes_ += request.body.size();
    ExchangeId id = transport_.start(request);
    in_flight_.emplace(id, std::move(job));
}

void Dispatcher::learn(const Job &job, Answer &answer, const Verdict &verdict) {
    const Response &response = answer.response();
    Clock::time_point now = Clock::now();
    int most = static_cast<int>(policy_.max_in_flight);
    if (verdict.action == Action::wait)
        limiter_.declined(pace_, most, job.began, now);
    else if (response.failure == Failure::none && verdict.action != Action::retry)
        limiter_.answered(pace_, most, job.began,
                          job.began < attended_since_ ? std::nullopt : std::optional(now - job.began), now);
    for (std::size_t i = 0; policy_.keep_rate_limits && i < operation_.rate_limits().size(); i++)
        if (auto announcement = announced(operation_.rate_limits()[i].spec, response, WallClock::now(),
                                          [&](const auto &pointer) { return answer.plain_text_at(pointer); }))
            limiter_.learn(limits_of(job)[i], *announcement, now);
}

/// What others had before may have ended as well, so only a token that was fetched for it ends the trying.
bool Dispatcher::may_renew(const Job &job) const {
    constexpr int most_renewals = 3;
    return authenticator_.renewable() && (job.renewals == 0 || (!job.had_new_token && job.renewals < most_renewals));
}

void Dispatcher::conclude(std::unique_ptr<Job> job, const Response &response, JobHandler &handler) {
    Answer answer(response, parser_, authenticator_.words(), is_read_only(operation_.spec().kind));
    Verdict verdict = judge(operation_, answer);
    if (observer_ != nullptr)
        observer_->answered(job->batch.rows().size(), response, verdict);
    learn(*job, answer, verdict);
    switch (verdict.action) {
    case Action::unauthorized:
        if (may_renew(*job)) {
            // The token was refused before anything was done, so even a create goes again. Those that were in flight
            // with the same token come here too, and find that it was renewed already.
            if (job->token_generation == authenticator_.generation())
                authenticator_.forget_token();
            job->renewals++;
            handler.put_off(*job);
            put_in_line(std::move(job), Place::first);
            return;
        }
        give_up(std::move(job), verdict, &response, handler);
        return;
    case Action::stop:
        give_up(std::move(job), verdict, &response, handler);
        return;
    case Action::wait:
        resubmit(std::move(job), verdict, handler);
        return;
    case Action::retry: {
        job->may_be_done |= !verdict.never_arrived;
        // Where starts are held, they are noted; but a key that was drawn is not known again.
        const bool keeps_key = !holds_starts_ || !policy_.idempotency_scope.empty();
        const bool has_key = operation_.spec().has_idempotency_key() && keeps_key;
        const bool safe = verdict.never_arrived || operation_.spec().idempotent || has_key;
        if (safe) {
            resubmit(std::move(job), verdict, handler);
            return;
        }
        handler.settled(std::move(job), verdict, answer);
        return;
    }
    case Action::proceed:
    case Action::reject:
    case Action::absent:
    case Action::accept:
    case Action::react:
        handler.settled(std::move(job), verdict, answer);
        return;
    }
}

void Dispatcher::give_up(std::unique_ptr<Job> job, const Verdict &verdict, const Response *response,
                         JobHandler &handler) const {
    std::string host = origin(operation_.object().base_url);
    std::string message = host + ": " + verdict.reason;
    if (response != nullptr && response->status != 0 && verdict.reason.find("HTTP status") == std::string::npos)
        message += " (HTTP status " + std::to_string(response->status) + ")";
    if (job->attempts > 1)
        message += ", after " + std::to_string(job->attempts) + " attempts";
    std::string hint;
    switch (verdict.fault) {
    case Fault::unauthorized:
        hint = "Check the credentials in the user mapping, and what they are allowed to do at the destination.";
        break;
    case Fault::unknown_host:
    case Fault::not_found:
        hint = "Check the server's options, \"base_url\" above all, and the table's.";
        break;
    case Fault::not_trusted:
        hint = "If the destination's certificate is signed by a private authority, name its file in the server option "
               "\"ca_file\". If it asks for a client certificate, add client_certificate and client_key to the user "
               "mapping.";
        break;
    case Fault::unreachable:
    case Fault::stopped:
    case Fault::unintelligible:
        break;
    }
    std::string what = operation_.request_line();
    std::string rows = rows_of(job->batch);
    DestinationError error(verdict.fault, message, what + (rows.empty() ? "" : ", " + rows), hint);
    error.may_be_done = job->may_be_done;
    handler.failed(std::move(job), error);
}

} // namespace reverse_etl
