#include "postgres/background/due_syncs.h"

#include "postgres/border/border.h"
#include "postgres/border/sql.h"

namespace reverse_etl {

std::optional<int32> DueSyncs::claim() {
    sql::AsOwner owner;
    if (found_.empty())
        find();
    while (!found_.empty()) {
        int32 sync = found_.front();
        found_.pop_front();
        if (is_mine(sync))
            return sync;
    }
    return std::nullopt;
}

/// Those whose process died come last: it may be they that it died of.
void DueSyncs::find() {
    uint64 count = pg_call([&] {
        return sql::execute("SELECT s.id FROM reverse_etl_internal.syncs_to_run() AS t (id) "
                            "JOIN reverse_etl_internal.sync_definitions AS s USING (id) "
                            "WHERE s.owner::oid = $1 AND s.id <> ALL ($2) ORDER BY s.requested_at, s.id",
                            {sql::oid(role_), sql::int8s(left_out_)});
    });
    for (uint64 i = 0; i < count; i++)
        found_.push_back(pg_call([&] { return DatumGetInt32(sql::column(i, 1)); }));
}

/// Whoever is about to begin a run of it, or changes it, holds its row. Only who has the row may ask whether it is
/// still due: the question before may have been answered before another process began. And twice: a run may end after
/// the snapshot that shows it and before it is asked who works at it, and then looks as if its process had died.
bool DueSyncs::is_mine(int32 sync) const {
    auto is_due = [&] {
        return sql::execute("SELECT FROM reverse_etl_internal.syncs_to_run($1)", {sql::int4(sync)}) > 0;
    };
    return pg_call([&] {
        return sql::execute("SELECT FROM reverse_etl_internal.sync_definitions WHERE id = $1 AND owner::oid = $2 "
                            "FOR UPDATE SKIP LOCKED",
                            {sql::int4(sync), sql::oid(role_)}) > 0 &&
               is_due() && is_due();
    });
}

} // namespace reverse_etl
