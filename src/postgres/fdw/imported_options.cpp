/// Of a hook: no object with a destructor lives here.

#include "postgres/fdw/imported_options.h"

#include "postgres/fdw/import_comments.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
}

namespace reverse_etl::imported_options {

namespace {

void write_one(Relation attributes, CatalogIndexState indexes, HeapTuple attribute, List *options, Oid validator) {
    Datum values[Natts_pg_attribute] = {};
    bool nulls[Natts_pg_attribute] = {}, replaces[Natts_pg_attribute] = {};
    values[Anum_pg_attribute_attfdwoptions - 1] =
        transformGenericOptions(AttributeRelationId, PointerGetDatum(nullptr), options, validator);
    replaces[Anum_pg_attribute_attfdwoptions - 1] = true;
    HeapTuple changed = heap_modify_tuple(attribute, RelationGetDescr(attributes), values, nulls, replaces);
    CatalogTupleUpdateWithInfo(attributes, &changed->t_self, changed, indexes);
    heap_freetuple(changed);
}

} // namespace

List *take(PlannedStmt *statement, bool read_only_tree, ProcessUtilityContext context) {
    if (context != PROCESS_UTILITY_SUBCOMMAND || read_only_tree || !IsA(statement->utilityStmt, CreateForeignTableStmt))
        return NIL;
    auto *table = castNode(CreateForeignTableStmt, statement->utilityStmt);
    const ForeignServer *server = GetForeignServerByName(table->servername, true);
    if (server == nullptr || !import_comments::is_imported_from(server->serverid))
        return NIL;
    List *options = NIL;
    ListCell *cell;
    foreach (cell, table->base.tableElts) {
        auto *column = lfirst_node(ColumnDef, cell);
        options = lappend(options, column->fdwoptions);
        column->fdwoptions = NIL;
    }
    return options;
}

void write(PlannedStmt *statement, List *options) {
    auto *made = castNode(CreateForeignTableStmt, statement->utilityStmt);
    const Oid validator = GetForeignDataWrapper(GetForeignServerByName(made->servername, false)->fdwid)->fdwvalidator;
    CommandCounterIncrement(); // to see it
    const Oid table = RangeVarGetRelid(made->base.relation, NoLock, false);
    Relation attributes = table_open(AttributeRelationId, RowExclusiveLock);
    CatalogIndexState indexes = CatalogOpenIndexes(attributes);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
    ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTGreaterStrategyNumber, F_INT2GT, Int16GetDatum(0));
    SysScanDesc scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, nullptr, 2, keys);
    while (HeapTuple attribute = systable_getnext(scan)) {
        const AttrNumber number = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(attribute))->attnum;
        auto *of_column = number <= list_length(options) ? static_cast<List *>(list_nth(options, number - 1)) : NIL;
        if (of_column == NIL)
            continue;
        write_one(attributes, indexes, attribute, of_column, validator);
        InvokeObjectPostAlterHook(RelationRelationId, table, number);
    }
    systable_endscan(scan);
    CatalogCloseIndexes(indexes);
    table_close(attributes, RowExclusiveLock);
}

} // namespace reverse_etl::imported_options
