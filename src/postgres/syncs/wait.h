#pragma once

#include <cstdint>
#include <string>

namespace reverse_etl {

/// Returns when every row that a run has queued has its outcome, and tells what became of the run. A bar shows how far
/// it is: in psql, and while reverse_etl.progress is on. Ends the transaction again and again, in the open connection
/// to SPI.
void wait_for_run(std::int64_t run, const std::string &sync);

/// Tells what has become of a run: a NOTICE, or a WARNING if not all rows got through.
void report_run(std::int64_t run, const std::string &sync);

} // namespace reverse_etl
