#include "engine/fetch.h"

namespace reverse_etl {

void read_records(const CompiledOperation &operation, const Verdict &verdict, Answer &answer, RecordSink &sink) {
    if (verdict.action == Action::absent || verdict.action == Action::accept)
        return;
    if (verdict.action != Action::proceed)
        throw DestinationError(Fault::stopped, operation.object().base_url + ": " + verdict.reason,
                               operation.request_line());
    auto records = answer.at(operation.spec().records);
    if (!records)
        throw DestinationError(Fault::unintelligible,
                               operation.object().base_url + ": the answer holds no records at \"" +
                                   operation.spec().records + "\"",
                               operation.request_line());
    simdjson::dom::array several;
    if (records->get(several) == simdjson::SUCCESS) {
        for (simdjson::dom::element record : several)
            sink.record(record);
    } else if (records->is_object()) {
        sink.record(*records);
    }
}

Fetch::Fetch(const CompiledOperation &operation, Dispatcher &dispatcher, RecordSink &sink)
    : operation_(operation), dispatcher_(dispatcher), sink_(sink) {}

void Fetch::lookup(std::vector<Batch> batches) {
    for (Batch &batch : batches)
        if (!operation_.path_names_row() || operation_.path_reaches_row(batch))
            dispatcher_.submit(std::make_unique<Job>(std::move(batch)));
    dispatcher_.run(*this);
}

bool Fetch::next_page() {
    if (!more_)
        return false;
    more_ = false;
    auto job = std::make_unique<Job>(Batch(no_frame_));
    job->cursor = cursor_;
    job->url = url_;
    dispatcher_.submit(std::move(job));
    dispatcher_.run(*this);
    return true;
}

void Fetch::settled(std::unique_ptr<Job>, const Verdict &verdict, Answer &answer) {
    read_records(operation_, verdict, answer, sink_);
    if (verdict.action == Action::proceed)
        find_next(answer);
}

void Fetch::find_next(Answer &answer) {
    const OperationSpec &spec = operation_.spec();
    if (!spec.next_cursor.empty()) {
        auto root = answer.at("");
        std::string cursor = first_text(*root, {spec.next_cursor});
        turn_to(cursor_, cursor);
    }
    if (!spec.next_url.empty()) {
        auto root = answer.at("");
        std::string url = first_text(*root, {spec.next_url});
        const std::string &base = operation_.object().base_url;
        if (url.starts_with("/")) {
            // Relative to the origin, RFC 3986 section 4.2
            std::size_t host = base.find("://");
            url = base.substr(0, base.find('/', host + 3)) + url;
        }
        // The credentials go with the request: never to another host.
        if (!url.empty() && !url.starts_with(base + "/"))
            throw DestinationError(Fault::unintelligible, base + ": the list's next page is said to be elsewhere",
                                   operation_.request_line());
        turn_to(url_, url);
    }
}

void Fetch::turn_to(std::string &page, const std::string &next) {
    if (!next.empty() && next == page)
        throw DestinationError(Fault::unintelligible,
                               operation_.object().base_url + ": the list's next page is the page itself",
                               operation_.request_line());
    page = next;
    more_ = !page.empty();
}

} // namespace reverse_etl
