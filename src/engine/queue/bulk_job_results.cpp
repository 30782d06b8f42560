/// How a BulkJob is asked for its end, and what then becomes of its rows.

#include "engine/http/link_header.h"
#include "engine/limits/backoff.h"
#include "engine/queue/bulk_job.h"
#include "engine/queue/delivery_lane.h"
#include "engine/requests/outcome_unknown.h"
#include "engine/requests/page_address.h"
#include "engine/text/csv_records.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace reverse_etl {

namespace {

/// The longest that a destination may have a poll wait.
constexpr Milliseconds longest_pause{10 * 60'000};
constexpr std::size_t most_pages = 100'000;

} // namespace

void BulkJob::polled(Answer &answer) {
    const auto root = answer.at("");
    if (!root) {
        trouble(error("the answer does not tell how far the job is"));
        return;
    }
    went_on();
    if (!spec_.failed_when.empty() && holds(spec_.failed_when, *root)) {
        failure_ = answer.words_at(*root, spec_.reason);
        if (failure_.empty())
            failure_ = answer.words().of_body(answer.response().body);
    } else if (!holds(spec_.done_when, *root)) {
        const Milliseconds asked = retry_after(answer.response(), WallClock::now()).value_or(Milliseconds(0));
        due_ = std::min(deadline_, Clock::now() + std::clamp(asked, pause_, std::max(longest_pause, pause_)));
        pause_ = std::min<Milliseconds>(pause_ + pause_ / 2, spec_.up_to);
        return;
    }
    outcomes_.start_over();
    outcomes_.read(spec_.poll, answer);
    result_ = 0;
    begin_result();
}

void BulkJob::begin_result() {
    phase_ = Phase::results;
    cursor_.clear();
    page_url_.clear();
    pages_.clear();
    due_ = {};
    if (result_ == spec_.results.size())
        deliver();
}

void BulkJob::result_read(const Job &job, Answer &answer) {
    const JobResult &result = spec_.results[result_];
    bool is_last = true;
    try {
        if (result.format == ResultFormat::json) {
            outcomes_.read(result.request, answer);
        } else if (!answer.says_nothing()) { // a text without lines
            Response response = answer.response();
            response.body =
                result.format == ResultFormat::csv ? json_of_csv(response.body) : json_of_lines(response.body);
            Answer records(response, parser_, answer.words());
            if (!records.is_json())
                throw std::runtime_error("a line is not JSON");
            outcomes_.read(result.request, records);
        }
        is_last = !turn_page(job, result, answer);
    } catch (const std::runtime_error &fault) {
        trouble(error(std::string("the results of the job cannot be read: ") + fault.what()));
        return;
    }
    if (is_last)
        next_result();
    else
        went_on();
}

void BulkJob::next_result() {
    went_on();
    result_++;
    begin_result();
}

/// A job that failed as a whole may have none to read.
bool BulkJob::may_lack_results() const {
    return phase_ == Phase::results && !failure_.empty();
}

/// Turns to the page behind this one; false where there is none.
bool BulkJob::turn_page(const Job &job, const JobResult &result, Answer &answer) {
    const PageSpec &spec = result.request.spec.next;
    std::string next = next_page(result, answer);
    if (next.empty())
        return false;
    const bool is_address = spec.by == PageSpec::By::url || spec.by == PageSpec::By::link;
    if (is_address) {
        const auto url = page_address(spent_->operation, spent_->dispatcher, job, next);
        if (!url)
            throw std::runtime_error("their next page is said to be elsewhere");
        next = *url;
    }
    if (!pages_.insert(next).second || pages_.size() > most_pages)
        throw std::runtime_error("their pages do not end");
    (is_address ? page_url_ : cursor_) = next;
    return true;
}

/// The cursor or the address of the page behind this one; "" where there is none.
std::string BulkJob::next_page(const JobResult &result, Answer &answer) const {
    const PageSpec &next = result.request.spec.next;
    if (const std::string *header = answer.response().header(result.cursor_header); header != nullptr)
        return *header == "null" ? "" : *header;
    if (next.by == PageSpec::By::link)
        return link_target(answer.response().headers, next.relation);
    const auto root = next.by == PageSpec::By::nothing ? std::nullopt : answer.at("");
    if (!root || !(next.more_when.empty() || holds(next.more_when, *root)))
        return "";
    const std::optional<std::string> found = next_of(at(*root, next.pointer));
    if (!found || (found->empty() && !next.more_when.empty()))
        throw std::runtime_error("there is another page, but at \"" + next.pointer + "\" is no text or number");
    return *found;
}

void BulkJob::went_on() {
    was_asked_ = true;
    failure_of_asking_.clear();
    if (std::exchange(stalls_, 0) > 0)
        jobs_.job_goes_on(record_);
}

void BulkJob::deliver() {
    constexpr long status_of_results = 200;
    const std::vector<RowOutcome> &outcomes = outcomes_.settle(failure_);
    for (std::size_t i = 0; i < outcomes.size(); i++) {
        const std::uint64_t id = record_.rows[i];
        if (gone_.contains(id))
            continue;
        const long status = outcomes_.was_told(i) ? status_of_results : 0;
        switch (outcomes[i].kind) {
        case RowOutcome::Kind::accepted:
            sink_.accepted(id, "");
            break;
        case RowOutcome::Kind::absent:
            sink_.absent(id);
            break;
        case RowOutcome::Kind::wait:
            jobs_.row_comes_again(id, outcomes[i].text);
            break;
        case RowOutcome::Kind::retry:
            if (route_.operation.spec().idempotent)
                jobs_.row_comes_again(id, outcomes[i].text);
            else
                sink_.rejected(id, std::string(outcome_unknown) + ": " + outcomes[i].text, status);
            break;
        case RowOutcome::Kind::rejected:
        case RowOutcome::Kind::unmentioned:
            sink_.rejected(id, outcomes[i].text, status);
            break;
        }
    }
    end();
}

void BulkJob::give_up() {
    reject_all(std::string(outcome_unknown) + ": its job has not ended within " +
                   std::to_string(spec_.longest.count()) + " hours" +
                   (failure_of_asking_.empty() ? "" : "; " + failure_of_asking_),
               0);
}

} // namespace reverse_etl
