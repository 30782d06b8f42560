#include "engine/manifest/statement_reader.h"
#include "engine/sources/statement_step.h"

#include <algorithm>
#include <charconv>
#include <poll.h>
#include <utility>

namespace reverse_etl {

namespace {

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

std::int64_t number_at(Answer &answer, const Pointers &at) {
    const auto found = answer.at(at);
    const std::string text = found ? text_of(*found) : "";
    std::int64_t number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// It may go into a header, and holds a name that somebody chose.
std::string in_one_line(std::string text) {
    for (char &c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == 127)
            c = ' ';
    return text;
}

} // namespace

StatementRun::StatementRun(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line,
                           SqlText sql, StatementSettings settings)
    : source_(source), spec_(source.spec), authenticator_(authenticator), line_(line), sql_(std::move(sql)),
      values_(values_of_statement(source.spec.dialect, sql_, settings)), longest_(settings.longest),
      pause_(source.spec.result.while_running.value_or(source.spec.pause).every) {
    // What the first answers give is not yet known.
    for (const auto &[name, at] : spec_.keep)
        values_.emplace(name, "");
    if (spec_.keep.empty())
        progress_.id = values_.at("id");
}

StatementRun::~StatementRun() = default;

bool StatementRun::may_be_running() const {
    const bool has_begun = phase_ != Phase::fresh && phase_ != Phase::cancelling && phase_ != Phase::ended;
    return has_begun && !is_done_;
}

std::string StatementRun::detail(const std::string &more) const {
    const std::string id = progress_.id.empty() ? values_.at("id") + " (ours)" : progress_.id;
    return "Statement " + id + (more.empty() ? "" : ", " + more) + ".";
}

void StatementRun::fail(Fault fault, const std::string &what, const std::string &hint) const {
    throw DestinationError(fault, source_.object.base_url + ": " + what, detail(), hint);
}

/// Fails for an answer that cannot be used. The statement may run all the same.
void StatementRun::give_up(const std::string &what) {
    has_failed_ = true;
    fail(Fault::unintelligible, what);
}

void StatementRun::send(const RequestTemplate &request, Phase phase, Milliseconds pause) {
    // What it waits for may be running: whoever hears of the fault ends it.
    has_failed_ = pause > Milliseconds(0) && Clock::now() >= deadline_;
    if (has_failed_)
        fail(Fault::stopped, "the statement took longer than " + std::to_string(longest_.count()) + " s");
    phase_ = phase;
    std::unique_ptr<Step> step;
    try {
        step = std::make_unique<Step>(*this, statement_request(request, values_, sql_.parameters));
    } catch (const SettingError &) {
        phase_ = Phase::ended; // a part of a path is never empty
        fail(Fault::unintelligible, "the answer does not name the statement");
    }
    start(std::move(step), phase == Phase::paging ? next_url_ : "", pause);
}

void StatementRun::start(std::unique_ptr<Step> step, std::string url, Milliseconds pause) {
    // The step that brought the last answer is still being used.
    ended_step_ = std::move(step_);
    step_ = std::move(step);
    auto job = std::make_unique<Job>(Batch(step_->body));
    job->url = std::move(url);
    job->ready = Clock::now() + pause;
    step_->dispatcher.submit(std::move(job));
}

void StatementRun::submit() {
    deadline_ = Clock::now() + longest_ + Step::grace;
    send(spec_.submit, Phase::submitting);
}

void StatementRun::go_on() {
    if (phase_ == Phase::fresh)
        submit();
    if (step_ != nullptr && phase_ != Phase::ended)
        step_->dispatcher.advance(*this);
}

bool StatementRun::next_page(ResultPage &page) {
    if (phase_ == Phase::fresh)
        submit();
    while (!has_ready_ && phase_ != Phase::ended && !has_failed_)
        step_->dispatcher.run(*this);
    if (!has_ready_)
        return false;
    has_ready_ = false;
    std::swap(page, ready_);
    progress_.rows += page.rows();
    if (phase_ == Phase::paging && has_next_) {
        fetch_next(Milliseconds(0));
        step_->dispatcher.advance(*this);
    }
    return true;
}

/// Asks for the page behind the last that came.
void StatementRun::fetch_next(Milliseconds pause) {
    has_next_ = false;
    values_["page"] = next_;
    send(spec_.result.request, Phase::paging, pause);
}

/// The same, where that had no rows: there may be none yet.
void StatementRun::ask_again() {
    const Milliseconds pause = pause_;
    pause_ = std::min(pause_ * 3 / 2, spec_.result.while_running->up_to);
    fetch_next(pause);
}

void StatementRun::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    if (phase_ == Phase::cancelling) {
        phase_ = Phase::ended;
        return;
    }
    if (verdict.action == Action::accept && answer.response().status == 0) {
        phase_ = Phase::ended; // nothing was sent: it is only shown
        return;
    }
    progress_.bytes += answer.response().body.size();
    if (verdict.action != Action::proceed && verdict.action != Action::accept) {
        phase_ = Phase::ended;
        keep_values(answer);
        fail(Fault::stopped, verdict.reason);
    }
    if (phase_ == Phase::following) {
        take_rows(answer);
        return;
    }
    if (phase_ == Phase::paging) {
        if (spec_.result.while_running)
            take_news(answer);
        take_page(*job, answer);
        return;
    }
    // Answers of a submission that was made before say nothing but that.
    take_state(answer, verdict.action == Action::proceed && !answer.says_nothing());
    if (phase_ == Phase::paging && spec_.result.is_inline)
        take_page(*job, answer);
}

void StatementRun::failed(std::unique_ptr<Job>, const DestinationError &error) {
    if (phase_ == Phase::cancelling) {
        phase_ = Phase::ended;
        return;
    }
    // It may run all the same: whoever hears of this ends it.
    has_failed_ = true;
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
}

/// Where a statement stands, by an answer to its submission or to a look at it.
void StatementRun::take_state(Answer &answer, bool says_something) {
    const auto root = answer.at("");
    if (says_something)
        keep_values(answer);
    if (says_something)
        take_news(answer);
    is_done_ = !spec_.result.while_running &&
               (spec_.done_when.empty() || (root && says_something && holds(spec_.done_when, *root)));
    if (is_done_ || spec_.result.while_running) {
        phase_ = Phase::paging;
        if (!spec_.result.is_inline)
            send(spec_.result.request, Phase::paging);
        return;
    }
    send(spec_.poll, Phase::polling, pause_);
    pause_ = std::min(pause_ * 3 / 2, spec_.pause.up_to);
}

/// What an answer says of the statement besides where it stands.
void StatementRun::take_news(Answer &answer) {
    if (const auto bytes = spec_.facts.find("bytes"); bytes != spec_.facts.end())
        progress_.source_bytes = std::max(progress_.source_bytes, number_at(answer, bytes->second));
    const auto root = answer.at("");
    if (!root || spec_.failed_when.empty() || !holds(spec_.failed_when, *root))
        return;
    phase_ = Phase::ended;
    const std::string reason = answer.words_at(*root, spec_.reason);
    fail(Fault::stopped, reason.empty() ? "the statement failed" : reason);
}

void StatementRun::abandon(Milliseconds patience) noexcept {
    try {
        PatientWaiter waiter;
        const Clock::time_point deadline = Clock::now() + patience;
        ForOthers others(line_.transport);
        // Where a token would have to be fetched first, the server might have to be asked.
        while (may_be_running() && Clock::now() < deadline && authenticator_.ready()) {
            // What was submitted may have no name yet by which it can be cancelled: the answer brings it.
            const bool has_name = !spec_.keep.contains("handle") || !values_.at("handle").empty();
            if (has_name || phase_ != Phase::submitting) {
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
    phase_ = Phase::ended;
    step_.reset();
    ended_step_.reset();
}

std::string statement_id() {
    std::string id = random_id();
    id[12] = '4';
    id[16] = "89ab"[id[16] % 4];
    for (const std::size_t at : {8, 13, 18, 23})
        id.insert(at, "-");
    return id;
}

RequestValues values_of_statement(const DialectSpec &dialect, const SqlText &sql, const StatementSettings &settings) {
    return {{"id", settings.id.empty() ? statement_id() : settings.id},
            {"sql", sent_text(dialect, sql)},
            {"schema", settings.schema},
            {"tag", in_one_line(settings.tag)},
            {"seconds", std::to_string(settings.longest.count())},
            {"milliseconds", std::to_string(settings.longest.count() * 1000)},
            {"page", ""}};
}

} // namespace reverse_etl
