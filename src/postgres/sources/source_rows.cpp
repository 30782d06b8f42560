#include "postgres/sources/source_rows.h"

#include "postgres/border/border.h"
#include "postgres/destinations/identity.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "miscadmin.h"
#include "storage/proc.h"
}

namespace reverse_etl {

namespace {

/// So many rows are read between two looks at the pages that are on their way.
constexpr std::uint64_t rows_between_looks = 256;

Policy policy_for(const Destination &destination, Oid user, PreviewedDestination *preview) {
    Policy policy = destination.policy;
    policy.rehearsal = preview;
    policy.account = destination.account(user);
    return policy;
}

/// Where the result's columns go.
std::vector<CellTarget> targets_of(const Destination &destination, const SourcePlan &plan, TupleDesc descriptor) {
    std::vector<CellTarget> targets;
    for (const AttrNumber attnum : plan.retrieved) {
        const DestinationColumn *column = destination.column(attnum);
        targets.push_back({column->name, attnum - 1, column->type, column->typmod});
    }
    for (std::size_t i = 0; i < plan.outputs.size(); i++) {
        const auto position = static_cast<int>(i);
        const DestinationColumn *column = destination.column(plan.outputs[i].column);
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor, position);
        targets.push_back(
            {column == nullptr ? "count" : column->name, position, attribute->atttypid, attribute->atttypmod});
    }
    return targets;
}

StatementSettings settings_of(const Destination &destination) {
    // The session ends it, too; where nobody can tell the source, it ends it by itself.
    std::chrono::seconds longest = destination.source.longest;
    if (StatementTimeout > 0)
        longest = std::min(longest, std::chrono::ceil<std::chrono::seconds>(Milliseconds(StatementTimeout)));
    return {destination.source.schema, "reverse_etl " + destination.name, longest};
}

} // namespace

SourceRows::SourceRows(const Destination &destination, const SourcePlan &plan, Oid user, SqlText sql,
                       TupleDesc descriptor, MemoryContext context, bool keeps)
    : name_(destination.name), source_(destination.source.statement),
      preview_(PreviewedDestination::of(destination.name, OperationKind::list)),
      policy_(policy_for(destination, user, preview_.get())), line_(source_line(policy_)),
      authenticator_(destination.authenticator(user)), sql_(std::move(sql)), attributes_(descriptor->natts),
      columns_(std::max<std::size_t>(plan.retrieved.size() + plan.outputs.size(), 1)),
      statistics_(destination.relation),
      cells_(destination.name, targets_of(destination, plan, descriptor), authenticator_->words(), context) {
    if (preview_ == nullptr)
        identity::refuse_copy();
    if (keeps)
        kept_ = std::make_unique<KeptRows>(descriptor, context);
    statement_ = std::make_unique<RecordedStatement>(*source_, *authenticator_, line_, sql_, settings_of(destination),
                                                     preview_ == nullptr ? destination.server : InvalidOid,
                                                     destination.relation, user);
    statement_->run().report_to(statistics_);
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
    while (row_ == page_.rows()) {
        row_ = 0;
        page_.clear(0);
        if (is_over_ || !next_page()) {
            is_over_ = true;
            return false;
        }
    }
    if (++read_ % rows_between_looks == 0)
        in_words([&] { statement_->run().go_on(); });
    std::fill_n(slot->tts_isnull, attributes_, true);
    cells_.read(page_, row_++, slot);
    statistics_.read();
    return true;
}

bool SourceRows::next_page() {
    bool is_there = false;
    in_words([&] {
        is_there = statement_->next_page(page_);
        const std::size_t found = statement_->run().columns().size();
        if (is_there && found != columns_)
            throw DestinationError(Fault::unintelligible, "the result has " + std::to_string(found) +
                                                              " columns, and was asked for " +
                                                              std::to_string(columns_));
    });
    return is_there;
}

template <class How>
void SourceRows::in_words(How &&how) {
    try {
        how();
    } catch (const DestinationError &error) {
        throw source_error(error, "could not read \"" + name_ + "\"", sql_.text);
    }
}

void SourceRows::close() {
    statement_.reset();
    is_over_ = true;
    if (kept_ != nullptr)
        kept_->close();
    kept_.reset();
}

} // namespace reverse_etl
