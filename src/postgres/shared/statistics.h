#pragma once

#include "engine/requests/request_observer.h"
#include "engine/text/latency_histogram.h"
#include "postgres/shared/shared_memory.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl {

namespace statistics {

/// Of how many destinations the cluster keeps statistics. What comes when all places are taken is not counted, unless
/// some belong to tables that were dropped.
constexpr std::size_t places = 1024;

enum Counter {
    rows_accepted,
    rows_rejected,
    rows_read,
    rows_coalesced,
    requests,
    retries,
    throttled,
    connections_opened,
    connections_reused,
    bytes_sent,
    bytes_received,
    bytes_uncompressed,
    counters ///< how many there are
};

/// One destination's place. Whoever counts adds to it without a lock; who reads sees each number as it is just then.
struct Place {
    std::atomic<std::uint64_t> counts[counters];
    std::atomic<std::uint64_t> latency[latency_histogram::buckets];
    std::atomic<std::int64_t> waiting_rows, waiting_bytes; ///< in the outbox: a level, which no reset changes
    std::atomic<TimestampTz> last_accepted_at, reset_at;   ///< 0: never
};

/// What a place holds at one moment.
struct Numbers {
    Oid destination;
    std::array<std::uint64_t, counters> counts;
    std::array<std::uint64_t, latency_histogram::buckets> latency;
    std::int64_t waiting_rows, waiting_bytes;
    TimestampTz last_accepted_at, reset_at;
};

/// Those of this database that the current role may see: who has any privilege on a table may see its statistics, and
/// members of pg_read_all_stats see all.
std::vector<Numbers> visible();

/// Starts anew to count one destination of this database, or all of them (InvalidOid).
void reset(Oid destination);

extern shared_memory::Part shared;

} // namespace statistics

/// Counts what becomes of one destination's rows and requests, for reverse_etl.stat_destinations. It is never written
/// to a table, so it works in read-only transactions and stays after a rollback. Rows are gathered and added up with
/// each answer. Nothing but the constructor can raise, and only that needs a transaction.
class Statistics : public RequestObserver {
  public:
    /// An invalid destination: nothing is counted.
    explicit Statistics(Oid destination);
    ~Statistics() override { add_rows(); }
    Statistics(const Statistics &) = delete;
    Statistics &operator=(const Statistics &) = delete;

    void accepted() { accepted_++; }
    void rejected() { rejected_++; }
    void read() { read_++; }
    void coalesced(std::uint64_t rows);
    /// Rows and bytes that came into the outbox, or left it (negative).
    void add_waiting(std::int64_t rows, std::int64_t bytes);
    /// Rows and bytes that wait, as far as is known; never negative.
    std::pair<std::int64_t, std::int64_t> waiting() const;
    /// What add_waiting() has come to: negative where more left than was counted.
    std::pair<std::int64_t, std::int64_t> counted() const;
    /// Corrects what was counted() before somebody looked by what they `found` then. Who queues or takes rows meanwhile
    /// is not overwritten.
    void correct_waiting(std::pair<std::int64_t, std::int64_t> counted, std::pair<std::int64_t, std::int64_t> found);

    /// Adds up the rows that were gathered.
    void add_rows();

    void sent(std::size_t rows, bool again) override;
    void answered(std::size_t rows, const Response &response, const Verdict &verdict) override;

  private:
    void add(statistics::Counter counter, std::uint64_t number);

    statistics::Place *place_; ///< nullptr: nothing is counted, or there was none left
    std::uint64_t accepted_ = 0, rejected_ = 0, read_ = 0;
};

} // namespace reverse_etl
