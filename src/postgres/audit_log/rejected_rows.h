#pragma once

#include "postgres/audit_log/push_record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A row that the destination did not take, or that could not be sent. The objects are JSON, in UTF-8, as they were or
/// were to be sent.
struct RejectedRow {
    std::uint64_t number;
    std::string key; ///< the columns that name the row; "" where it is the row itself that does
    std::string row; ///< the columns that were to be sent
    std::string reason;
    long status; ///< of HTTP; 0: the row was not sent, or had no answer
};

/// The rows as JSON texts of a bounded size, each an array, in UTF-8: so they go to the worker, too. The rows' own JSON
/// is a string there, for it may hold what no function of Postgres takes.
std::vector<std::string> rejected_rows_json(const std::vector<RejectedRow> &rows);

/// Adds such a text to reverse_etl.rejected_rows. Whoever calls it has a transaction and the rights: the worker, or a
/// session as the owner.
void insert_rejected_rows(std::int64_t push_id, const PushRecord &push, std::string_view rows);

/// Where rejected rows are to be found, for people.
inline constexpr const char *where_rejected_rows_are =
    "The rejected rows and their reasons are in reverse_etl.rejected_rows.";

/// Counts the rows that a statement had rejected, for the one WARNING at its end.
class RejectionReport {
  public:
    void add(const std::string &reason);
    std::uint64_t rows() const { return rows_; }
    /// Warns if rows were added since the last time.
    void warn(const std::string &destination, std::uint64_t of_rows);

  private:
    std::uint64_t rows_ = 0, reported_ = 0;
    std::vector<std::string> first_reasons_;
};

} // namespace reverse_etl
