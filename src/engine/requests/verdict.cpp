#include "engine/requests/verdict.h"

#include "engine/limits/backoff.h"
#include "engine/text/lower_case.h"

#include <algorithm>

namespace reverse_etl {

namespace {

bool fits(const ErrorRule &rule, const CompiledOperation &operation, Answer &answer) {
    const Response &response = answer.response();
    if (!rule.statuses.empty() &&
        std::find(rule.statuses.begin(), rule.statuses.end(), response.status) == rule.statuses.end())
        return false;
    for (const auto &[name, values] : rule.headers) {
        const std::string *value = response.header(name);
        const auto is_it = [&](const std::string &wanted) { return lower_case(wanted) == lower_case(*value); };
        if (value == nullptr || std::none_of(values.begin(), values.end(), is_it))
            return false;
    }
    if (!rule.body.empty()) {
        auto root = answer.at("");
        if (!root || !holds(rule.body, *root))
            return false;
    }
    // Only what tells of rows can be read so. By any other answer its status is meant.
    return rule.then != Action::proceed || (operation.spec().needs_content() && answer.is_json());
}

/// What RFC 9110 section 15 and common practice say of a status.
Action usual_action(const CompiledOperation &operation, const Answer &answer) {
    const Response &response = answer.response();
    long status = response.status;
    if (answer.is_success())
        return Action::proceed;
    if (status == 401 || status == 403)
        return Action::unauthorized;
    // A proxy says 503 also when the destination behind it had the request; with Retry-After it is a refusal.
    bool refuses = status == 503 && response.header("retry-after") != nullptr;
    if (status == 408 || status == 425 || status == 429 || refuses)
        return Action::wait;
    if (status >= 500 && status != 501 && status != 505)
        return Action::retry;
    if (status == 404 && operation.path_names_row())
        return Action::reject;
    bool of_endpoint = status < 400 || status == 404 || status == 405 || status == 407 || status >= 500;
    return of_endpoint ? Action::stop : Action::reject;
}

std::string reason_of(const CompiledOperation &operation, const ErrorRule *rule, Answer &answer) {
    const Response &response = answer.response();
    const auto root = answer.at("");
    std::string reason;
    if (rule != nullptr && !rule->reason.empty())
        reason = answer.reason_at(root, rule->reason);
    else if (root)
        reason = answer.words_at(*root, operation.spec().reason);
    if (reason.empty() && response.status >= 300 && response.status < 400)
        reason = "the destination redirects elsewhere, which is not followed";
    if (reason.empty())
        reason = answer.words().of_body(response.body);
    if (reason.empty())
        reason = "HTTP status " + std::to_string(response.status);
    return reason;
}

std::optional<Milliseconds> delay_of(const ErrorRule *rule, Answer &answer) {
    const Response &response = answer.response();
    auto now = WallClock::now();
    if (rule != nullptr)
        if (auto wait =
                wait_of(response, rule->wait, now, [&](const auto &pointer) { return answer.plain_text_at(pointer); }))
            return wait;
    return retry_after(response, now);
}

Verdict judge_failure(const Response &response, const Words &words) {
    Verdict verdict;
    verdict.reason = words.of(response.failure_text);
    verdict.action = Action::stop;
    switch (response.failure) {
    case Failure::none:
        break;
    case Failure::unknown_host:
        verdict.fault = Fault::unknown_host;
        break;
    case Failure::not_trusted:
        verdict.fault = Fault::not_trusted;
        break;
    case Failure::unusable:
        verdict.fault = Fault::not_found;
        break;
    case Failure::too_large:
        verdict.action = Action::retry;
        verdict.fault = Fault::unintelligible;
        break;
    case Failure::not_connected:
        verdict.never_arrived = true;
        verdict.action = Action::retry;
        break;
    case Failure::interrupted:
        verdict.action = Action::retry;
        break;
    }
    return verdict;
}

/// Why an answer that claims success cannot be understood; "" if it can.
std::string unintelligible(const CompiledOperation &operation, Answer &answer) {
    const std::string &body = answer.response().body;
    if (answer.response().status == 204 && !operation.spec().needs_content())
        return "";
    if (is_web_page(body))
        return "the answer is a web page, as a login or a proxy shows it: " + answer.words().of_body(body);
    const bool is_read = is_read_only(operation.spec().kind);
    const bool may_say_nothing = is_read && answer.says_nothing();
    if (!operation.spec().needs_json() || may_say_nothing || answer.is_json())
        return "";
    return body.empty() ? "the answer is empty, and should say what became of each row"
                        : "the answer, " + std::to_string(body.size()) + " bytes, is not JSON";
}

} // namespace

Verdict judge(const CompiledOperation &operation, Answer &answer) {
    const Response &response = answer.response();
    if (response.failure != Failure::none)
        return judge_failure(response, answer.words());

    Verdict verdict;
    if (operation.spec().takes_any_content && answer.is_success())
        return verdict;
    const ErrorRule *rule = nullptr;
    for (const ErrorRule &candidate : operation.spec().errors)
        if (rule == nullptr && fits(candidate, operation, answer))
            rule = &candidate;
    verdict.action = rule != nullptr ? rule->then : usual_action(operation, answer);
    if (verdict.action == Action::proceed) {
        if (std::string fault = unintelligible(operation, answer); !fault.empty()) {
            verdict.action = Action::retry;
            verdict.fault = Fault::unintelligible;
            verdict.reason = std::move(fault);
        } else if (!answer.is_success()) {
            verdict.reason = reason_of(operation, rule, answer);
        }
        return verdict;
    }
    verdict.reason = reason_of(operation, rule, answer);
    if (verdict.action == Action::unauthorized)
        verdict.fault = Fault::unauthorized;
    if (verdict.action == Action::stop)
        verdict.fault = response.status == 404 || response.status == 405 || response.status < 400 ? Fault::not_found
                                                                                                  : Fault::stopped;
    if (verdict.action == Action::wait || verdict.action == Action::retry)
        verdict.delay = delay_of(rule, answer);
    if (rule != nullptr)
        verdict.jitter = rule->jitter;
    verdict.rule = rule;
    return verdict;
}

} // namespace reverse_etl
