#include "postgres/outbox_table.h"

#include "postgres/own_column.h"

extern "C" {
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

outbox::Columns::Columns(Relation table) {
    static constexpr const char *names[column_count] = {
        "id",         "push",        "sync",     "destination",     "operation", "enqueued_by",
        "deliver_as", "enqueued_at", "attempts", "next_attempt_at", "key",       "row"};
    for (int i = 0; i < column_count; i++)
        places_[i] = own_column(table, names[i]);
}

Oid outbox_table_of(Oid destination) {
    Oid schema = get_namespace_oid("reverse_etl", false);
    Oid table = get_relname_relid(outbox_table_name(destination), schema);
    if (!OidIsValid(table))
        table = get_relname_relid("outbox", schema);
    if (!OidIsValid(table))
        elog(ERROR, "table reverse_etl.outbox does not exist");
    return table;
}

const char *outbox_table_name(Oid destination) {
    return psprintf("outbox_%u", destination);
}

} // namespace reverse_etl
