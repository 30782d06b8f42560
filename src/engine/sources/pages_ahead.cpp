#include "engine/sources/pages_ahead.h"

#include "engine/requests/page_address.h"
#include "engine/sources/linked_rows.h"
#include "engine/sources/statement_news.h"

#include <algorithm>
#include <functional>

namespace reverse_etl {

namespace {

constexpr std::uint64_t most_pages = 10'000'000;

} // namespace

/// One page, on its way or ready. It may take several requests, one after another.
class PagesAhead::Fetch : public JobHandler {
  public:
    Fetch(PagesAhead &pages, ResultPage page) : page(std::move(page)), pages_(pages) {}

    bool is_ready() const { return step_ == nullptr; }

    /// What is asked next: of the API, or for rows where a page said that they are. The step that brought the last
    /// answer is still being used.
    void ask(std::unique_ptr<StatementStep> step, bool is_for_rows = false) {
        next_step_ = std::move(step);
        is_for_rows_ = is_for_rows;
    }

    /// Goes on with that; where nothing is to be asked, the page is ready. What a page was parsed with is larger than
    /// the page, and goes.
    void take_next_step() {
        step_ = std::move(next_step_);
        pages_.arrived_ += is_ready() ? 1 : 0;
    }

    /// Waits for the answer to what was asked.
    void wait() {
        step_->dispatcher.run(*this);
        take_next_step();
    }

    /// What goes wrong is told when it is the page's turn: perhaps nobody wants it.
    void go_on() {
        try {
            while (!is_ready()) {
                step_->dispatcher.advance(*this);
                if (step_->dispatcher.jobs() > 0)
                    return;
                take_next_step();
            }
        } catch (const DestinationError &error) {
            fault.emplace(error);
            step_.reset();
        }
    }

    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override {
        pages_.take_answer(verdict, answer);
        if (is_for_rows_)
            pages_.take_rows(*this, pages_.spec_.link->rows, answer);
        else
            pages_.take_page(*this, *step_, *job, answer);
    }

    ResultPage page;
    std::size_t skip = 0; ///< rows of it that are none
    std::optional<DestinationError> fault;

  private:
    PagesAhead &pages_;
    std::unique_ptr<StatementStep> step_, next_step_;
    bool is_for_rows_ = false;
};

PagesAhead::PagesAhead(const StatementContext &context, RequestValues values)
    : context_(context), spec_(context.source.spec.result), values_(std::move(values)),
      pause_(spec_.while_running.value_or(StatementPause()).every) {}

PagesAhead::~PagesAhead() = default;

void PagesAhead::begin() {
    start({});
}

void PagesAhead::begin(const StatementStep &step, const Job &job, Answer &answer) {
    asked_++;
    Fetch &first = add_fetch();
    take_page(first, step, job, answer);
    first.take_next_step();
}

PagesAhead::Fetch &PagesAhead::add_fetch() {
    ResultPage page;
    if (!spare_.empty()) {
        page = std::move(spare_.back());
        spare_.pop_back();
    }
    return *fetches_.emplace_back(std::make_unique<Fetch>(*this, std::move(page)));
}

std::unique_ptr<StatementStep> PagesAhead::request(const Next &next, Milliseconds pause) {
    asked_++;
    values_["page"] = next.value;
    auto step = std::make_unique<StatementStep>(context_, spec_.request, values_);
    step->submit(next.url, pause);
    return step;
}

void PagesAhead::start(const Next &next) {
    auto step = request(next);
    Fetch &fetch = add_fetch();
    fetch.ask(std::move(step));
    fetch.take_next_step();
}

void PagesAhead::take_answer(const Verdict &verdict, Answer &answer) {
    bytes_ += answer.response().body.size();
    if (verdict.action == Action::proceed || verdict.action == Action::accept)
        return;
    is_done_ = tells_of_statement(answer.response().status);
    context_.fail(Fault::stopped, verdict.reason);
}

void PagesAhead::take_page(Fetch &fetch, const StatementStep &step, const Job &job, Answer &answer) {
    if (spec_.while_running)
        take_news(answer);
    const bool is_first = columns_.empty();
    if (is_first)
        columns_ = read_result_columns(spec_.columns, spec_, answer);
    find_next(step, job, answer);
    is_done_ = !spec_.while_running || !has_next_;
    if (columns_.empty() && !is_done_) {
        ask_again(fetch);
        return;
    }
    if (columns_.empty())
        context_.fail(Fault::unintelligible, "the answer does not describe the columns of the result");
    fetch.skip = is_first ? spec_.skip : 0;
    fetch.page.clear(columns_.size());
    if (auto to_rows = spec_.link ? linked_rows(context_, answer) : nullptr) {
        fetch.ask(std::move(to_rows), true);
        return;
    }
    take_rows(fetch, spec_.rows, answer);
    if (fetch.page.rows() == 0 && !is_done_)
        ask_again(fetch);
}

/// Where a page of a statement that runs has no rows: there may be none yet.
void PagesAhead::ask_again(Fetch &fetch) {
    context_.fail_when_late();
    const Next next = take_next().value_or(Next());
    fetch.ask(request(next, pause_));
    pause_ = std::min(pause_ * 3 / 2, spec_.while_running->up_to);
}

void PagesAhead::take_rows(Fetch &fetch, const Pointers &at, Answer &answer) {
    largest_ = std::max(largest_, answer.response().body.size());
    try {
        read_result_rows(spec_, at, columns_, fetch.skip, answer, fetch.page);
    } catch (const DestinationError &error) {
        context_.fail(error.fault, error.what());
    }
}

void PagesAhead::take_news(Answer &answer) {
    const StatementNews news = read_news(context_.source.spec, answer);
    source_bytes_ = std::max(source_bytes_, news.source_bytes);
    if (!news.fault)
        return;
    is_done_ = true;
    context_.fail(Fault::stopped, *news.fault);
}

/// What the answer to a page says of the next. Whatever it says, a result ends: no page is read twice.
void PagesAhead::find_next(const StatementStep &step, const Job &job, Answer &answer) {
    using Kind = StatementResultSpec::Next;
    if (spec_.next == Kind::nothing || (spec_.next == Kind::number && all_ > 0))
        return;
    const auto found = answer.at(spec_.next_at);
    if (spec_.next == Kind::number) {
        simdjson::dom::array all;
        all_ = found && found->get(all) == simdjson::SUCCESS ? std::max<std::uint64_t>(all.size(), 1) : 1;
        has_next_ = all_ > 1;
        return;
    }
    next_ = {next_of(found).value_or(""), ""};
    has_next_ = !next_.value.empty();
    if (!has_next_)
        return;
    if (!seen_.insert(std::hash<std::string>()(next_.value)).second || asked_ > most_pages)
        context_.fail(Fault::unintelligible, "the next page of the result is one that was read before");
    if (spec_.next != Kind::url)
        return;
    const auto url = page_address(step.operation, step.dispatcher, job, next_.value);
    if (!url)
        context_.fail(Fault::unintelligible, "the next page of the result is said to be elsewhere");
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
    has_next_ = asked_ + 1 < all_;
    return Next{std::to_string(asked_), ""};
}

std::size_t PagesAhead::held() const {
    std::size_t bytes = 0;
    for (const auto &fetch : fetches_)
        bytes += std::max(fetch->is_ready() ? fetch->page.bytes() : 0, largest_);
    return bytes;
}

/// Besides the first page, which says nothing of the others' size: that is known when some have come.
std::size_t PagesAhead::most_fetches() const {
    const std::size_t most = std::max<std::size_t>(context_.line.policy.max_in_flight, 1);
    return std::min(most, 2 * std::max<std::size_t>(arrived_, 1) - 1) + (first_is_read_ ? 0 : 1);
}

void PagesAhead::ask_for_more() {
    while (has_next_ && fetches_.size() < most_fetches() && (fetches_.empty() || held() + largest_ <= most_bytes) &&
           (fetches_.empty() || !fetches_.back()->fault))
        if (const auto next = take_next())
            start(*next);
}

void PagesAhead::go_on() {
    ask_for_more();
    for (const auto &fetch : fetches_)
        fetch->go_on();
    ask_for_more();
}

bool PagesAhead::next(ResultPage &page) {
    go_on();
    if (fetches_.empty())
        return false;
    Fetch &first = *fetches_.front();
    // Others that end meanwhile are taken by the next look.
    while (!first.is_ready()) {
        first.wait();
        go_on();
    }
    if (first.fault)
        throw DestinationError(*first.fault);
    std::swap(page, first.page);
    first_is_read_ = true;
    if (spare_.size() < 2)
        spare_.push_back(std::move(first.page));
    fetches_.pop_front();
    go_on();
    return true;
}

} // namespace reverse_etl
