#pragma once

#include "engine/queue/row_pack.h"
#include "postgres/destinations/push_plan.h"
#include "postgres/destinations/record_encoder.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// The rows of a plan as they are kept until they leave: a JSON object of what is sent, and one of what names the row.
class PlanRecords {
  public:
    /// The destination must outlive it; what is needed for a row is in the memory context.
    PlanRecords(const Destination &destination, const PushPlan &plan, MemoryContext context);

    /// Takes the values of a row, as gather_row() does.
    void gather(TupleTableSlot *slot, const Datum *address, const bool *address_nulls);
    /// Encodes them. Throws ValueRefused.
    void encode();
    /// What was encoded; the key is "" where nothing names the row.
    const std::string &row() const { return row_; }
    const std::string &key() const { return key_; }
    /// The same with the places of the values; valid until the next row.
    EncodedRow encoded() const { return {row_, key_, row_values_, key_values_, key_columns_}; }
    /// The same of what was gathered, where there has to be an object.
    std::string row_anyhow();
    std::string key_anyhow();

  private:
    void write_key_of_row();

    PushPlan plan_;
    std::vector<const DestinationColumn *> columns_;
    ColumnEncoders values_of_;
    RecordEncoder records_;
    MemoryContext scratch_;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
    /// Where among the columns those are that name the row, if the plan writes all of them.
    std::vector<std::size_t> key_columns_;
    std::string row_, key_;
    std::vector<ValuePlace> row_values_, key_values_;
};

} // namespace reverse_etl
