#include "watcher.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace reverse_etl::simulation {

namespace {

/// A destination that is down is known to be after so long; from then on so many requests an hour are its share, for
/// each object and role. Every probe is as many requests as a request has attempts, and the longest pause between two
/// of them is five minutes, of which at least half is kept.
constexpr minutes known_to_be_down{10};
constexpr int attempts_of_a_request = 3;
constexpr int most_probes_an_hour = 80;

/// What comes again sooner than this came without a pause. By chance a pause is as short as that, but seldom.
constexpr Milliseconds no_pause{1};

/// The engine keeps windows a little longer than they are, since requests do not arrive as evenly as they leave.
Clock::duration margin_of(Clock::duration window) {
    return std::min<Clock::duration>(window / 100, Milliseconds(20));
}

bool has_failed(const Response &response) {
    return response.failure != Failure::none || response.status >= 300;
}

/// The token that an answer brings; "" for none, also where a page came in its place.
std::string token_of(const Response &response) {
    const Json answer = has_failed(response) ? Json() : Json::parse(response.body, nullptr, false);
    return answer.is_object() ? answer.value("access_token", "") : "";
}

} // namespace

Watcher::Line Watcher::line_of(const Sent &request) const {
    // Look-ups are made for two operations.
    const Order &order = scenario_.orders[request.rows.front() - 1];
    return {request.object, request.operation + operation_name(order.operation), request.role, !order.key.empty()};
}

const Spell *Watcher::outage(const Sent &request) const {
    // Who lies at times lets a request succeed at times.
    const bool succeeds = std::any_of(scenario_.spells.begin(), scenario_.spells.end(),
                                      [](const Spell &spell) { return spell.kind == Spell::Kind::lying; });
    for (const Spell &spell : scenario_.spells)
        if (!succeeds && spell.probability == 1 && spell.is_on(world_.elapsed(), request.object, request.role))
            return &spell;
    return nullptr;
}

void Watcher::sent(const Sent &request) {
    check_outage(request);
    check_holds(request);
    if (request.is_for_token()) {
        token_sent(request);
        return;
    }
    requests_++;
    under_way_[line_of(request)]++;
    check_places(request);
    check_rows(request);
    if (scenario_.requests_a_window > 0)
        check_window(departures_[request.role], seconds(scenario_.window_seconds), world_.now());
}

/// What arrives together may have left apart, by as much as their ways differ in length.
void Watcher::arrived(const Sent &request, Clock::time_point when) {
    if (scenario_.requests_a_window == 0 || request.is_for_token())
        return;
    const Clock::duration window = seconds(scenario_.window_seconds);
    const Clock::duration sure = std::min<Clock::duration>(window, window + margin_of(window) - scenario_.jitter);
    if (sure > Clock::duration(0))
        check_window(arrivals_[request.role], sure, when);
}

void Watcher::check_window(std::vector<Clock::time_point> &seen, Clock::duration window, Clock::time_point now) const {
    std::erase_if(seen, [&](Clock::time_point at) { return at + window <= now; });
    seen.push_back(now);
    if (seen.size() > static_cast<std::size_t>(scenario_.requests_a_window))
        throw Violation("the limit of requests was exceeded");
}

void Watcher::check_holds(const Sent &request) {
    const auto &quiet = request.is_for_token() ? tokens_quiet_until_ : quiet_until_;
    const auto until = quiet.find(request.role);
    if (until != quiet.end() && world_.now() < until->second)
        throw Violation("a request left before the time that Retry-After named");
}

void Watcher::check_places(const Sent &request) {
    int all = 0;
    for (const auto &[line, requests] : under_way_)
        if (std::get<2>(line) == request.role)
            all += requests;
    if (scenario_.concurrent > 0 && all > scenario_.concurrent)
        throw Violation("more requests are under way than the vendor permits");
    if (under_way_[line_of(request)] > scenario_.max_in_flight)
        throw Violation("more requests are under way than the option permits");
    // A request that failed keeps its place while it waits to come again.
    for (const std::uint64_t row : request.rows)
        await_repeat_.erase(row);
    // A pace that was halved grows again within half of its requests, and what failed before has come again by then.
    const std::size_t half = scenario_.orders.size() / (2 * rows_of_a_request[request.object]);
    if (scenario_.capacity > 0 && served_ > half)
        most_at_once_ = std::max(most_at_once_, all + static_cast<int>(await_repeat_.size()));
}

void Watcher::check_outage(const Sent &request) {
    const Spell *spell = outage(request);
    if (spell == nullptr)
        return;
    const Clock::duration since = world_.elapsed() - spell->from - known_to_be_down;
    if (since > Clock::duration(0) && world_.elapsed() > scenario_.orders.back().at + known_to_be_down) {
        // Who is killed has to learn anew that it is down.
        const int share = most_probes_an_hour * (request.is_for_token() ? object_count : 1) * (1 + kills_);
        if (++probes_[{spell, request.object, request.role, since / hours(1)}] > share)
            throw Violation("a destination that is down gets too many requests within an hour");
        const bool is_alone = std::all_of(under_way_.begin(), under_way_.end(), [&](const auto &entry) {
            const auto &[line, requests] = entry;
            return requests == 0 || std::get<0>(line) != request.object || std::get<2>(line) != request.role;
        });
        if (!is_alone && is_known_to_be_down(*spell, request) && kills_ == 0 && scenario_.jump == 0)
            throw Violation("a destination that is down is tried by several requests at once");
    }
    const bool is_only_fault =
        scenario_.spells.size() == 1 && kills_ == 0 && scenario_.jump == 0 && spell->from <= Clock::duration(0);
    if (is_only_fault && is_known_to_be_down(*spell, request) && object_names[request.object] != std::string("keyed") &&
        request.operation == "create" && request.rows.size() > 1)
        throw Violation("creates are risked to try a destination out");
}

/// Whether those who send such requests had the time for the attempts after which it is known: from the first answer
/// on, since they may have had no token before, and so much longer as the window keeps them waiting for each other. Who
/// is told each time when to come back may need an hour, and loses nothing by asking: that is not a destination that is
/// down, but one that is busy, and nothing of what it declines is done.
bool Watcher::is_known_to_be_down(const Spell &spell, const Sent &request) const {
    const auto known = known_since_.find({&spell, request.object, request.role});
    if (spell.kind == Spell::Kind::busy_until || known == known_since_.end())
        return false;
    Clock::duration waits{};
    if (scenario_.requests_a_window > 0)
        waits = attempts_of_a_request * askers(request.role) * seconds(scenario_.window_seconds) /
                scenario_.requests_a_window;
    return world_.now() > known->second + known_to_be_down + waits;
}

/// A row is sent once, and again only after something went wrong: with a request that held it; or, for a look-up, with
/// another, since what was found is given up then.
void Watcher::check_rows(const Sent &request) {
    const bool is_lookup = request.operation == "lookup";
    for (const std::uint64_t row : request.rows) {
        const int excuses =
            excuses_[row] +
            (is_lookup ? excuses_all_[{request.object, request.role}] + token_excuses_[request.role] : 0);
        if (++sends_[{row, is_lookup}] > 1 + excuses)
            throw Violation("row " + std::to_string(row) + " was sent again without need");
    }
    if (request.rows.empty())
        return;
    const auto failed = failed_at_.find({request.rows.front(), is_lookup});
    if (failed == failed_at_.end())
        return;
    repeats_++;
    if (world_.now() - failed->second < no_pause && ++repeats_at_once_ > 5 + repeats_ / 10)
        throw Violation("requests come again without a pause");
    failed_at_.erase(failed);
}

/// How many may ask for a token of the role at the same time.
std::size_t Watcher::askers(int role) const {
    std::set<std::tuple<int, OperationKind, bool, bool>> known;
    for (const Order &order : scenario_.orders) {
        if (order.at > world_.elapsed() || order.role != role)
            continue;
        known.emplace(order.object, order.operation, order.key.empty(), false);
        if (order.operation == OperationKind::update || order.operation == OperationKind::remove)
            known.emplace(order.object, order.operation, order.key.empty(), true);
    }
    return known.size();
}

void Watcher::token_sent(const Sent &request) {
    token_requests_++;
    if (++tokens_under_way_[request.role] > askers(request.role))
        throw Violation("a token is asked for while that is under way");
    const auto latest = tokens_.find(request.role);
    if (latest != tokens_.end() && world_.now() < latest->second.until)
        throw Violation("a token is asked for although there is one");
    const auto failed = token_failed_at_.find(request.role);
    if (failed == token_failed_at_.end())
        return;
    token_repeats_++;
    if (world_.now() - failed->second < no_pause && ++token_repeats_at_once_ > 5 + token_repeats_ / 10)
        throw Violation("tokens are asked for again without a pause");
    token_failed_at_.erase(failed);
}

void Watcher::heard(const Sent &request, const Response &response) {
    const std::string token = request.is_for_token() ? token_of(response) : "";
    const bool failed = request.is_for_token() ? token.empty() : has_failed(response);
    failures_ += failed;
    if (const std::string *wait = response.header("retry-after")) {
        Clock::time_point &until = (request.is_for_token() ? tokens_quiet_until_ : quiet_until_)[request.role];
        until = std::max(until, world_.now() + seconds(std::atol(wait->c_str())));
    }
    if (request.is_for_token()) {
        tokens_under_way_[request.role]--;
        if (response.failure != Failure::none || response.status >= 500 || response.status == 429)
            token_failed_at_[request.role] = world_.now();
        token_excuses_[request.role] += failed; // it was to be everybody's of the role
        if (!failed) {
            const Clock::duration half = seconds(scenario_.token_seconds) / 2;
            tokens_[request.role] = {token, world_.now() + std::max<Clock::duration>(half, seconds(1))};
        }
        return;
    }
    under_way_[line_of(request)]--;
    if (response.status == 429)
        declined_++;
    else if (failed)
        await_repeat_.insert(request.rows.front());
    else
        served_++;
    if (const auto latest = tokens_.find(request.role);
        response.status == 401 && latest != tokens_.end() && request.token() == latest->second.token)
        tokens_.erase(latest);
    if (const Spell *spell = failed ? outage(request) : nullptr)
        known_since_.try_emplace({spell, request.object, request.role}, world_.now());
    const bool is_lookup = request.operation == "lookup";
    const bool waits = response.failure != Failure::none || response.status >= 500 || response.status == 429;
    for (const std::uint64_t row : request.rows)
        if (failed || request.goes_again.contains(row))
            excuses_[row]++;
    for (const std::uint64_t row : request.rows)
        if (waits || request.waits.contains(row))
            failed_at_[{row, is_lookup}] = world_.now();
    if (failed || !request.goes_again.empty())
        excuses_all_[{request.object, request.role}]++;
}

void Watcher::client_is_gone(bool forgets) {
    kills_++;
    under_way_.clear();
    tokens_under_way_.clear();
    tokens_.clear();
    sends_.clear();
    failed_at_.clear();
    if (!forgets)
        return;
    departures_.clear();
    arrivals_.clear();
    quiet_until_.clear();
    tokens_quiet_until_.clear();
}

void Watcher::check_economy() const {
    const std::size_t faults =
        failures_ +
        std::accumulate(excuses_all_.begin(), excuses_all_.end(), std::size_t(0),
                        [](std::size_t sum, const auto &one) { return sum + static_cast<std::size_t>(one.second); }) +
        std::accumulate(token_excuses_.begin(), token_excuses_.end(), std::size_t(0),
                        [](std::size_t sum, const auto &one) { return sum + static_cast<std::size_t>(one.second); });
    if (requests_ > 2 * scenario_.orders.size() + 4 * faults + 20 * static_cast<std::size_t>(kills_))
        throw Violation(std::to_string(requests_) + " requests are more than it takes");
    // Every dispatcher asks for itself.
    const std::size_t all_askers = std::max<std::size_t>(2, askers(0) + askers(1));
    if (token_requests_ > 60 + all_askers * (requests_ + failures_) + 50 * static_cast<std::size_t>(kills_))
        throw Violation(std::to_string(token_requests_) + " requests for tokens are more than it takes");
    if (scenario_.capacity > 1 && declined_ > 20 + served_ / 2)
        throw Violation("a vendor that asks for fewer requests at once gets as many again");
}

void Watcher::check_pace() const {
    if (scenario_.capacity > 0 && most_at_once_ < std::min(scenario_.capacity, scenario_.max_in_flight))
        throw Violation("no more than " + std::to_string(most_at_once_) + " requests were under way at once");
}

} // namespace reverse_etl::simulation
