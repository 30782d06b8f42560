#include "postgres/syncs/definition.h"

#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/schema_version.h"
#include "postgres/border/sql.h"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

constexpr const char *columns =
    "id, name, owner::pg_catalog.oid, query, search_path, destination::pg_catalog.oid, key, "
    "columns, mode, on_missing, cursor_column, cursor_value, backfill, has_run, may_remove, max_attempts, "
    "key_types::pg_catalog.oid[], "
    "ARRAY(SELECT reverse_etl_internal.equality_of(t.type, t.form) FROM ROWS FROM (pg_catalog.unnest(key_types), "
    "pg_catalog.unnest(key_forms)) WITH ORDINALITY AS t (type, form, place) ORDER BY place), key_forms, "
    "change_detection OPERATOR(pg_catalog.=) 'source'";

std::string text_of(int number) {
    return sql::printed_column(0, number);
}

SyncDefinition read() {
    SyncDefinition sync;
    auto array = [](int number) { return sql::column(0, number); };
    bool has_no_cursor = false;
    pg_call([&] {
        sync.id = DatumGetInt32(sql::column(0, 1));
        sync.owner = DatumGetObjectId(sql::column(0, 3));
        sync.destination = DatumGetObjectId(sql::column(0, 6));
        sql::column(0, 12, &has_no_cursor);
        sync.backfill = DatumGetBool(sql::column(0, 13));
        sync.has_run = DatumGetBool(sql::column(0, 14));
        sync.may_remove = DatumGetBool(sql::column(0, 15));
        sync.max_attempts = DatumGetInt32(sql::column(0, 16));
        sync.at_source = DatumGetBool(sql::column(0, 20));
    });
    sync.name = text_of(2);
    sync.query = text_of(4);
    sync.search_path = text_of(5);
    sync.key = texts_of(array(7));
    sync.key_types = oids_of(array(17));
    sync.columns = texts_of(array(8));
    sync.mode = mode_named(text_of(9));
    sync.on_missing = text_of(10);
    sync.cursor_column = text_of(11);
    sync.key_equality = texts_of(array(18));
    sync.key_forms = texts_of(array(19));
    if (!has_no_cursor)
        sync.cursor_value = text_of(12);
    return sync;
}

} // namespace

SyncDefinition find_sync(const std::string &name) {
    check_version();
    AsMachine machine;
    uint64 count = pg_call([&] {
        return sql::execute(
            psprintf("SELECT %s FROM reverse_etl_internal.sync_definitions WHERE name OPERATOR(pg_catalog.=) $1 "
                     "AND pg_catalog.pg_has_role(owner, 'USAGE')",
                     columns),
            {sql::text(name)});
    });
    if (count == 0)
        throw Error(ERRCODE_UNDEFINED_OBJECT, "sync \"" + name + "\" does not exist", "",
                    "reverse_etl.syncs lists those that you own.");
    return read();
}

SyncDefinition find_sync(int32 id) {
    check_version();
    AsMachine machine;
    uint64 count = pg_call([&] {
        return sql::execute(
            psprintf("SELECT %s FROM reverse_etl_internal.sync_definitions WHERE id OPERATOR(pg_catalog.=) $1",
                     columns),
            {sql::int4(id)});
    });
    if (count == 0)
        throw Error(ERRCODE_UNDEFINED_OBJECT, "sync " + std::to_string(id) + " does not exist");
    return read();
}

void lock_destination(const SyncDefinition &sync) {
    bool exists = pg_call([&] {
        LockRelationOid(sync.destination, AccessShareLock);
        return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(sync.destination));
    });
    if (!exists)
        throw Error(ERRCODE_UNDEFINED_TABLE, "the destination of sync \"" + sync.name + "\" does not exist any more",
                    "", "Drop the sync, and make it anew for another destination.");
}

namespace {

/// Call inside pg_call.
Oid table_of_rows(const SyncDefinition &sync) {
    return internal_relation(psprintf("sync_%d_rows", sync.id));
}

} // namespace

bool begin_streaming(const SyncDefinition &sync) {
    return pg_call([&] {
        Oid table = table_of_rows(sync);
        LockRelationOid(table, RowExclusiveLock);
        return table == table_of_rows(sync);
    });
}

void hold_streams(const SyncDefinition &sync) {
    pg_call([&] {
        Oid table = table_of_rows(sync);
        LOCKTAG tag;
        SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
        // A transaction that stays open keeps the run waiting, and no other stream.
        WaitForLockers(tag, ShareLock, false);
        LockRelationOid(table, ShareLock);
    });
}

} // namespace reverse_etl
