#pragma once

#include "postgres/border/postgres.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace reverse_etl {

/// The syncs of a role that are to be run and that nobody sees to, in the order in which they were asked for. What is
/// due is found out for many at once; each is looked at once more when its turn comes, for another process of the role
/// may have been faster. Call in a transaction, with an open connection to SPI.
class DueSyncs {
  public:
    explicit DueSyncs(Oid role) : role_(role) {}

    /// The next one, which is this process's until the end of the transaction: whoever else looks for one passes it
    /// by. Nothing if none is left.
    std::optional<int32> claim();
    /// Not again, in this process.
    void leave_out(int32 sync) { left_out_.push_back(sync); }

  private:
    void find();
    bool is_mine(int32 sync) const;

    Oid role_;
    std::deque<int32> found_;
    std::vector<std::int64_t> left_out_;
};

} // namespace reverse_etl
