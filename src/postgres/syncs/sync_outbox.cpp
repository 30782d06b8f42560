#include "postgres/syncs/sync_outbox.h"

#include "postgres/border/border.h"

namespace reverse_etl {

SyncOutbox::SyncOutbox(const SyncDefinition &sync, std::int64_t run, const Destination &destination,
                       const SyncOperations &operations, MemoryContext context)
    : sync_(sync), destination_(destination), context_(context),
      tables_(sync, run, context), added_{operations.added, nullptr}, changed_{operations.changed, nullptr},
      removed_{operations.removed.value_or(PushPlan()), nullptr}, one_way_(operations.take_all_alike()) {}

SyncOutbox::Way &SyncOutbox::way_of(SyncRow::Change change) {
    if (change == SyncRow::Change::removed)
        return removed_;
    return change == SyncRow::Change::added || one_way_ ? added_ : changed_;
}

std::string SyncOutbox::send(const SyncRow &row, TupleTableSlot *made) {
    std::int64_t outbox_row;
    try {
        outbox_row = queue(way_of(row.change), made);
    } catch (const ValueRefused &refusal) {
        return refusal.what();
    }
    tables_.keep(row, outbox_row, row.attempts);
    return "";
}

std::int64_t SyncOutbox::queue(Way &way, TupleTableSlot *made) {
    if (way.enqueue == nullptr)
        way.enqueue = std::make_unique<Enqueue>(destination_, way.plan, "SYNC", sync_.owner, context_, sync_.id);
    RowAddress address(way.plan, made);
    return way.enqueue->add_or_refuse(made, address.values, address.nulls);
}

std::vector<std::int64_t> SyncOutbox::finish() {
    std::vector<std::int64_t> pushes;
    for (Way *way : {&added_, &changed_, &removed_})
        if (way->enqueue != nullptr) {
            way->enqueue->finish();
            pushes.push_back(way->enqueue->push());
        }
    tables_.finish();
    return pushes;
}

} // namespace reverse_etl
