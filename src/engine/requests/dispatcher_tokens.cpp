/// How a Dispatcher comes to the token that its requests carry.

#include "engine/requests/dispatcher.h"

#include "engine/limits/limit_bucket.h"

#include <algorithm>
#include <optional>
#include <variant>

namespace reverse_etl {

namespace {

/// How long to wait before the next look at whether somebody has fetched the token.
Milliseconds between_looks(int looks) {
    constexpr int most_doublings = 5;
    return Milliseconds(5 << std::min(looks, most_doublings));
}

} // namespace

/// Nothing waits for the token but the jobs that need it. Tokens are limited as all else is: sessions that need many
/// at once wait for each other.
RateLimit Dispatcher::token_limit() const {
    constexpr int requests = 10;
    return {bucket_of("token/"), requests, std::chrono::seconds(1)};
}

/// Whether it is the request for the token that this one began, or waits for: a statement that runs inside of another
/// waits for what the outer one began.
bool Dispatcher::is_awaited(ExchangeId exchange) const {
    return exchange == authenticator_.asking.exchange && (exchange == token_exchange_ || !pending_.empty());
}

std::optional<Clock::time_point> Dispatcher::share_token(JobHandler &handler) {
    TokenStore *store = authenticator_.token()->store();
    if (store == nullptr)
        return std::nullopt;
    const TokenStore::Answer answer = store->ask();
    if (std::holds_alternative<TokenStore::Alone>(answer))
        return std::nullopt;
    Authenticator::TokenInquiry &asking = authenticator_.asking;
    if (std::holds_alternative<TokenStore::Later>(answer))
        return Clock::now() + between_looks(asking.looks++);
    asking.looks = 0;
    if (const auto *fault = std::get_if<TokenFault>(&answer)) {
        take_token(*fault, handler);
        return std::max(Clock::now(), asking.ready);
    }
    authenticator_.token()->take(std::get<FetchedToken>(answer));
    take_token(std::nullopt, handler);
    return Clock::now();
}

Clock::time_point Dispatcher::fetch_token(JobHandler &handler) {
    const Clock::time_point now = Clock::now();
    if (authenticator_.asking.exchange != 0)
        return Clock::time_point::max();
    if (authenticator_.asking.ready > now)
        return authenticator_.asking.ready;
    if (auto again = share_token(handler))
        return *again;
    Permission permission = limiter_.acquire({token_limit()}, now);
    if (!permission.given)
        return permission.again;
    Request request = authenticator_.token()->request();
    request.ca_file = policy_.ca_file;
    request.proxy = policy_.proxy;
    request.client_certificate = authenticator_.certificate();
    request.connect_timeout = policy_.connect_timeout;
    request.timeout = policy_.timeout;
    request.place = std::move(permission.places);
    token_exchange_ = authenticator_.asking.exchange = transport_.start(request);
    return Clock::time_point::max();
}

void Dispatcher::take_token(const std::optional<TokenFault> &fault, JobHandler &handler) {
    Authenticator::TokenInquiry &asking = authenticator_.asking;
    if (!fault) {
        asking.attempts = 0;
        return;
    }
    const Clock::time_point now = Clock::now();
    const Milliseconds asked = std::min<Milliseconds>(fault->delay.value_or(Milliseconds(0)), longest_hold);
    if (fault->delay)
        limiter_.hold({token_limit()}, now + asked, now);
    if (fault->passes) {
        // Also after the last attempt: others need the token as well, and ask next.
        const Milliseconds pause = delay(++asking.attempts);
        asking.ready = now + (fault->delay ? asked + pause / 10 : pause);
        if (asking.attempts < policy_.max_attempts)
            return;
    }
    asking.attempts = 0;
    asking.given_up++;
    asking.why.emplace(fault->error);
    fail_for_token(handler);
}

/// All who wait for it learn that it does not come, not only who asked: each asking in turn would take as many times
/// longer as there are of them, and refused credentials would be refused so often.
void Dispatcher::fail_for_token(JobHandler &handler) {
    tokens_given_up_ = authenticator_.asking.given_up;
    for (std::unique_ptr<Job> &job : withdraw()) {
        DestinationError error = *authenticator_.asking.why;
        error.is_of_token = true;
        error.may_be_done = job->may_be_done;
        handler.failed(std::move(job), error);
    }
}

} // namespace reverse_etl
