#include "postgres/rejected_rows.h"

#include "postgres/border.h"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// A row as JSON, of which the named columns are kept. It runs as the user: a user's own type may have a cast to json,
/// and with it a user's own function, which to_json calls. A json column may hold the one character that jsonb cannot.
constexpr const char *to_json = R"(
    SELECT COALESCE(pg_catalog.jsonb_object_agg(key, value), '{}')
      FROM pg_catalog.jsonb_each(
           pg_catalog.replace(pg_catalog.to_json($1)::pg_catalog.text, E'\\u0000', '?')::pg_catalog.jsonb)
     WHERE key OPERATOR(pg_catalog.=) ANY ($2))";

/// It runs as the table's owner, and nothing in it is the user's.
constexpr const char *insert = R"(
    INSERT INTO reverse_etl.rejected_rows
           (destination, operation, row_number, "row", reason, http_status, statement_at, rejected_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))";

Oid owner_of_table() {
    Oid table = get_relname_relid("rejected_rows", get_namespace_oid("reverse_etl", false));
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "table reverse_etl.rejected_rows does not exist");
    Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

Datum text_array(const std::vector<std::string> &texts) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * texts.size()));
    for (std::size_t i = 0; i < texts.size(); i++)
        elements[i] = CStringGetTextDatum(texts[i].c_str());
    return PointerGetDatum(construct_array(elements, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

SPIPlanPtr prepare(const char *query, int count, Oid *types) {
    SPIPlanPtr plan = SPI_prepare(query, count, types);
    if (plan == nullptr)
        elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
    return plan;
}

/// The rows as jsonb, which lives until SPI_finish.
Datum *as_json(TupleDesc descriptor, const std::vector<std::string> &columns, const std::vector<RejectedRow> &rows) {
    Oid types[] = {descriptor->tdtypeid, TEXTARRAYOID};
    SPIPlanPtr plan = prepare(to_json, 2, types);
    Datum names = text_array(columns);
    auto *json = static_cast<Datum *>(palloc(sizeof(Datum) * rows.size()));
    for (std::size_t i = 0; i < rows.size(); i++) {
        HeapTuple tuple = heap_tuple_from_minimal_tuple(rows[i].tuple);
        Datum values[] = {heap_copy_tuple_as_datum(tuple, descriptor), names};
        bool is_null = false;
        if (SPI_execute_plan(plan, values, nullptr, false, 0) != SPI_OK_SELECT)
            elog(ERROR, "could not make JSON of a rejected row");
        json[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    }
    return json;
}

} // namespace

void store_rejected_rows(const std::string &destination, const char *operation, TupleDesc descriptor,
                         const std::vector<std::string> &columns, const std::vector<RejectedRow> &rows) {
    pg_call([&] {
        Oid user;
        int security_context;
        GetUserIdAndSecContext(&user, &security_context);
        Datum role = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(user, false)));
        SPI_connect();
        const Datum *json = as_json(descriptor, columns, rows);
        // Nobody is granted to write into the table; its owner writes, as with referential actions. An abort restores
        // the user.
        SetUserIdAndSecContext(owner_of_table(), security_context | SECURITY_LOCAL_USERID_CHANGE);
        Oid types[] = {TEXTOID, TEXTOID, INT8OID, JSONBOID, TEXTOID, INT4OID, TIMESTAMPTZOID, NAMEOID};
        SPIPlanPtr plan = prepare(insert, 8, types);
        for (std::size_t i = 0; i < rows.size(); i++) {
            const RejectedRow &row = rows[i];
            Datum values[] = {CStringGetTextDatum(destination.c_str()),
                              CStringGetTextDatum(operation),
                              Int64GetDatum(static_cast<int64>(row.number)),
                              json[i],
                              CStringGetTextDatum(row.reason.c_str()),
                              Int32GetDatum(static_cast<int32>(row.status)),
                              TimestampTzGetDatum(GetCurrentStatementStartTimestamp()),
                              role};
            char nulls[] = {' ', ' ', ' ', ' ', ' ', row.status == 0 ? 'n' : ' ', ' ', ' '};
            if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
                elog(ERROR, "could not insert into reverse_etl.rejected_rows");
        }
        SPI_finish();
        SetUserIdAndSecContext(user, security_context);
    });
}

} // namespace reverse_etl
