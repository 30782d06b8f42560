#include "engine/requests/dispatcher.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr const char *stars = "***";

/// The headers with stars for the values that signing put there. The name of a scheme says nothing of them.
Headers starred(const Headers &before, Headers headers) {
    for (auto &[name, value] : headers) {
        if (std::find(before.begin(), before.end(), std::pair(name, value)) != before.end())
            continue;
        std::string scheme;
        for (const char *known : {"Bearer ", "Basic "})
            if (value.starts_with(known))
                scheme = known;
        value = scheme + stars;
    }
    return headers;
}

} // namespace

/// The job's request as it would leave. Where no token was fetched, there is none to show.
ShownRequest Dispatcher::shown(Job &job) const {
    const bool shows_credentials = policy_.rehearsal->shows_credentials();
    Request request = request_of(job);
    const Headers before = request.headers;
    sign(request, job);
    if (!shows_credentials || !authenticator_.ready())
        request.headers = starred(before, std::move(request.headers));
    ShownRequest shown{request.method,
                       request.url,
                       request.headers,
                       std::string(request.body),
                       {},
                       operation_name(operation_.spec().kind)};
    for (const BatchRow &row : job.batch.rows())
        shown.rows.push_back(row.number);
    if (shows_credentials)
        return shown;
    // A row may hold one as well.
    const Secrets &secrets = authenticator_.words().secrets();
    shown.url = secrets.hide(shown.url);
    shown.body = secrets.hide(shown.body);
    for (auto &[name, value] : shown.headers)
        value = secrets.hide(value);
    return shown;
}

void Dispatcher::rehearse(JobHandler &handler) {
    while (!pending_.empty()) {
        std::unique_ptr<Job> job = std::move(pending_.front());
        pending_.pop_front();
        const std::optional<Response> response = policy_.rehearsal->exchange(shown(*job));
        if (response) {
            conclude(std::move(job), *response, handler);
            continue;
        }
        const Response none;
        Answer answer(none, parser_, authenticator_.words());
        Verdict verdict;
        verdict.action = Action::accept;
        handler.settled(std::move(job), verdict, answer);
    }
}

} // namespace reverse_etl
