#include "postgres/syncs/guards.h"

#include "postgres/border/sql.h"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
}

namespace reverse_etl {

std::string exceeded_guard(const SyncDefinition &sync, std::optional<std::int64_t> run, std::int64_t known,
                           const SyncCounts &counts) {
    sql::AsOwner owner;
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.exceeded_guard($1, $2, $3, $4, $5, $6, $7)",
                     {sql::int4(sync.id),
                      {INT8OID, Int64GetDatum(run.value_or(0)), !run},
                      sql::int8(known),
                      sql::int8(counts.queried),
                      sql::int8(counts.changed),
                      sql::int8(counts.removed),
                      sql::int8(counts.invalid)});
    });
    return sql::printed_column(0, 1);
}

} // namespace reverse_etl
