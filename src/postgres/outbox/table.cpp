#include "postgres/outbox/table.h"

#include "postgres/border/border.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/outbox/outbox.h"

#include <cstring>

extern "C" {
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

outbox::Columns::Columns(Relation table) {
    static constexpr const char *names[column_count] = {
        "id",          "push",       "sync",        "destination", "operation",
        "enqueued_by", "deliver_as", "enqueued_at", "attempts",    "next_attempt_at",
        "key",         "row",        "pack"};
    for (int i = 0; i < column_count; i++)
        places_[i] = own_column(table, names[i]);
}

Datum outbox::pack_datum(std::string_view pack) {
    auto *value = static_cast<bytea *>(palloc(VARHDRSZ + pack.size()));
    SET_VARSIZE(value, VARHDRSZ + pack.size());
    std::memcpy(VARDATA(value), pack.data(), pack.size());
    return PointerGetDatum(value);
}

std::string_view outbox::pack_of(Datum value) {
    const bytea *pack = DatumGetByteaPP(value);
    return {VARDATA_ANY(pack), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(pack))};
}

Oid outbox_table_of(Oid destination) {
    Oid table = internal_relation(outbox_table_name(destination));
    if (!OidIsValid(table))
        table = internal_relation("outbox");
    if (!OidIsValid(table))
        elog(ERROR, "table reverse_etl_internal.outbox does not exist");
    return table;
}

const char *outbox_table_name(Oid destination) {
    return psprintf("outbox_%u", destination);
}

void Outbox::make_table() {
    pg_call([&] {
        const char *name = outbox_table_name(destination_);
        if (OidIsValid(internal_relation(name)))
            return;
        // A part of the extension: it goes with it, and no dump holds it.
        const char *statements = psprintf(R"(
            CREATE TABLE reverse_etl_internal.%s () INHERITS (reverse_etl_internal.outbox)
                WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                      autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);
            CREATE UNIQUE INDEX %s_destination_id ON reverse_etl_internal.%s (destination, id);
            ALTER TABLE reverse_etl_internal.%s REPLICA IDENTITY USING INDEX %s_destination_id;
            REVOKE USAGE ON TYPE reverse_etl_internal.%s FROM PUBLIC;
            ALTER EXTENSION reverse_etl ADD TABLE reverse_etl_internal.%s)",
                                          name, name, name, name, name, name, name);
        sql::run(statements);
    });
}

} // namespace reverse_etl
