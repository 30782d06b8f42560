#include "postgres/stream_functions.h"

#include "postgres/act_as.h"
#include "postgres/arrays.h"
#include "postgres/border.h"
#include "postgres/delivery_mode.h"
#include "postgres/sql.h"
#include "postgres/streams.h"

extern "C" {
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

/// Prepares a statement, which checks names and types. Planning it as well lets the foreign data wrapper say what the
/// destination cannot do; but it runs functions of the mapping that are immutable.
void prepare(const std::string &statement, bool plan_too) {
    pg_call([&] {
        SPIPlanPtr plan = sql::prepare(statement);
        if (plan_too)
            ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), nullptr); // of a plan that is not kept nobody owns it
    });
}

AnalysedStream check(const StreamDefinition &stream, bool plan_too) {
    QueueEverything queue;
    ActAs role(stream.owner, stream.search_path);
    pg_call([&] {
        SPI_connect();
        show_rows(changed, stream.source, nullptr);
        show_rows(changed_before, stream.source, nullptr);
    });
    AnalysedStream analysed = analyse(stream);
    prepare(analysed.statements.insert(), plan_too);
    if (stream.deletes()) {
        prepare(analysed.statements.remove(), plan_too);
        prepare(analysed.statements.remove_moved(), plan_too);
    }
    pg_call([] { SPI_finish(); });
    return analysed;
}

/// Whether a command that drops things drops what depends on them as well.
bool cascades(Node *command) {
    if (command == nullptr)
        return false;
    if (IsA(command, DropStmt))
        return reinterpret_cast<DropStmt *>(command)->behavior == DROP_CASCADE;
    if (IsA(command, AlterTableStmt)) {
        ListCell *cell;
        foreach (cell, reinterpret_cast<AlterTableStmt *>(command)->cmds)
            if (static_cast<AlterTableCmd *>(lfirst(cell))->behavior == DROP_CASCADE)
                return true;
        return false;
    }
    return IsA(command, DropOwnedStmt);
}

/// Whether a command may change what a mapping yields, or which columns name the rows.
bool may_matter(Node *command) {
    if (command == nullptr || !IsA(command, AlterTableStmt))
        return command != nullptr;
    ListCell *cell;
    foreach (cell, reinterpret_cast<AlterTableStmt *>(command)->cmds) {
        AlterTableType kind = static_cast<AlterTableCmd *>(lfirst(cell))->subtype;
        if (kind == AT_AlterColumnType || kind == AT_GenericOptions || kind == AT_AlterColumnGenericOptions)
            return true;
    }
    return false;
}

/// Streams and syncs belong to roles like tables: DROP OWNED drops them.
void drop_owned(List *role_names) {
    sql::AsOwner owner;
    pg_call([&] {
        static constexpr const char *queries[] = {
            "DELETE FROM reverse_etl.streams WHERE owner OPERATOR(pg_catalog.=) $1::pg_catalog.regrole",
            "DELETE FROM reverse_etl.sync_definitions WHERE owner OPERATOR(pg_catalog.=) $1::pg_catalog.regrole"};
        Oid types[] = {OIDOID};
        SPI_connect();
        ListCell *cell;
        foreach (cell, role_names) {
            Datum values[] = {ObjectIdGetDatum(get_rolespec_oid(static_cast<RoleSpec *>(lfirst(cell)), false))};
            for (const char *query : queries)
                if (SPI_execute_with_args(query, 1, types, values, nullptr, false, 0) != SPI_OK_DELETE)
                    elog(ERROR, "could not run \"%s\"", ServerText(query));
        }
        SPI_finish();
    });
}

void call_sql(const char *query, bool argument) {
    AsMachine machine;
    pg_call([&] {
        Oid types[] = {BOOLOID};
        Datum values[] = {BoolGetDatum(argument)};
        SPI_connect();
        if (SPI_execute_with_args(query, 1, types, values, nullptr, false, 0) != SPI_OK_SELECT)
            elog(ERROR, "could not run \"%s\"", ServerText(query));
        SPI_finish();
    });
}

} // namespace

Datum read_mapping(FunctionCallInfo call) {
    TupleDesc descriptor = nullptr;
    if (pg_call([&] { return get_call_result_type(call, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "read_mapping returns a record");
    StreamDefinition stream;
    stream.name = "new";
    stream.source = DatumGetObjectId(call->args[0].value);
    stream.destination = DatumGetObjectId(call->args[1].value);
    stream.mapping = text_argument(call, 2);
    stream.on_delete = DatumGetBool(call->args[3].value) ? "delete" : "nothing";
    stream.search_path = text_argument(call, 4);
    stream.owner = GetUserId();
    AnalysedStream analysed = check(stream, true);
    Datum values[] = {
        pg_call([&] { return text_datum(analysed.statements.mapping()); }),
        text_array(analysed.columns),
        text_array(analysed.key),
        oid_array(analysed.mapping.relations, REGCLASSOID),
    };
    bool nulls[4] = {};
    return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
}

Datum check_stream(FunctionCallInfo call) {
    if (std::optional<StreamDefinition> stream = find_stream(text_argument(call, 0)))
        check(*stream, false);
    return static_cast<Datum>(0);
}

Datum guard_definitions(FunctionCallInfo call) {
    if (!CALLED_AS_EVENT_TRIGGER(call))
        throw Error(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED, "guard_definitions is for event triggers");
    auto *event = reinterpret_cast<EventTriggerData *>(call->context);
    if (strcmp(event->event, "sql_drop") == 0)
        call_sql("SELECT reverse_etl.streams_after_drop($1), reverse_etl.syncs_after_drop($1)",
                 cascades(event->parsetree));
    else if (IsA(event->parsetree, DropOwnedStmt))
        drop_owned(reinterpret_cast<DropOwnedStmt *>(event->parsetree)->roles);
    else if (may_matter(event->parsetree))
        call_sql("SELECT reverse_etl.streams_after_alter(), reverse_etl.syncs_after_alter() WHERE $1", true);
    return static_cast<Datum>(0);
}

} // namespace reverse_etl
