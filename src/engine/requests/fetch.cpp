#include "engine/requests/fetch.h"

#include "engine/http/link_header.h"
#include "engine/requests/page_address.h"
#include "engine/text/value_refused.h"

#include <charconv>
#include <functional>

namespace reverse_etl {

namespace {

/// A destination that always has another page, and never a record, has none.
constexpr std::size_t most_empty_pages = 1000;
constexpr std::size_t most_pages = 10'000'000;

bool is_list_of_records(simdjson::dom::element value) {
    simdjson::dom::array several;
    return value.get(several) == simdjson::SUCCESS && several.begin() != several.end() &&
           (*several.begin()).is_object();
}

/// Whether there are records elsewhere than the operation says.
bool holds_records(simdjson::dom::element root, int depth = 2) {
    simdjson::dom::object members;
    if (is_list_of_records(root))
        return true;
    if (depth > 0 && root.get(members) == simdjson::SUCCESS)
        for (const auto member : members)
            if (holds_records(member.value, depth - 1))
                return true;
    return false;
}

/// Records as members of an object: one that has none, an error in its place for instance, is none.
void read_map(simdjson::dom::object members, const std::string &pointer, RecordSink &sink) {
    for (const auto member : members)
        if (auto record = at(member.value, pointer); record && record->is_object())
            sink.record(*record);
}

/// The number at a pointer, as itself or in a text; -1 for none.
std::int64_t number_at(Answer &answer, const std::string &pointer) {
    const std::string text = pointer.empty() ? "" : first_text(*answer.at(""), {pointer});
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

} // namespace

void read_records(const CompiledOperation &operation, const Verdict &verdict, Answer &answer, RecordSink &sink) {
    if (verdict.action == Action::absent || verdict.action == Action::accept)
        return;
    const std::string &base_url = operation.object().base_url;
    if (verdict.action != Action::proceed)
        throw DestinationError(Fault::stopped, base_url + ": " + verdict.reason, operation.request_line());
    if (answer.says_nothing())
        return;
    const RecordsSpec &spec = operation.spec().records;
    if (!spec.none_when.empty() && holds(spec.none_when, *answer.at("")))
        return;
    auto records = answer.at(spec.at);
    simdjson::dom::array several;
    const bool are_several = !spec.of_map && records && records->get(several) == simdjson::SUCCESS;
    const bool is_there = are_several || (records && (records->is_object() || records->is_null()));
    // Many leave the member out where there are none; a pointer that is wrong must not look like that.
    if (!is_there && (records || holds_records(*answer.at("")))) {
        std::string pointers;
        for (const std::string &pointer : spec.at)
            pointers += (pointers.empty() ? "\"" : ", \"") + pointer + "\"";
        throw DestinationError(Fault::unintelligible, base_url + ": the answer holds no records at " + pointers,
                               operation.request_line());
    }
    if (are_several)
        for (simdjson::dom::element record : several)
            sink.record(record);
    else if (is_there && records->is_object() && spec.of_map)
        read_map(records->get_object(), *spec.of_map, sink);
    else if (is_there && records->is_object())
        sink.record(*records);
}

Fetch::Fetch(const CompiledOperation &operation, Dispatcher &dispatcher, RecordSink &sink, ListFilter filter)
    : operation_(operation), dispatcher_(dispatcher), sink_(sink), filter_(std::move(filter)) {}

void Fetch::lookup(std::vector<Batch> batches) {
    for (const Batch &batch : batches)
        if (const std::string name = operation_.unreachable_name(batch); !name.empty())
            throw ValueRefused(name + " cannot be asked for: " + names_no_row);
    for (Batch &batch : batches) {
        operation_.take_unreachable(batch); // what is left is empty, and so no row's name
        if (!batch.rows().empty())
            dispatcher_.submit(std::make_unique<Job>(std::move(batch)));
    }
    dispatcher_.run(*this);
}

bool Fetch::next_page() {
    if (!submit_page())
        return false;
    dispatcher_.run(*this);
    return true;
}

bool Fetch::submit_page() {
    if (!more_)
        return false;
    more_ = false;
    body_.prefix = operation_.page_body(cursor_, filter_);
    auto job = std::make_unique<Job>(Batch(body_));
    job->cursor = cursor_;
    // An address that the destination gave for a page says all of it.
    job->url = url_.empty() ? with_filter(operation_.url(&job->batch, cursor_), filter_) : url_;
    dispatcher_.submit(std::move(job));
    return true;
}

void Fetch::record(simdjson::dom::element record) {
    page_records_++;
    if (operation_.spec().next.by == PageSpec::By::last)
        last_ = next_of(at(record, operation_.spec().next.pointer)).value_or("");
    sink_.record(record);
}

void Fetch::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    page_records_ = 0;
    last_.clear();
    read_records(operation_, verdict, answer, *this);
    if (verdict.action == Action::proceed && !answer.says_nothing())
        find_next(*job, answer);
}

void Fetch::find_next(const Job &job, Answer &answer) {
    using By = PageSpec::By;
    const PageSpec &next = operation_.spec().next;
    pages_++;
    records_ += page_records_;
    empty_pages_ = page_records_ == 0 ? empty_pages_ + 1 : 0;
    if (!next.more_when.empty() && !holds(next.more_when, *answer.at("")))
        return;
    says_more_ = !next.more_when.empty();
    switch (next.by) {
    case By::nothing:
        return;
    case By::offset:
    case By::page:
        // One that was there before comes from a destination that does not turn pages this way.
        turn_to(cursor_, next_number(number_at(answer, next.total)), answer.response().body);
        return;
    case By::cursor: {
        const std::string cursor = next_in(answer);
        turn_to(cursor_, cursor, cursor);
        return;
    }
    case By::last:
        if (page_records_ > 0 && last_.empty())
            fail("the page's last record has no text or number at \"" + next.pointer +
                 "\", from which the list goes on");
        turn_to(cursor_, last_, last_);
        return;
    case By::url:
    case By::link: {
        const std::string url =
            address(job, next.by == By::url ? next_in(answer) : link_target(answer.response().headers, next.relation));
        turn_to(url_, url, url);
        return;
    }
    }
}

/// The number of the next page, or of its first record; "" where there is none: behind the last, if the answer says how
/// many there are, and behind a page without records, unless its answer says that there is more.
std::string Fetch::next_number(std::int64_t total) const {
    const PageSpec &next = operation_.spec().next;
    const bool is_page = next.by == PageSpec::By::page;
    const auto gone = static_cast<std::int64_t>(is_page         ? pages_
                                                : next.size > 0 ? pages_ * static_cast<std::size_t>(next.size)
                                                                : records_);
    if ((page_records_ == 0 && !says_more_) || (total >= 0 && gone >= total))
        return "";
    return std::to_string(next.first + gone);
}

/// What stands at the pointer in the answer; "" for none.
std::string Fetch::next_in(Answer &answer) const {
    const std::string &pointer = operation_.spec().next.pointer;
    const std::optional<std::string> next = next_of(answer.at(pointer));
    if (!next)
        fail("what stands at \"" + pointer + "\", from which the list goes on, is neither a text nor a number");
    return *next;
}

/// The address that the answer to a page gives for the next.
std::string Fetch::address(const Job &job, const std::string &reference) const {
    if (reference.empty())
        return "";
    const std::optional<std::string> url = page_address(operation_, dispatcher_, job, reference);
    if (!url)
        fail("the list's next page is said to be elsewhere");
    return *url;
}

/// Whatever answers say, a list ends: no page is read twice, and pages without records come only so often.
void Fetch::turn_to(std::string &page, const std::string &next, const std::string &identity) {
    const PageSpec &spec = operation_.spec().next;
    const bool is_counted = spec.by == PageSpec::By::offset || spec.by == PageSpec::By::page;
    if (next.empty() && says_more_ && !is_counted)
        fail("the answer says that the list goes on, but not from where");
    if (next.empty())
        return;
    if (!seen_.insert(std::hash<std::string>()(identity)).second)
        fail("the list's next page is one that was read before");
    if (empty_pages_ > most_empty_pages || pages_ > most_pages)
        fail("the list does not end");
    page = next;
    more_ = true;
}

void Fetch::fail(const std::string &what) const {
    throw DestinationError(Fault::unintelligible, operation_.object().base_url + ": " + what,
                           operation_.request_line());
}

} // namespace reverse_etl
