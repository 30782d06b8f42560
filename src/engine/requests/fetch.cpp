#include "engine/requests/fetch.h"

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

} // namespace

void read_records(const CompiledOperation &operation, const Verdict &verdict, Answer &answer, RecordSink &sink) {
    if (verdict.action == Action::absent || verdict.action == Action::accept)
        return;
    const std::string &base_url = operation.object().base_url;
    if (verdict.action != Action::proceed)
        throw DestinationError(Fault::stopped, base_url + ": " + verdict.reason, operation.request_line());
    if (answer.says_nothing())
        return;
    auto records = answer.at(operation.spec().records);
    simdjson::dom::array several;
    const bool are_several = records && records->get(several) == simdjson::SUCCESS;
    const bool is_there = are_several || (records && (records->is_object() || records->is_null()));
    // Many leave the member out where there are none; a pointer that is wrong must not look like that.
    if (!is_there && (records || holds_records(*answer.at("")))) {
        std::string pointers;
        for (const std::string &pointer : operation.spec().records)
            pointers += (pointers.empty() ? "\"" : ", \"") + pointer + "\"";
        throw DestinationError(Fault::unintelligible, base_url + ": the answer holds no records at " + pointers,
                               operation.request_line());
    }
    if (are_several)
        for (simdjson::dom::element record : several)
            sink.record(record);
    else if (is_there && records->is_object())
        sink.record(*records);
}

Fetch::Fetch(const CompiledOperation &operation, Dispatcher &dispatcher, RecordSink &sink)
    : operation_(operation), dispatcher_(dispatcher), sink_(sink) {}

void Fetch::lookup(std::vector<Batch> batches) {
    for (Batch &batch : batches) {
        operation_.take_unreachable(batch);
        if (!batch.rows().empty())
            dispatcher_.submit(std::make_unique<Job>(std::move(batch)));
    }
    dispatcher_.run(*this);
}

bool Fetch::next_page() {
    if (!more_)
        return false;
    more_ = false;
    body_.prefix = operation_.page_body(cursor_);
    auto job = std::make_unique<Job>(Batch(body_));
    job->cursor = cursor_;
    job->url = url_;
    dispatcher_.submit(std::move(job));
    dispatcher_.run(*this);
    return true;
}

void Fetch::record(simdjson::dom::element record) {
    page_records_++;
    sink_.record(record);
}

void Fetch::settled(std::unique_ptr<Job>, const Verdict &verdict, Answer &answer) {
    page_records_ = 0;
    read_records(operation_, verdict, answer, *this);
    if (verdict.action == Action::proceed && !answer.says_nothing())
        find_next(answer);
}

void Fetch::find_next(Answer &answer) {
    const OperationSpec &spec = operation_.spec();
    pages_++;
    records_ += page_records_;
    empty_pages_ = page_records_ == 0 ? empty_pages_ + 1 : 0;
    if (spec.next_offset || spec.next_page) {
        // Only a page without records is surely the last. One that was there before comes from a destination that does
        // not turn pages this way.
        if (page_records_ > 0)
            turn_to(cursor_,
                    std::to_string(spec.next_page ? *spec.next_page + static_cast<std::int64_t>(pages_)
                                                  : *spec.next_offset + static_cast<std::int64_t>(records_)),
                    answer.response().body);
    } else if (!spec.next_cursor.empty()) {
        const std::string cursor = first_text(*answer.at(""), {spec.next_cursor});
        turn_to(cursor_, cursor, cursor);
    } else if (!spec.next_url.empty()) {
        const std::string url = absolute(first_text(*answer.at(""), {spec.next_url}));
        turn_to(url_, url, url);
    }
}

std::string Fetch::absolute(std::string url) const {
    const std::string &base = operation_.object().base_url;
    if (url.starts_with("/")) {
        // Relative to the origin, RFC 3986 section 4.2
        std::size_t host = base.find("://");
        url = base.substr(0, base.find('/', host + 3)) + url;
    }
    // The credentials go with the request: never to another host.
    url = dispatcher_.home_address(std::move(url));
    if (!url.empty() && !url.starts_with(base + "/") && !url.starts_with(base + "?"))
        fail("the list's next page is said to be elsewhere");
    return url;
}

/// Whatever answers say, a list ends: no page is read twice, and pages without records come only so often.
void Fetch::turn_to(std::string &page, const std::string &next, const std::string &identity) {
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
