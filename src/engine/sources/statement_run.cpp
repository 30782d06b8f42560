#include "engine/sources/statement_run.h"

#include "engine/manifest/statement_reader.h"
#include "engine/requests/page_address.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <poll.h>
#include <utility>

namespace reverse_etl {

namespace {

constexpr std::uint64_t most_pages = 10'000'000;

/// Waits where nothing of the server may be asked, since it may be rolling back.
class PatientWaiter : public Waiter {
  public:
    bool wait(int fd, long timeout_ms) override {
        pollfd one{fd, POLLIN, 0};
        poll(&one, 1, static_cast<int>(timeout_ms));
        return false;
    }
};

/// What ended of others goes back to the transport.
struct ForOthers {
    explicit ForOthers(Transport &transport) : transport(transport) {}
    ~ForOthers() { transport.give_back(std::move(finished)); }
    Transport &transport;
    std::vector<Finished> finished;
};

/// Whether a refusal says nothing of the statement that was asked for.
bool is_about_request(long status) {
    return status == 401 || status == 403 || status == 429 || status >= 500;
}

std::int64_t number_at(Answer &answer, const Pointers &at) {
    const auto found = answer.at(at);
    const std::string text = found ? text_of(*found) : "";
    std::int64_t number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

/// One request that is being made.
struct StatementRun::Step {
    Step(const StatementRun &run, OperationSpec of_step)
        : spec(std::move(of_step)),
          operation(run.source_.object, spec, {}, -1, {}), body{operation.page_body(""), "", ""},
          dispatcher(operation, run.line_.transport, run.line_.waiter, run.line_.limiter, run.authenticator_,
                     run.line_.policy) {
        if (run.observer_ != nullptr)
            dispatcher.report_to(*run.observer_);
    }

    const OperationSpec spec;
    const CompiledOperation operation;
    const BatchFrame body;
    Dispatcher dispatcher;
};

StatementRun::StatementRun(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line,
                           SqlText sql, StatementSettings settings)
    : source_(source), spec_(source.spec), authenticator_(authenticator), line_(line), sql_(std::move(sql)),
      values_(values_of_statement(sql_, settings)), pause_(source.spec.every) {
    // What the first answers give is not yet known.
    for (const auto &[name, at] : spec_.keep)
        values_.emplace(name, "");
    if (spec_.keep.empty())
        progress_.id = values_.at("id");
}

StatementRun::~StatementRun() = default;

bool StatementRun::may_be_running() const {
    return phase_ == Phase::submitting || phase_ == Phase::polling || (phase_ == Phase::paging && !is_done_);
}

std::string StatementRun::detail(const std::string &more) const {
    const std::string id = progress_.id.empty() ? values_.at("id") + " (ours)" : progress_.id;
    return "Statement " + id + (more.empty() ? "" : ", " + more) + ".";
}

void StatementRun::fail(Fault fault, const std::string &what, const std::string &hint) const {
    throw DestinationError(fault, source_.object.base_url + ": " + what, detail(), hint);
}

void StatementRun::send(const RequestTemplate &request, Phase phase, Milliseconds pause) {
    phase_ = phase;
    // The step that brought the last answer is still being used.
    ended_step_ = std::move(step_);
    try {
        step_ = std::make_unique<Step>(*this, statement_request(request, values_, sql_.parameters));
    } catch (const SettingError &) {
        phase_ = Phase::ended; // a part of a path is never empty
        fail(Fault::unintelligible, "the answer does not name the statement");
    }
    auto job = std::make_unique<Job>(Batch(step_->body));
    if (phase == Phase::paging)
        job->url = next_url_;
    job->ready = Clock::now() + pause;
    step_->dispatcher.submit(std::move(job));
}

void StatementRun::go_on() {
    if (phase_ == Phase::fresh)
        send(spec_.submit, Phase::submitting);
    if (step_ != nullptr && phase_ != Phase::ended)
        step_->dispatcher.advance(*this);
}

bool StatementRun::next_page(ResultPage &page) {
    if (phase_ == Phase::fresh)
        send(spec_.submit, Phase::submitting);
    while (!has_ready_ && phase_ != Phase::ended)
        step_->dispatcher.run(*this);
    if (!has_ready_)
        return false;
    has_ready_ = false;
    std::swap(page, ready_);
    progress_.rows += page.rows();
    fetch_next();
    return true;
}

/// Asks for the page behind the one that is ready or in use, if there is one and nothing is ready.
void StatementRun::fetch_next() {
    if (phase_ != Phase::paging || has_ready_ || !has_next_)
        return;
    has_next_ = false;
    values_["page"] = next_;
    send(spec_.result.request, Phase::paging);
    step_->dispatcher.advance(*this);
}

void StatementRun::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    if (phase_ == Phase::cancelling) {
        phase_ = Phase::ended;
        is_cancelled_ = true;
        return;
    }
    if (verdict.action == Action::accept && answer.response().status == 0) {
        phase_ = Phase::ended; // nothing was sent: it is only shown
        return;
    }
    progress_.bytes += answer.response().body.size();
    if (verdict.action != Action::proceed && verdict.action != Action::accept) {
        is_in_doubt_ = may_be_running() && is_about_request(answer.response().status);
        phase_ = Phase::ended;
        keep_values(answer);
        fail(Fault::stopped, verdict.reason);
    }
    if (phase_ == Phase::paging) {
        take_page(*job, answer, !spec_.result.is_inline && pages_ == 0);
        return;
    }
    // Answers of a submission that was made before say nothing but that.
    take_state(answer, verdict.action == Action::proceed && !answer.says_nothing());
    if (is_done_ && phase_ == Phase::paging && spec_.result.is_inline)
        take_page(*job, answer, true);
}

void StatementRun::failed(std::unique_ptr<Job>, const DestinationError &error) {
    is_in_doubt_ = may_be_running();
    const bool was_cancelling = std::exchange(phase_, Phase::ended) == Phase::cancelling;
    if (was_cancelling)
        return;
    throw DestinationError(error.fault, error.what(), detail(error.detail), error.hint);
}

/// What later requests name, and people: an answer that refuses may say it as well.
void StatementRun::keep_values(Answer &answer) {
    const auto root = answer.at("");
    for (const auto &[name, at] : spec_.keep)
        if (const std::string value = root ? first_text(*root, at) : ""; !value.empty())
            values_[name] = value;
    if (const auto handle = values_.find("handle"); handle != values_.end())
        progress_.id = answer.words().of(handle->second);
    else
        progress_.id = values_.at("id");
    if (told_)
        told_();
}

/// Where a statement stands, by an answer to its submission or to a look at it.
void StatementRun::take_state(Answer &answer, bool says_something) {
    const auto root = answer.at("");
    if (says_something)
        keep_values(answer);
    if (const auto bytes = spec_.facts.find("bytes"); bytes != spec_.facts.end() && says_something)
        progress_.source_bytes = std::max(progress_.source_bytes, number_at(answer, bytes->second));
    if (root && says_something && !spec_.failed_when.empty() && holds(spec_.failed_when, *root)) {
        phase_ = Phase::ended;
        const std::string reason = answer.words_at(*root, spec_.reason);
        fail(Fault::stopped, reason.empty() ? "the statement failed" : reason);
    }
    is_done_ = spec_.done_when.empty() || (root && says_something && holds(spec_.done_when, *root));
    if (is_done_) {
        phase_ = Phase::paging;
        if (!spec_.result.is_inline)
            send(spec_.result.request, Phase::paging);
        return;
    }
    send(spec_.poll, Phase::polling, pause_);
    pause_ = std::min(pause_ * 3 / 2, spec_.up_to);
}

void StatementRun::take_page(const Job &job, Answer &answer, bool is_first) {
    if (is_first) {
        columns_ = read_result_columns(spec_.result.columns, spec_.result, answer);
        if (columns_.empty())
            fail(Fault::unintelligible, "the answer does not describe the columns of the result");
    }
    ready_.clear(columns_.size());
    try {
        read_result_rows(spec_.result, columns_, is_first ? spec_.result.skip : 0, answer, ready_);
    } catch (const DestinationError &error) {
        phase_ = Phase::ended;
        fail(error.fault, error.what());
    }
    has_ready_ = true;
    find_next(job, answer);
    if (!has_next_)
        phase_ = Phase::ended;
}

/// What the answer to a page says of the next. Whatever it says, a result ends: no page is read twice.
void StatementRun::find_next(const Job &job, Answer &answer) {
    using Next = StatementResultSpec::Next;
    const StatementResultSpec &result = spec_.result;
    pages_++;
    next_.clear();
    next_url_.clear();
    const auto found = result.next == Next::nothing ? std::nullopt : answer.at(result.next_at);
    if (result.next == Next::number) {
        simdjson::dom::array all;
        if (pages_ == 1 && found && found->get(all) == simdjson::SUCCESS)
            all_pages_ = all.size();
        next_ = pages_ < all_pages_ ? std::to_string(pages_) : "";
    } else if (result.next != Next::nothing) {
        next_ = next_of(found).value_or("");
    }
    has_next_ = !next_.empty();
    if (has_next_ && (!seen_.insert(std::hash<std::string>()(next_)).second || pages_ > most_pages)) {
        phase_ = Phase::ended;
        fail(Fault::unintelligible, "the next page of the result is one that was read before");
    }
    if (has_next_ && result.next == Next::url) {
        const auto url = page_address(step_->operation, step_->dispatcher, job, next_);
        if (!url) {
            phase_ = Phase::ended;
            fail(Fault::unintelligible, "the next page of the result is said to be elsewhere");
        }
        next_url_ = *url;
    }
}

bool StatementRun::abandon(Milliseconds patience) noexcept {
    const bool may_have_run = may_be_running();
    try {
        PatientWaiter waiter;
        const Clock::time_point deadline = Clock::now() + patience;
        ForOthers others(line_.transport);
        // Where a token would have to be fetched first, the server might have to be asked.
        while (may_be_running() && Clock::now() < deadline && authenticator_.ready()) {
            // What was submitted may have no name yet by which it can be cancelled: the answer brings it.
            if (has_name() || phase_ != Phase::submitting) {
                step_.reset();
                ended_step_.reset();
                if (spec_.cancel.spec.method.empty())
                    break;
                send(spec_.cancel, Phase::cancelling);
            }
            const Phase before = phase_;
            while (phase_ == before && Clock::now() < deadline && step_->dispatcher.jobs() > 0) {
                const Clock::time_point next = std::min(step_->dispatcher.start_ready(*this), deadline);
                std::vector<Finished> finished;
                line_.transport.run(waiter, next, finished);
                for (Finished &one : finished)
                    if (!step_->dispatcher.take(one, *this))
                        others.finished.push_back(std::move(one));
            }
            if (phase_ == before)
                break;
        }
    } catch (...) {
        // It cannot be said to anybody here; the source ends the statement after its longest time.
    }
    // An answer may have told meanwhile that it is done.
    const bool is_still_running = may_have_run && !is_cancelled_ && !is_done_;
    phase_ = Phase::ended;
    step_.reset();
    ended_step_.reset();
    return !is_still_running;
}

bool StatementRun::has_name() const {
    return !spec_.keep.contains("handle") || !values_.at("handle").empty();
}

RequestValues StatementRun::kept() const {
    RequestValues kept;
    for (const auto &[name, at] : spec_.keep)
        kept.emplace(name, values_.at(name));
    return kept;
}

void StatementRun::take_up(const RequestValues &kept) {
    for (const auto &[name, at] : spec_.keep)
        if (const auto value = kept.find(name); value != kept.end())
            values_[name] = value->second;
}

bool StatementRun::cancel() {
    if (spec_.cancel.spec.method.empty())
        return true;
    if (!has_name()) {
        send(spec_.submit, Phase::submitting);
        while (phase_ == Phase::submitting)
            step_->dispatcher.run(*this);
        if (!may_be_running())
            return true;
    }
    send(spec_.cancel, Phase::cancelling);
    while (phase_ == Phase::cancelling)
        step_->dispatcher.run(*this);
    return is_cancelled_;
}

std::string statement_id() {
    std::string id = random_id();
    id[12] = '4';
    id[16] = "89ab"[id[16] % 4];
    for (const std::size_t at : {8, 13, 18, 23})
        id.insert(at, "-");
    return id;
}

namespace {

/// In letters that every source has in labels: small ones, digits, _ and -, 63 at most.
std::string label_of(const std::string &tag) {
    std::string label;
    for (const char c : tag) {
        const bool is_small = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        const bool is_large = c >= 'A' && c <= 'Z';
        label += is_small ? c : is_large ? static_cast<char>(c - 'A' + 'a') : '_';
    }
    return label.substr(0, 63);
}

} // namespace

RequestValues values_of_statement(const SqlText &sql, const StatementSettings &settings) {
    return {{"id", settings.id.empty() ? statement_id() : settings.id},
            {"sql", sql.text},
            {"schema", settings.schema},
            {"tag", settings.tag},
            {"label", label_of(settings.tag)},
            {"seconds", std::to_string(settings.longest.count())},
            {"milliseconds", std::to_string(settings.longest.count() * 1000)},
            {"page", ""}};
}

} // namespace reverse_etl
