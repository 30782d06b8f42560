/// What people see of packs, and change in them: control/install/20_outbox.sql.

#include "engine/queue/row_pack.h"
#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql_function.h"
#include "postgres/outbox/read_pack.h"
#include "postgres/outbox/removal.h"
#include "postgres/outbox/table.h"

#include <string>
#include <vector>

extern "C" {
#include "funcapi.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// reverse_etl_internal.unpacked(first_id bigint, pack bytea, OUT id bigint, OUT key json, OUT "row" json) returns
/// setof record
SQL_FUNCTION(reverse_etl_unpacked) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        const std::string_view pack = pg_call([&] { return outbox::pack_of(PG_GETARG_DATUM(1)); });
        const auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        PackedRows rows;
        std::string row, key;
        std::vector<ValuePlace> places;
        read_pack([&] {
            rows.begin(pack);
            while (rows.next()) {
                rows.write(row, key, places);
                pg_call([&] {
                    CHECK_FOR_INTERRUPTS();
                    Datum values[] = {Int64GetDatum(PG_GETARG_INT64(0) + static_cast<int64>(rows.distance())),
                                      key.empty() ? Datum{0} : text_datum(std::string_view(key)),
                                      text_datum(std::string_view(row))};
                    bool nulls[] = {false, key.empty(), false};
                    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
                });
            }
        });
    });
    return static_cast<Datum>(0);
}

/// reverse_etl_internal.unpack(destination oid, id bigint) returns void
SQL_FUNCTION(reverse_etl_unpack) {
    guard([&] {
        const Oid destination = PG_GETARG_OID(0);
        for (bool own : {false, true}) {
            const Oid table =
                pg_call([&] { return internal_relation(own ? outbox_table_name(destination) : "outbox"); });
            if (OidIsValid(table))
                unpack_rows(table, destination, {{PG_GETARG_INT64(1), no_place}});
        }
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
