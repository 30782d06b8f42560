#include "engine/sources/pages_ahead.h"

#include "engine/requests/page_address.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace reverse_etl {

namespace {

constexpr std::uint64_t most_pages = 10'000'000;

} // namespace

/// One page, on its way or ready.
class PagesAhead::Fetch : public JobHandler {
  public:
    Fetch(PagesAhead &pages, const OperationSpec &request, const std::string &url, ResultPage page)
        : page(std::move(page)), pages_(pages), step_(std::make_unique<StatementStep>(pages.context_, request)) {
        auto job = std::make_unique<Job>(Batch(step_->body));
        job->url = url;
        step_->dispatcher.submit(std::move(job));
    }

    bool is_ready() const { return step_ == nullptr; }

    void wait() {
        step_->dispatcher.run(*this);
        let_go();
    }

    void go_on() {
        step_->dispatcher.advance(*this);
        let_go();
    }

    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override {
        pages_.settled(page, *step_, *job, verdict, answer);
    }

    ResultPage page;

  private:
    /// What a page was parsed with is larger than the page.
    void let_go() {
        if (step_->dispatcher.jobs() == 0)
            step_.reset();
    }

    PagesAhead &pages_;
    std::unique_ptr<StatementStep> step_; ///< nullptr: it is ready
};

PagesAhead::PagesAhead(const StatementContext &context, RequestValues values, const std::vector<ResultColumn> &columns)
    : context_(context), spec_(context.source.spec.result), values_(std::move(values)), columns_(columns) {}

PagesAhead::~PagesAhead() = default;

void PagesAhead::fail(Fault fault, const std::string &what) const {
    throw DestinationError(fault, context_.source.object.base_url + ": " + what);
}

void PagesAhead::begin(const StatementStep &step, const Job &job, Answer &answer) {
    largest_ = answer.response().body.size();
    if (spec_.next == StatementResultSpec::Next::number) {
        simdjson::dom::array all;
        const auto found = answer.at(spec_.next_at);
        pages_ = found && found->get(all) == simdjson::SUCCESS ? all.size() : 1;
        has_next_ = pages_ > 1;
    } else {
        find_next(step, job, answer);
    }
}

/// What the answer to a page says of the next. Whatever it says, a result ends: no page is read twice.
void PagesAhead::find_next(const StatementStep &step, const Job &job, Answer &answer) {
    using Kind = StatementResultSpec::Next;
    if (spec_.next == Kind::nothing || spec_.next == Kind::number)
        return;
    next_ = {next_of(answer.at(spec_.next_at)).value_or(""), ""};
    has_next_ = !next_.value.empty();
    if (!has_next_)
        return;
    if (!seen_.insert(std::hash<std::string>()(next_.value)).second || asked_ > most_pages)
        fail(Fault::unintelligible, "the next page of the result is one that was read before");
    if (spec_.next != Kind::url)
        return;
    const auto url = page_address(step.operation, step.dispatcher, job, next_.value);
    if (!url)
        fail(Fault::unintelligible, "the next page of the result is said to be elsewhere");
    next_.url = *url;
}

/// The page behind those that were asked for, if it is known.
std::optional<PagesAhead::Next> PagesAhead::take_next() {
    if (!has_next_)
        return std::nullopt;
    if (spec_.next != StatementResultSpec::Next::number) {
        has_next_ = false;
        return std::exchange(next_, {});
    }
    const std::uint64_t number = asked_;
    has_next_ = number + 1 < pages_;
    return Next{std::to_string(number), ""};
}

std::size_t PagesAhead::held() const {
    std::size_t bytes = 0;
    for (const auto &fetch : fetches_)
        bytes += std::max(fetch->is_ready() ? fetch->page.bytes() : 0, largest_);
    return bytes;
}

void PagesAhead::ask_for_more() {
    // Later pages may be larger than the first: that is known when some have come.
    const std::size_t most =
        std::min<std::size_t>(std::max<std::size_t>(context_.line.policy.max_in_flight, 1), 1 + 2 * arrived_);
    while (has_next_ && fetches_.size() < most && (fetches_.empty() || held() + largest_ <= most_bytes))
        if (auto next = take_next())
            start(std::move(*next));
}

void PagesAhead::start(Next next) {
    asked_++;
    values_["page"] = next.value;
    ResultPage page;
    if (!spare_.empty()) {
        page = std::move(spare_.back());
        spare_.pop_back();
    }
    fetches_.push_back(
        std::make_unique<Fetch>(*this, statement_request(spec_.request, values_, {}), next.url, std::move(page)));
}

void PagesAhead::settled(ResultPage &page, const StatementStep &step, const Job &job, const Verdict &verdict,
                         Answer &answer) {
    bytes_ += answer.response().body.size();
    largest_ = std::max(largest_, answer.response().body.size());
    if (verdict.action != Action::proceed && verdict.action != Action::accept)
        fail(Fault::stopped, verdict.reason);
    page.clear(columns_.size());
    read_result_rows(spec_, columns_, 0, answer, page);
    arrived_++;
    find_next(step, job, answer);
}

void PagesAhead::go_on() {
    ask_for_more();
    for (const auto &fetch : fetches_)
        if (!fetch->is_ready())
            fetch->go_on();
    ask_for_more();
}

bool PagesAhead::next(ResultPage &page) {
    go_on();
    if (fetches_.empty())
        return false;
    Fetch &first = *fetches_.front();
    // Others that end meanwhile are taken by the next look.
    if (!first.is_ready())
        first.wait();
    std::swap(page, first.page);
    if (spare_.size() < 2)
        spare_.push_back(std::move(first.page));
    fetches_.pop_front();
    go_on();
    return true;
}

} // namespace reverse_etl
