#include "postgres/sources/source_rows.h"

#include "postgres/border/border.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

/// Where the result's columns go.
std::vector<CellTarget> targets_of(const Destination &destination, const SourcePlan &plan, TupleDesc descriptor) {
    std::vector<CellTarget> targets = cells_of(destination, plan.retrieved);
    for (std::size_t i = 0; i < plan.outputs.size(); i++) {
        const auto position = static_cast<int>(i);
        const DestinationColumn *column = destination.column(plan.outputs[i].column);
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor, position);
        targets.push_back(
            {column == nullptr ? "count" : column->name, position, attribute->atttypid, attribute->atttypmod});
    }
    return targets;
}

} // namespace

SourceRows::SourceRows(const Destination &destination, const SourcePlan &plan, Oid user, SqlText sql,
                       TupleDesc descriptor, MemoryContext context, bool keeps)
    : caller_(destination, user),
      result_(caller_, std::move(sql), std::max<std::size_t>(plan.retrieved.size() + plan.outputs.size(), 1)),
      attributes_(descriptor->natts),
      cells_(destination.name, targets_of(destination, plan, descriptor), caller_.words(), context) {
    if (keeps)
        kept_ = std::make_unique<KeptRows>(descriptor, context);
}

bool SourceRows::next(Reader &reader, TupleTableSlot *slot) {
    if (kept_ != nullptr && kept_->next(reader, slot)) {
        pg_call([&] { ExecStoreVirtualTuple(slot); });
        return true;
    }
    if (!read(slot))
        return false;
    pg_call([&] { ExecStoreVirtualTuple(slot); });
    if (kept_ != nullptr)
        kept_->add(slot, reader);
    return true;
}

bool SourceRows::read(TupleTableSlot *slot) {
    if (!result_.next())
        return false;
    std::fill_n(slot->tts_isnull, attributes_, true);
    cells_.read(result_.page(), result_.row(), slot);
    caller_.statistics().read();
    return true;
}

void SourceRows::close() {
    result_.close();
    if (kept_ != nullptr)
        kept_->close();
    kept_.reset();
}

} // namespace reverse_etl
