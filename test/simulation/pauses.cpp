#include "pauses.h"

#include <algorithm>
#include <string>

namespace reverse_etl::simulation {

namespace {

/// A row comes again after a part of this time that is left to chance, and of twice as much after each attempt.
constexpr seconds first_pause{1};
/// So many times together could pauses have been doubled: that chance made them all short is one in a billion.
constexpr int most_doublings = 30;

/// So much longer than it is may a window be taken for.
constexpr Milliseconds margin{50};

/// A token is asked for three times before rows are told that there is none. Who has none is not told, and others ask.
constexpr int most_askings = 9;

std::string named(std::uint64_t row) {
    return "row " + std::to_string(row);
}

} // namespace

void Pauses::sent(const Sent &request) {
    if (request.is_for_token())
        return;
    for (const std::uint64_t row : request.rows)
        check_due(row);
    check_company(request);
    check_rest(request);
    check_quiet(request);
    check_asked(request);
    check_credentials(request);
}

/// Neither the row nor one that it may stand for has to wait.
void Pauses::check_due(std::uint64_t row) const {
    for (const auto &[other, due] : waits_) {
        const bool is_of_key = other < row && order(other).object == order(row).object && !order(row).key.empty() &&
                               order(other).key == order(row).key;
        if (due > world_.now() && (other == row || is_of_key))
            throw Violation(named(row) + " left before row " + std::to_string(other) + " was due");
    }
}

/// Rows that failed stand by themselves. A request that was noted stays what it was, and what was found goes together.
void Pauses::check_company(const Sent &request) const {
    const bool is_noted = object_names[request.object] == std::string("keyed") && request.operation == "create";
    if (is_noted || request.operation == "update" || request.operation == "delete")
        return;
    const bool has_failed = std::any_of(request.rows.begin(), request.rows.end(),
                                        [this](std::uint64_t row) { return failed_.contains(row); });
    const bool has_others = std::any_of(request.rows.begin(), request.rows.end(), [this](std::uint64_t row) {
        return !failed_.contains(row) && !had_no_token_.contains(row);
    });
    if (has_failed && has_others)
        throw Violation(named(request.rows.front()) + " goes with others, of which some failed before");
}

void Pauses::check_rest(const Sent &request) const {
    const auto rest = rests_.find({request.object, request.role});
    if (rest == rests_.end() || rest->second.until <= world_.now())
        return;
    for (const std::uint64_t row : request.rows)
        if (!rest->second.under_way.contains(row))
            throw Violation(named(row) + " left although its destination was to be left in peace");
}

void Pauses::check_quiet(const Sent &request) {
    if (const auto until = quiet_.find(request.role); until != quiet_.end() && world_.now() < until->second)
        throw Violation("a request left before its destination wanted it");
    if (scenario_.spent == 0)
        return;
    std::deque<Clock::time_point> &departures = departures_[request.role];
    departures.push_back(world_.now());
    if (departures.size() > static_cast<std::size_t>(scenario_.requests_a_window))
        departures.pop_front();
}

/// What is asked to wait comes again after a pause; seldom is that none by chance.
void Pauses::check_asked(const Sent &request) {
    for (const std::uint64_t row : request.rows) {
        const auto asked = asked_.find(row);
        if (asked == asked_.end())
            continue;
        repeats_++;
        repeats_at_once_ += world_.now() - asked->second < Milliseconds(1);
        asked_.erase(asked);
    }
    if (repeats_at_once_ > 3 + repeats_ / 10)
        throw Violation("rows that are asked to wait come again without a pause");
}

/// Another token is tried once.
void Pauses::check_credentials(const Sent &request) const {
    for (const std::uint64_t row : request.rows)
        if (const auto refused = refused_.find(row);
            refused != refused_.end() && refused->second > (scenario_.tokens ? 1 : 0))
            throw Violation(named(row) + " is sent again although its credentials were refused");
}

void Pauses::heard(const Sent &request, const Response &response) {
    if (request.is_for_token()) {
        const bool passes = response.failure != Failure::none || response.status >= 500 || response.status == 429;
        if (!passes)
            tokens_failed_[request.role] = 0;
        else if (++tokens_failed_[request.role] > most_askings)
            throw Violation("no token comes, and no row is told");
        return;
    }
    if (!request.waits.empty() && response.failure == Failure::none)
        asked_[*request.waits.begin()] = world_.now();
    if (request.quiet && response.failure == Failure::none)
        be_quiet(request.role, *request.quiet);
    // Where ours have used it up, it is free again as they leave it.
    const std::deque<Clock::time_point> &ours = departures_[request.role];
    const bool is_ours = !ours.empty() && ours.size() == static_cast<std::size_t>(scenario_.requests_a_window) &&
                         ours.front() + seconds(scenario_.window_seconds) + margin > world_.now();
    if (request.spent && response.failure == Failure::none && !is_ours)
        be_quiet(request.role, *request.spent);
    for (const std::uint64_t row : request.rows)
        if (response.failure == Failure::none && response.status == 401)
            refused_[row]++;
        else
            refused_.erase(row);
}

void Pauses::be_quiet(int role, Clock::duration time) {
    quiet_[role] = std::max(quiet_[role], world_.now() + time);
}

void Pauses::somebody_is_told(std::uint64_t row) {
    refused_.erase(row);
    tokens_failed_[order(row).role] = 0;
}

void Pauses::row_deferred(std::uint64_t row, int attempts, Clock::time_point due, const std::string &reason) {
    somebody_is_told(row);
    if (!reason.empty()) {
        check_growth(row, due);
        (reason.starts_with("no access token") ? had_no_token_ : failed_).insert(row);
    }
    attempts_[row] = attempts;
    waits_[row] = due;
}

/// The pauses of a row grow with its attempts.
void Pauses::check_growth(std::uint64_t row, Clock::time_point due) {
    if (has_grown_ || due == last_due_)
        return;
    last_due_ = due; // one pause of all rows of a request
    has_grown_ = due - world_.now() > first_pause;
    doublings_ += attempts_[row];
    if (!has_grown_ && doublings_ >= most_doublings)
        throw Violation("pauses of rows do not grow");
}

void Pauses::row_ended(std::uint64_t row) {
    somebody_is_told(row);
    waits_.erase(row);
    failed_.erase(row);
}

void Pauses::destination_rests(int object, int role, Clock::time_point until,
                               const std::set<std::uint64_t> &under_way) {
    Rest &rest = rests_[{object, role}];
    if (rest.until != until)
        rest = {until, under_way};
}

void Pauses::client_is_gone(bool forgets) {
    waits_.clear();
    failed_.clear();
    had_no_token_.clear();
    rests_.clear();
    refused_.clear();
    tokens_failed_.clear();
    attempts_.clear();
    asked_.clear();
    if (!forgets) {
        // What it had counted and not sent yet counts all the same.
        for (int role = 0; scenario_.spent > 0 && role < scenario_.roles; role++)
            departures_[role].assign(static_cast<std::size_t>(scenario_.requests_a_window), world_.now());
        return;
    }
    quiet_.clear();
    departures_.clear();
}

} // namespace reverse_etl::simulation
