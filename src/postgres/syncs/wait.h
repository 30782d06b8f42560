#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace reverse_etl {

/// A line every two seconds that shows how far a run is, less often while nothing changes: in psql, and while
/// reverse_etl.progress is on. In the open connection to SPI.
class RunBars {
  public:
    RunBars(std::int64_t run, std::string sync);
    void show_if_due();
    /// Milliseconds until the next one.
    long until_due_ms() const;

  private:
    using Clock = std::chrono::steady_clock;
    std::int64_t run_;
    std::string sync_;
    Clock::time_point began_, next_;
    std::chrono::seconds pause_;
    std::optional<std::pair<std::int64_t, std::string>> shown_; ///< rows that wait, and the trouble
};

/// Returns when every row that a run has queued has its outcome, and shows how far it is. Ends the transaction again
/// and again, in the open connection to SPI.
void wait_for_run(std::int64_t run, const std::string &sync);

/// Tells what has become of a run: a NOTICE, or a WARNING if not all rows got through.
void report_run(std::int64_t run, const std::string &sync);

} // namespace reverse_etl
