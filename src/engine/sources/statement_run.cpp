#include "engine/sources/statement_run.h"

#include "engine/sources/statement_news.h"

#include <algorithm>
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

/// It may go into a header, and holds a name that somebody chose.
std::string in_one_line(std::string text) {
    for (char &c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == 127)
            c = ' ';
    return text;
}

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

StatementRun::StatementRun(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line,
                           SqlText sql, StatementSettings settings)
    : source_(source), spec_(source.spec), authenticator_(authenticator), line_(line),
      sql_(std::move(sql)), context_{source, authenticator, line, sql_.parameters, settings.longest},
      values_(values_of_statement(source.spec.dialect, sql_, settings)), pause_(source.spec.pause.every) {
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

void StatementRun::fail(Fault fault, const std::string &what) const {
    throw DestinationError(fault, source_.object.base_url + ": " + what, detail());
}

/// What goes wrong names the statement. It may run all the same: whoever hears of the fault ends it.
template <class How>
void StatementRun::in_words(How &&how) {
    try {
        how();
        take_progress();
    } catch (const DestinationError &error) {
        has_failed_ = true;
        take_progress();
        throw DestinationError(error.fault, error.what(), detail(error.detail), error.hint);
    }
}

void StatementRun::take_progress() {
    if (pages_ == nullptr)
        return;
    is_done_ = is_done_ || pages_->is_done();
    progress_.bytes += pages_->take_bytes();
    progress_.source_bytes = std::max(progress_.source_bytes, pages_->source_bytes());
}

void StatementRun::send(const RequestTemplate &request, Phase phase, Milliseconds pause) {
    const bool takes_long = phase == Phase::submitting && spec_.answers_when_done;
    const Milliseconds patience = takes_long ? context_.longest + StatementContext::grace : Milliseconds(0);
    std::unique_ptr<StatementStep> step;
    in_words([&] {
        if (pause > Milliseconds(0))
            context_.fail_when_late();
        step = std::make_unique<StatementStep>(context_, request, values_, patience);
    });
    phase_ = phase;
    has_failed_ = false;
    // The step that brought the last answer is still being used.
    ended_step_ = std::move(step_);
    step_ = std::move(step);
    step_->submit("", pause);
}

void StatementRun::submit() {
    context_.deadline = Clock::now() + context_.longest + StatementContext::grace;
    send(spec_.submit, Phase::submitting);
}

void StatementRun::go_on() {
    if (phase_ == Phase::fresh)
        submit();
    if (pages_ == nullptr && step_ != nullptr && phase_ != Phase::ended)
        step_->dispatcher.advance(*this);
    if (pages_ != nullptr && phase_ == Phase::paging && !has_failed_)
        in_words([&] { pages_->go_on(); });
}

bool StatementRun::next_page(ResultPage &page) {
    if (phase_ == Phase::fresh)
        submit();
    while (pages_ == nullptr && phase_ != Phase::ended && !has_failed_)
        step_->dispatcher.run(*this);
    if (pages_ == nullptr || phase_ != Phase::paging || has_failed_)
        return false;
    // What the last answer was parsed with is needed no more.
    step_.reset();
    ended_step_.reset();
    bool is_there = false;
    in_words([&] { is_there = pages_->next(page); });
    progress_.rows += is_there ? page.rows() : 0;
    if (!pages_->has_more())
        phase_ = Phase::ended;
    return is_there;
}

void StatementRun::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    const bool is_refused = verdict.action != Action::proceed && verdict.action != Action::accept;
    if (phase_ == Phase::cancelling) {
        phase_ = Phase::ended;
        is_cancelled_ = !is_refused || tells_of_statement(answer.response().status);
        return;
    }
    if (verdict.action == Action::accept && answer.response().status == 0) {
        phase_ = Phase::ended; // nothing was sent: it is only shown
        return;
    }
    progress_.bytes += answer.response().body.size();
    if (is_refused) {
        // What says nothing of the statement leaves it running; a submission that was only refused began none.
        const long status = answer.response().status;
        has_failed_ = !tells_of_statement(status) && (phase_ != Phase::submitting || status >= 500);
        if (!has_failed_)
            phase_ = Phase::ended;
        keep_values(answer);
        fail(Fault::stopped, verdict.reason);
    }
    // Answers of a submission that was made before say nothing but that.
    take_state(answer, verdict.action == Action::proceed && !answer.says_nothing());
    if (phase_ == Phase::paging)
        begin_pages(*job, answer);
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
    if (told_)
        told_();
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
        return;
    }
    send(spec_.poll, Phase::polling, pause_);
    pause_ = std::min(pause_ * 3 / 2, spec_.pause.up_to);
}

void StatementRun::take_news(Answer &answer) {
    const StatementNews news = read_news(spec_, answer);
    progress_.source_bytes = std::max(progress_.source_bytes, news.source_bytes);
    if (!news.fault)
        return;
    phase_ = Phase::ended;
    fail(Fault::stopped, *news.fault);
}

/// From here on pages come by themselves.
void StatementRun::begin_pages(const Job &job, Answer &answer) {
    pages_ = std::make_unique<PagesAhead>(context_, values_);
    in_words([&] {
        if (spec_.result.is_inline)
            pages_->begin(*step_, job, answer);
        else
            pages_->begin();
    });
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
                pages_.reset();
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
    pages_.reset();
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
        if (!spec_.knows_repeated)
            return false;
        submit();
        while (phase_ == Phase::submitting)
            step_->dispatcher.run(*this);
        if (!may_be_running())
            return true;
        pages_.reset();
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

RequestValues values_of_statement(const DialectSpec &dialect, const SqlText &sql, const StatementSettings &settings) {
    return {{"id", settings.id.empty() ? statement_id() : settings.id},
            {"sql", sent_text(dialect, sql)},
            {"schema", settings.schema},
            {"tag", in_one_line(settings.tag)},
            {"label", label_of(settings.tag)},
            {"seconds", std::to_string(settings.longest.count())},
            {"milliseconds", std::to_string(settings.longest.count() * 1000)},
            {"page", ""}};
}

} // namespace reverse_etl
