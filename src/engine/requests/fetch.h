#pragma once

#include "engine/requests/dispatcher.h"

#include <string>
#include <unordered_set>
#include <vector>

namespace reverse_etl {

/// Takes the records that a read brings. A record is valid only during the call.
class RecordSink {
  public:
    virtual ~RecordSink() = default;
    virtual void record(simdjson::dom::element record) = 0;
};

/// Hands over the records that the answer to a read holds. Throws DestinationError.
void read_records(const CompiledOperation &operation, const Verdict &verdict, Answer &answer, RecordSink &sink);

/// Reads from a destination: look-ups by key, several at once, or a list, page by page. Throws DestinationError.
class Fetch : private JobHandler, private RecordSink {
  public:
    /// `filter`: what the requests of a list say of WHERE.
    Fetch(const CompiledOperation &operation, Dispatcher &dispatcher, RecordSink &sink, ListFilter filter = {});

    /// Reads the records that the batches' keys name. A key that the destination does not know brings none. Throws
    /// ValueRefused, before anything is sent, if one of them cannot be asked for.
    void lookup(std::vector<Batch> batches);

    /// Reads the next page of a list; false when there was none left to read.
    bool next_page();

    /// For a loop that serves several reads: the request of the next page waits to be started, and its answer is to be
    /// given to the handler. False when there was no page left to read.
    bool submit_page();
    JobHandler &handler() { return *this; }

  private:
    void record(simdjson::dom::element record) override;
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void find_next(const Job &job, Answer &answer);
    std::string next_number(std::int64_t total) const;
    std::string next_in(Answer &answer) const;
    std::string address(const Job &job, const std::string &reference) const;
    void turn_to(std::string &page, const std::string &next, const std::string &identity);
    [[noreturn]] void fail(const std::string &what) const;

    const CompiledOperation &operation_;
    Dispatcher &dispatcher_;
    RecordSink &sink_;
    const ListFilter filter_;
    BatchFrame body_; ///< of the page's request
    bool more_ = true;
    std::string cursor_, url_;
    std::string last_;                     ///< of the page's last record, what the list goes on from
    bool says_more_ = false;               ///< by its condition, the page's answer has another behind it
    std::unordered_set<std::size_t> seen_; ///< digests of what tells pages apart
    std::size_t pages_ = 0, records_ = 0, page_records_ = 0, empty_pages_ = 0;
};

} // namespace reverse_etl
