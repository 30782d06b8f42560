#include "postgres/background/sync_tasks.h"

#include "postgres/border/compat.h"
#include "postgres/border/sql.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace reverse_etl {

namespace {

std::map<Oid, std::set<int32>> cancelled_syncs() {
    uint64 count = pg_call([] {
        return sql::execute(
            "SELECT s.destination::oid, s.id FROM reverse_etl.runs AS r "
            "JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id WHERE r.status = 'cancelling'",
            {});
    });
    std::map<Oid, std::set<int32>> found;
    for (uint64 i = 0; i < count; i++) {
        Oid destination = pg_call([&] { return DatumGetObjectId(sql::column(i, 1)); });
        found[destination].insert(pg_call([&] { return DatumGetInt32(sql::column(i, 2)); }));
    }
    return found;
}

/// A role with a limit of connections, or without the right to connect, has its work done by a process that is
/// connected otherwise; before 17 one that may not log in, too.
std::vector<sync_runners::Owner> owners_of_tasks() {
    uint64 count = pg_call([] {
        return sql::execute(R"(
            SELECT s.owner::oid,
                   COALESCE(bool_and((rolcanlogin OR $1) AND rolconnlimit < 0 AND datconnlimit < 0
                                     AND has_database_privilege(r.oid, d.oid, 'CONNECT')), false)
              FROM (SELECT id FROM reverse_etl_internal.syncs_to_run() AS id
                    UNION
                    SELECT sync_id FROM reverse_etl.alerts
                     WHERE pushed_at IS NULL AND push_to IS NOT NULL AND created_at > now() - interval '1 day') AS t
              JOIN reverse_etl_internal.sync_definitions AS s USING (id)
              JOIN pg_database AS d ON datname = current_database()
              LEFT JOIN pg_roles AS r ON r.oid = s.owner::oid
             GROUP BY s.owner::oid)",
                            {{BOOLOID, BoolGetDatum(compat::any_role != 0)}});
    });
    std::vector<sync_runners::Owner> found;
    for (uint64 i = 0; i < count; i++)
        found.push_back(pg_call([&] {
            return sync_runners::Owner{DatumGetObjectId(sql::column(i, 1)), DatumGetBool(sql::column(i, 2))};
        }));
    return found;
}

} // namespace

// Asked whenever rows were queued: in one question, as long as the answer is no.
SyncTasks SyncTasks::find() {
    SyncTasks tasks;
    bool any_cancelled = false, any_for_runners = false;
    pg_call([&] {
        sql::execute(R"(
            SELECT reverse_etl_internal.has_sync_tasks(),
                   EXISTS (SELECT FROM reverse_etl.runs WHERE status = 'reading')
                   OR EXISTS (SELECT FROM reverse_etl_internal.straight_runs),
                   EXISTS (SELECT FROM reverse_etl.runs WHERE status = 'cancelling'))",
                     {});
        any_for_runners = DatumGetBool(sql::column(0, 1));
        tasks.is_model_read = DatumGetBool(sql::column(0, 2));
        any_cancelled = DatumGetBool(sql::column(0, 3));
    });
    if (any_for_runners)
        tasks.owners = owners_of_tasks();
    if (any_cancelled)
        tasks.cancelled = cancelled_syncs();
    return tasks;
}

} // namespace reverse_etl
