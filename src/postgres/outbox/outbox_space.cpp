/// How an Outbox gives its space back.

#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/outbox/outbox.h"
#include "postgres/outbox/table.h"

extern "C" {
#include "catalog/namespace.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// Locks a table of rows, if that is free at once and no row is in it. Call inside pg_call.
bool lock_if_empty(Oid table, const char *name) {
    if (!ConditionalLockRelationOid(table, AccessExclusiveLock))
        return false;
    // Nobody writes now, so what is seen is all there is.
    PopActiveSnapshot();
    PushActiveSnapshot(GetLatestSnapshot());
    return sql::execute_once(psprintf("SELECT FROM ONLY reverse_etl_internal.%s LIMIT 1", name), {}) == 0;
}

} // namespace

bool Outbox::truncate_if_empty() {
    Oid table = table_oid(own);
    return pg_call([&] {
        const char *name = outbox_table_name(destination_);
        if (!OidIsValid(table) || !lock_if_empty(table, name))
            return false;
        sql::run(psprintf("TRUNCATE ONLY reverse_etl_internal.%s", name));
        return true;
    });
}

bool Outbox::drop_if_empty() {
    Oid table = table_oid(own);
    return pg_call([&] {
        if (!OidIsValid(table))
            return true;
        const char *name = outbox_table_name(destination_);
        if (!lock_if_empty(table, name))
            return false;
        sql::run(psprintf("ALTER EXTENSION reverse_etl DROP TABLE reverse_etl_internal.%s; "
                          "DROP TABLE reverse_etl_internal.%s",
                          name, name));
        return true;
    });
}

} // namespace reverse_etl
