#include "postgres/sync_tasks.h"

#include "postgres/sql.h"

namespace reverse_etl::sync_tasks {

namespace {

bool ask(const char *query) {
    return pg_call([&] {
        sql::execute(query, {});
        return DatumGetBool(sql::column(0, 1));
    });
}

} // namespace

bool are_there() {
    return ask("SELECT reverse_etl.has_sync_tasks()");
}

bool is_a_model_read() {
    return ask("SELECT EXISTS (SELECT FROM reverse_etl.runs WHERE status = 'reading')");
}

std::map<Oid, std::set<int32>> cancelled() {
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

} // namespace reverse_etl::sync_tasks
