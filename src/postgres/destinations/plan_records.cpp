#include "postgres/destinations/plan_records.h"

#include "postgres/border/border.h"

namespace reverse_etl {

PlanRecords::PlanRecords(const Destination &destination, const PushPlan &plan, MemoryContext context)
    : plan_(plan), columns_(columns_of(destination, plan)), values_of_(destination, columns_),
      records_(values_of_, columns_),
      scratch_(pg_call([&] { return AllocSetContextCreate(context, "reverse_etl row", ALLOCSET_SMALL_SIZES); })),
      values_(columns_.size()), nulls_(std::make_unique<bool[]>(columns_.size())) {
    if (plan.address.empty())
        key_columns_ = positions_of_key(destination, columns_);
}

void PlanRecords::gather(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    gather_row(plan_, slot, address, address_nulls, values_.data(), nulls_.get());
}

void PlanRecords::encode() {
    values_of_.set(values_.data(), nulls_.get());
    std::size_t written = plan_.written.size();
    row_.clear();
    key_.clear();
    row_values_.clear();
    key_values_.clear();
    records_.encode(0, written, row_, scratch_);
    for (std::size_t i = 0; i < written; i++)
        row_values_.push_back(records_.value(i));
    if (!plan_.address.empty()) {
        records_.encode(written, columns_.size(), key_, scratch_);
        for (std::size_t i = written; i < columns_.size(); i++)
            key_values_.push_back(records_.value(i));
    } else if (!key_columns_.empty()) {
        write_key_of_row();
    }
}

/// The columns of the row that name it, as an object of their own.
void PlanRecords::write_key_of_row() {
    key_ += '{';
    for (std::size_t column : key_columns_) {
        auto [begin, end] = records_.member(column);
        if (key_.size() > 1)
            key_ += ',';
        key_.append(row_, begin, end - begin);
        const ValuePlace value = row_values_[column];
        const auto key_end = static_cast<std::uint32_t>(key_.size());
        key_values_.push_back({key_end - (value.end - value.begin), key_end});
    }
    key_ += '}';
}

std::string PlanRecords::row_anyhow() {
    std::string row;
    records_.encode_anyhow(values_.data(), nulls_.get(), 0, plan_.written.size(), row, scratch_);
    return row;
}

std::string PlanRecords::key_anyhow() {
    std::string key;
    if (!plan_.address.empty())
        records_.encode_anyhow(values_.data(), nulls_.get(), plan_.written.size(), columns_.size(), key, scratch_);
    return key;
}

} // namespace reverse_etl
