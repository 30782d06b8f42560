#pragma once

#include "postgres/audit_log/rejected_rows.h"
#include "postgres/destinations/plan_records.h"
#include "postgres/outbox/writer.h"

namespace reverse_etl {

/// Takes the rows of one statement into the outbox, in the user's transaction.
class Enqueue {
  public:
    /// `user`: with whose rights and credentials the rows will leave.
    Enqueue(const Destination &destination, const PushPlan &plan, const char *statement, Oid user,
            MemoryContext context, int32 sync = 0);

    /// Adds a row, as Push::add() does. False if it cannot be sent: it is rejected now.
    bool add(TupleTableSlot *slot, const Datum *address, const bool *address_nulls);

    /// The same for whoever sees to rows that cannot be sent. The row's number in the outbox; throws ValueRefused.
    std::int64_t add_or_refuse(TupleTableSlot *slot, const Datum *address, const bool *address_nulls);

    /// Writes what is left and reports.
    void finish();

    /// In reverse_etl.audit_log.
    std::int64_t push() const { return push_id_; }

  private:
    std::int64_t write();
    void reject(const std::string &reason);

    const Destination &destination_;
    PlanRecords records_;
    std::int64_t push_id_;
    OutboxWriter writer_;

    std::uint64_t rows_ = 0, bytes_ = 0;
    std::vector<RejectedRow> rejections_;
    RejectionReport report_;
};

} // namespace reverse_etl
