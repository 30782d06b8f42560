#include "postgres/fdw/fdw.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/injection_point.h"
#include "postgres/destinations/destination.h"
#include "postgres/fdw/modify_plan.h"
#include "postgres/fdw/relation_plan.h"

#include <algorithm>

extern "C" {
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/inherit.h"
#include "optimizer/pathnode.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

const char *verb(CmdType command) {
    return command == CMD_INSERT ? "INSERT" : command == CMD_UPDATE ? "UPDATE" : "DELETE";
}

[[noreturn]] void refuse_column(const Destination &destination, const DestinationColumn &column, CmdType command) {
    throw Error(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                "column \"" + column.name + "\" of destination \"" + destination.name + "\" cannot be written",
                column.writable ? std::string("The destination does not take it in ") + verb(command) + "."
                                : "The destination itself fills it.",
                command == CMD_INSERT ? "Name the columns to insert into, without this one." : "");
}

std::vector<AttrNumber> attnums_of(const std::vector<const DestinationColumn *> &columns) {
    std::vector<AttrNumber> attnums;
    attnums.reserve(columns.size());
    for (const DestinationColumn *column : columns)
        attnums.push_back(column->attnum);
    return attnums;
}

/// The columns named in a set of a range table entry.
std::vector<const DestinationColumn *> columns_in(const Destination &destination, const Bitmapset *set) {
    std::vector<const DestinationColumn *> columns;
    for (const DestinationColumn &column : destination.columns)
        if (bms_is_member(column.attnum - FirstLowInvalidHeapAttributeNumber, set))
            columns.push_back(&column);
    return columns;
}

bool has_row_trigger_before(const TriggerDesc *triggers, CmdType command) {
    if (triggers == nullptr)
        return false;
    return command == CMD_INSERT ? triggers->trig_insert_before_row : triggers->trig_update_before_row;
}

/// The columns that name the row of an UPDATE or a DELETE: those that WHERE gave, else the destination's id, else the
/// key.
std::vector<AttrNumber> address_of(const Destination &destination, const OperationSpec &operation,
                                   const RelationPlan *scan, CmdType command) {
    if (scan != nullptr && !scan->address_without_read.empty())
        return scan->address_without_read;
    if (operation.by_id && destination.id_column() != nullptr)
        return {destination.id_column()->attnum};
    if (operation.by_key && !destination.key_columns().empty())
        return attnums_of(destination.key_columns());
    std::string needed = operation.by_id && !destination.object.id.empty() ? destination.object.id : "";
    if (needed.empty() && !destination.object.key.empty())
        needed = destination.object.key.front();
    throw Error(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                std::string(verb(command)) + " needs a column of \"" + destination.name + "\" that names its rows",
                needed.empty() ? "" : "It is the one for field \"" + needed + "\".",
                needed.empty() ? "Set the table option \"key\"." : "Add the column to the foreign table.");
}

} // namespace

PushPlan plan_insert(const Destination &destination, const Bitmapset *named, const TupleDescData *attributes,
                     const TriggerDesc *triggers) {
    PushPlan plan;
    plan.operation = destination.object.insert;
    destination.operation(plan.operation); // says so if there is none
    // A trigger may set any column. Without a list of columns (a partition) every one may have a value.
    bool any = named == nullptr || has_row_trigger_before(triggers, CMD_INSERT);
    for (const DestinationColumn &column : destination.columns) {
        bool is_named = bms_is_member(column.attnum - FirstLowInvalidHeapAttributeNumber, named);
        if (is_named && !column.is_written_by(plan.operation) && !any)
            refuse_column(destination, column, CMD_INSERT);
        const FormData_pg_attribute *attribute =
            TupleDescAttr(const_cast<TupleDescData *>(attributes), column.attnum - 1);
        if (column.is_written_by(plan.operation) && (any || is_named || attribute->atthasdef))
            plan.written.push_back(column.attnum);
    }
    return plan;
}

void add_update_targets(PlannerInfo *root, Index index, RangeTblEntry *entry, Relation relation) {
    guard([&] {
        Destination *destination = open_destination(RelationGetRelid(relation), CurrentMemoryContext);
        std::vector<const DestinationColumn *> columns = destination->key_columns();
        if (const DestinationColumn *id = destination->id_column())
            if (std::find(columns.begin(), columns.end(), id) == columns.end())
                columns.push_back(id);
        for (const DestinationColumn *column : columns)
            pg_call([&] {
                Var *variable = makeVar(index, column->attnum, column->type, column->typmod, column->collation, 0);
                add_row_identity_var(root, variable, index, address_name(column->attnum));
            });
        // A DELETE's RETURNING shows the row as it was.
        if (root->parse->commandType == CMD_DELETE && root->parse->returningList != NIL)
            pg_call([&] {
                Var *row = makeWholeRowVar(entry, static_cast<int>(index), 0, false);
                add_row_identity_var(root, row, index, "wholerow");
            });
    });
}

List *plan_modify(PlannerInfo *root, ModifyTable *plan, Index index, int) {
    return guard([&] {
        INJECTION_POINT("plan_modify");
        RangeTblEntry *entry = planner_rt_fetch(index, root);
        if (plan->onConflictAction != ONCONFLICT_NONE)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "ON CONFLICT is not supported for destinations", "",
                        "Set the table option \"insert_as\" to upsert: the destination then updates the row it has.");
        Destination *destination = open_destination(entry->relid, CurrentMemoryContext);
        struct Close {
            Relation relation;
            ~Close() { table_close(relation, NoLock); }
        } table{pg_call([&] { return table_open(entry->relid, NoLock); })};

        PushPlan push;
        if (plan->operation == CMD_INSERT) {
            Bitmapset *named = pg_call([&] { return compat::inserted_columns(root, entry); });
            push = plan_insert(*destination, named, RelationGetDescr(table.relation), table.relation->trigdesc);
        } else {
            bool deletes = plan->operation == CMD_DELETE;
            push.operation = deletes ? OperationKind::remove : OperationKind::update;
            const OperationSpec &operation = destination->operation(push.operation);
            const RelOptInfo *relation =
                index < static_cast<Index>(root->simple_rel_array_size) ? root->simple_rel_array[index] : nullptr;
            const auto *scan = relation != nullptr ? static_cast<RelationPlan *>(relation->fdw_private) : nullptr;
            push.address = address_of(*destination, operation, scan, plan->operation);
            Bitmapset *set = deletes ? nullptr : pg_call([&] {
                return get_rel_all_updated_cols(root, find_base_rel(root, static_cast<int>(index)));
            });
            for (const DestinationColumn *column : columns_in(*destination, set)) {
                if (!column->is_written_by(OperationKind::update))
                    refuse_column(*destination, *column, plan->operation);
                push.written.push_back(column->attnum);
            }
            if (!deletes && has_row_trigger_before(table.relation->trigdesc, CMD_UPDATE))
                for (const DestinationColumn &column : destination->columns)
                    if (column.is_written_by(OperationKind::update) &&
                        std::find(push.written.begin(), push.written.end(), column.attnum) == push.written.end())
                        push.written.push_back(column.attnum);
        }
        // What is missing is said now, and not after the query has run.
        compile(*destination, push);
        compile_what_follows(*destination, push, destination->null_as);
        return pg_call([&] { return to_list(push); });
    });
}

int is_updatable(Relation relation) {
    return guard([&] {
        const Destination *destination = nullptr;
        try {
            destination = open_destination(RelationGetRelid(relation), CurrentMemoryContext);
        } catch (const PostgresError &) {
            throw;
        } catch (const std::exception &) {
            // information_schema asks this of every table. What is wrong with one is for the statement that uses it.
            return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
        }
        int events = 0;
        if (destination->object.operation(destination->object.insert) != nullptr)
            events |= 1 << CMD_INSERT;
        if (destination->object.operation(OperationKind::update) != nullptr)
            events |= 1 << CMD_UPDATE;
        if (destination->object.operation(OperationKind::remove) != nullptr)
            events |= 1 << CMD_DELETE;
        return events;
    });
}

const char *address_name(AttrNumber attnum) {
    return psprintf("reverse_etl_address_%d", attnum);
}

List *to_list(const PushPlan &plan) {
    List *written = NIL, *address = NIL;
    for (AttrNumber attnum : plan.written)
        written = lappend_int(written, attnum);
    for (AttrNumber attnum : plan.address)
        address = lappend_int(address, attnum);
    return list_make3(makeInteger(static_cast<int>(plan.operation)), written, address);
}

PushPlan push_plan_of(const List *list) {
    PushPlan plan;
    plan.operation = static_cast<OperationKind>(intVal(linitial(list)));
    ListCell *cell;
    foreach (cell, static_cast<List *>(lsecond(list)))
        plan.written.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    foreach (cell, static_cast<List *>(lthird(list)))
        plan.address.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    return plan;
}

} // namespace reverse_etl
