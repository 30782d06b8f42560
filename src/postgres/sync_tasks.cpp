#include "postgres/sync_tasks.h"

#include "postgres/sql.h"

namespace reverse_etl {

namespace {

std::map<Oid, std::set<int32>> cancelled_syncs() {
    uint64 count = pg_call([] {
        return sql::execute("SELECT s.destination::oid, s.id FROM reverse_etl.runs AS r "
                            "JOIN reverse_etl.sync_definitions AS s ON s.id = r.sync_id WHERE r.status = 'cancelling'",
                            {});
    });
    std::map<Oid, std::set<int32>> found;
    for (uint64 i = 0; i < count; i++) {
        Oid destination = pg_call([&] { return DatumGetObjectId(sql::column(i, 1)); });
        found[destination].insert(pg_call([&] { return DatumGetInt32(sql::column(i, 2)); }));
    }
    return found;
}

} // namespace

// Asked whenever rows were queued: in one question, as long as the answer is no.
SyncTasks SyncTasks::find() {
    SyncTasks tasks;
    bool any_cancelled = false;
    pg_call([&] {
        sql::execute(R"(
            SELECT reverse_etl.has_sync_tasks(),
                   EXISTS (SELECT FROM reverse_etl.runs WHERE status = 'reading'),
                   EXISTS (SELECT FROM reverse_etl.runs WHERE status = 'cancelling'))",
                     {});
        tasks.for_runner = DatumGetBool(sql::column(0, 1));
        tasks.is_model_read = DatumGetBool(sql::column(0, 2));
        any_cancelled = DatumGetBool(sql::column(0, 3));
    });
    if (any_cancelled)
        tasks.cancelled = cancelled_syncs();
    return tasks;
}

} // namespace reverse_etl
