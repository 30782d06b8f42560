#include "postgres/outbox/sync_outcomes.h"

#include "postgres/border/sql.h"

#include <utility>

namespace reverse_etl {

namespace {

const char *name_of(SyncOutcomes::Outcome outcome) {
    switch (outcome) {
    case SyncOutcomes::Outcome::accepted:
        return "accepted";
    case SyncOutcomes::Outcome::rejected:
        return "rejected";
    case SyncOutcomes::Outcome::absent:
        return "absent";
    case SyncOutcomes::Outcome::unknown:
        return "unknown";
    case SyncOutcomes::Outcome::cancelled:
        break;
    }
    return "cancelled";
}

} // namespace

void SyncOutcomes::add(int32 sync, std::uint64_t outbox_row, Outcome outcome, bool in_doubt) {
    if (sync == 0)
        return;
    OfSync &of_sync = syncs_[sync];
    of_sync.rows.push_back(static_cast<int64>(outbox_row));
    of_sync.outcomes.emplace_back(name_of(outcome));
    if (in_doubt)
        of_sync.in_doubt.push_back(static_cast<int64>(outbox_row));
}

void SyncOutcomes::settle() {
    for (const auto &entry : std::exchange(syncs_, {}))
        pg_call([&] {
            sql::execute("SELECT reverse_etl_internal.settle_sync_rows($1, $2, $3, $4)",
                         {sql::int4(entry.first), sql::int8s(entry.second.rows), sql::texts(entry.second.outcomes),
                          sql::int8s(entry.second.in_doubt)});
        });
}

} // namespace reverse_etl
