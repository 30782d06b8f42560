/// What an account has got since a table was imported.

#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/found_columns.h"

#include <algorithm>
#include <memory>
#include <set>

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

void check_is_owner(Oid table) {
    const std::string name = relation_name(table);
    pg_call([&] {
        if (!compat::owns_relation(table, GetUserId()))
            aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_TABLE, to_server(name).c_str());
    });
}

/// Only who could alter the table may have it asked for, and one at a time: who comes second finds what the first has
/// added. Nobody who reads or writes waits meanwhile.
void lock_own_table(Oid table) {
    check_is_destination(table);
    check_is_owner(table);
    pg_call([&] {
        LockRelationOid(table, ShareUpdateExclusiveLock);
        own_locks::require_extension();
    });
    check_is_destination(table);
    check_is_owner(table);
}

/// How many columns the table has or had: one that was dropped keeps its place.
std::size_t places_taken(Oid table) {
    return pg_call([&] {
        HeapTuple relation = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
        if (!HeapTupleIsValid(relation))
            elog(ERROR, "cache lookup failed for relation %u", table);
        const int columns = reinterpret_cast<Form_pg_class>(GETSTRUCT(relation))->relnatts;
        ReleaseSysCache(relation);
        return static_cast<std::size_t>(columns);
    });
}

/// The columns that the table lacks, as it is now.
FoundColumns missing_columns(Oid table, const Destination &destination, std::vector<FoundField> &found) {
    std::set<std::string> fields;
    FreeNames names = names_of_columns();
    const std::size_t taken = places_taken(table);
    for (std::size_t place = 1; place <= taken; place++)
        names.take("........pg.dropped." + std::to_string(place) + "........"); // what Postgres calls it then
    for (const DestinationColumn &column : destination.columns) {
        fields.insert(column.field);
        names.take(column.name);
    }
    return found_columns(destination.object, found, std::move(fields), std::move(names),
                         most_columns - std::min(most_columns, taken));
}

/// As the caller, whose rights Postgres looks at once more.
void add_columns(const Destination &destination, const std::vector<TableColumn> &columns) {
    const std::string alter =
        "ALTER FOREIGN TABLE " + destination.sql_name + " " +
        joined(columns, ", ", [](const TableColumn &column) { return "ADD COLUMN " + column.definition; });
    struct Connection {
        Connection() {
            pg_call([] { SPI_connect(); });
        }
        ~Connection() { SPI_finish(); }
    } connection;
    pg_call([&] { sql::run(alter); });
    for (const TableColumn &column : columns)
        if (!column.comment.empty()) {
            const std::string comment = "COMMENT ON COLUMN " + destination.sql_name + "." + quoted_name(column.name) +
                                        " IS " + quoted_text(column.comment);
            pg_call([&] { sql::run(comment); });
        }
}

void put_column(FunctionCallInfo call, const TableColumn &column) {
    pg_call([&] {
        auto *rows = reinterpret_cast<ReturnSetInfo *>(call->resultinfo);
        Datum values[] = {text_datum(column.name), text_datum(column.type), text_datum(column.field)};
        bool nulls[3] = {};
        tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
    });
}

std::vector<FoundField> fields_of(const Destination &destination) {
    const std::shared_ptr<const Object> object(std::shared_ptr<const Object>(), &destination.object);
    const Oid role = GetUserId();
    std::vector<FoundField> fields;
    Account(destination.server, role, options_of_server(destination.server))
        .fields(
            {object}, [&](std::size_t, std::vector<FoundField> &found) { fields = std::move(found); },
            destination.authenticator(role));
    return fields;
}

} // namespace

/// reverse_etl.refresh_columns(destination regclass) returns setof ("column" text, type text, field text)
SQL_FUNCTION(reverse_etl_refresh_columns) {
    guard([&] {
        pg_call([&] {
            PreventCommandIfReadOnly("refresh_columns()");
            InitMaterializedSRF(fcinfo, 0);
        });
        const Oid table = PG_GETARG_OID(0);
        lock_own_table(table);
        const Destination destination(table);
        if (destination.object.discovery == nullptr)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                        "connector \"" + destination.object.connector + "\" cannot ask for the fields of \"" +
                            destination.object.name + "\"",
                        "", "A manifest says how in its member \"discover\".");
        std::vector<FoundField> found = fields_of(destination);
        const FoundColumns missing = missing_columns(table, destination, found);
        if (!missing.columns.empty())
            add_columns(destination, missing.columns);
        warn_of_left_out(destination.name, missing);
        for (const TableColumn &column : missing.columns)
            put_column(fcinfo, column);
    });
    return static_cast<Datum>(0);
}

} // namespace reverse_etl
