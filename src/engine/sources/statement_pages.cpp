#include "engine/http/url_reference.h"
#include "engine/manifest/operation_reader.h"
#include "engine/requests/page_address.h"
#include "engine/sources/statement_step.h"
#include "engine/text/placeholders.h"

#include <functional>
#include <stdexcept>

namespace reverse_etl {

namespace {

constexpr std::uint64_t most_pages = 10'000'000;

} // namespace

void StatementRun::take_page(const Job &job, Answer &answer) {
    const bool is_first = columns_.empty();
    if (is_first)
        columns_ = read_result_columns(spec_.result.columns, spec_.result, answer);
    find_next(job, answer);
    if (spec_.result.while_running) {
        is_done_ = !has_next_;
        if (columns_.empty() && has_next_) {
            ask_again();
            return;
        }
    }
    if (columns_.empty())
        give_up("the answer does not describe the columns of the result");
    skip_ = is_first ? spec_.result.skip : 0;
    ready_.clear(columns_.size());
    if (spec_.result.link)
        follow(answer);
    else
        take_rows(answer);
}

/// Has the rows of a page fetched from where it says that they are.
void StatementRun::follow(Answer &answer) {
    const ResultLink &link = *spec_.result.link;
    const auto address = answer.at(link.at);
    if (!address || address->is_null()) {
        take_rows(answer);
        return;
    }
    const std::string url = text_of(*address), &home = source_.object.base_url;
    if (!have_one_origin(url, home) && !goes_to(url, link.hosts, home.substr(0, home.find(':'))))
        give_up("the rows of the result are said to be at a host that the connector does not allow");
    Json written = {{"request", "GET /"}, {"errors", {{{"status", {400, 401, 403, 404, 410}}, {"then", "reject"}}}}};
    const auto headers = answer.at(link.headers);
    simdjson::dom::object members;
    if (headers && headers->get(members) == simdjson::SUCCESS)
        for (const auto &[name, value] : members)
            written["headers"][std::string(name)] = with_braces_twice(text_of(value));
    UnsetOptions none;
    phase_ = Phase::following;
    try {
        start(std::make_unique<Step>(*this, read_operation(ManifestNode(written, "", &none), OperationKind::list),
                                     std::make_unique<const Elsewhere>(source_.object, authenticator_, url)),
              url, Milliseconds(0));
    } catch (const std::runtime_error &) {
        give_up("the rows of the result cannot be fetched by what the answer says of them");
    }
}

void StatementRun::take_rows(Answer &answer) {
    try {
        const StatementResultSpec &result = spec_.result;
        const bool is_elsewhere = phase_ == Phase::following;
        read_result_rows(result, is_elsewhere ? result.link->rows : result.rows, columns_, skip_, answer, ready_);
    } catch (const DestinationError &error) {
        give_up(error.what());
    }
    if (spec_.result.while_running && ready_.rows() == 0 && has_next_)
        ask_again();
    else
        page_is_ready();
}

void StatementRun::page_is_ready() {
    has_ready_ = true;
    phase_ = has_next_ ? Phase::paging : Phase::ended;
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
    if (has_next_ && (!seen_.insert(std::hash<std::string>()(next_)).second || pages_ > most_pages))
        give_up("the next page of the result is one that was read before");
    if (has_next_ && result.next == Next::url) {
        const auto url = page_address(step_->operation, step_->dispatcher, job, next_);
        if (!url)
            give_up("the next page of the result is said to be elsewhere");
        next_url_ = *url;
    }
}

} // namespace reverse_etl
