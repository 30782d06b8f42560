/// The SQL functions for managed syncs.

#include "postgres/border/act_as.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/subtransaction.h"
#include "postgres/destinations/key_forms.h"
#include "postgres/streams/streams.h"
#include "postgres/syncs/model.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/plan.h"
#include "postgres/syncs/resync.h"
#include "postgres/syncs/row_contract.h"
#include "postgres/syncs/run.h"
#include "postgres/syncs/source_diff.h"
#include "postgres/syncs/sync_trigger.h"
#include "postgres/syncs/wait.h"

#include <algorithm>
#include <functional>
#include <optional>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace reverse_etl {

namespace {

/// The columns that are sent: those of the query, but that which only tells what is new.
std::vector<std::string> sent_columns(const Model &model, const Destination &destination, const SyncDefinition &sync) {
    std::vector<std::string> columns;
    for (const ModelColumn &column : model.columns) {
        bool is_key = std::find(sync.key.begin(), sync.key.end(), column.name) != sync.key.end();
        if (destination.column_named(column.name) != nullptr)
            columns.push_back(column.name);
        else if (column.name != sync.cursor_column && !(is_key && !sends_changed(sync.mode)))
            throw Error(ERRCODE_UNDEFINED_COLUMN,
                        "the query yields column \"" + column.name + "\", which destination \"" + destination.name +
                            "\" does not have",
                        "", "Rename it with AS, leave it out, or add the column to the foreign table.");
    }
    return columns;
}

/// An error if the destination cannot take what the model yields. As the sync's owner.
SyncOperations check_fit(const SyncDefinition &sync, const Model &model, const Destination &destination) {
    SyncOperations operations = SyncOperations::choose(sync, destination);
    RowContract(destination, model.descriptor, sync.columns, true, CurrentMemoryContext).close();
    return operations;
}

/// An error if the current role may not read what the query reads.
void check_may_read(const std::string &query) {
    std::string nothing = "SELECT FROM (" + query + "\n) AS model LIMIT 0";
    pg_call([&] { sql::run(nothing, true); });
}

/// In a transaction that SPI commits, with memory that goes with it, and a connection of its own, with which the
/// results of its statements go. An error inside a function would leave SPI where it was: hence the subtransaction.
void in_step(const std::function<void()> &body) {
    MemoryContext of_step = pg_call([] {
        MemoryContext made = AllocSetContextCreate(CurrentMemoryContext, "reverse_etl step", ALLOCSET_DEFAULT_SIZES);
        MemoryContextSwitchTo(made);
        return made;
    });
    MemoryContext caller = MemoryContextGetParent(of_step);
    MemoryContextSwitchTo(of_step);
    in_subtransaction([&] {
        sql::with_own_results(body);
        return true;
    });
    MemoryContextSwitchTo(caller);
    pg_call([] { SPI_commit(); });
    MemoryContextDelete(of_step);
}

void end_or_leave(SyncRun &run, const Error &error, bool is_queued) {
    if (is_queued && ERRCODE_TO_CATEGORY(error.sqlstate) == ERRCODE_OPERATOR_INTERVENTION)
        run.leave();
    else
        run.fail(error.what(), error.sqlstate == ERRCODE_QUERY_CANCELED);
}

/// In transactions of its own, so that the run is on record whatever becomes of it. `delivers`: rows may leave from
/// this session.
void run_in_steps(SyncRun &run, bool delivers) {
    if (!run.begin()) {
        pg_call([] { SPI_commit(); });
        return;
    }
    pg_call([] { SPI_commit(); });
    if (delivers)
        run.may_deliver();
    MemoryContext caller = CurrentMemoryContext;
    std::exception_ptr failed;
    bool is_queued = false;
    try {
        run.queue();
        pg_call([] { SPI_commit(); });
        is_queued = true;
        if (run.delivers()) {
            RunBars bars(run.id(), run.name());
            run.deliver(in_step, [&] {
                bars.show_if_due();
                return true;
            });
        }
    } catch (...) {
        failed = std::current_exception();
    }
    if (!failed)
        return;
    MemoryContextSwitchTo(caller);
    Error error = lasting(failed);
    failed = nullptr;
    pg_call([] { SPI_rollback(); });
    // Who waits for a run, and is told not to any more, does not end it. Where even that can not be written down,
    // others find that nobody works at it.
    std::exception_ptr unnoted;
    try {
        in_subtransaction([&] {
            end_or_leave(run, error, is_queued);
            return true;
        });
    } catch (...) {
        unnoted = std::current_exception();
    }
    if (!unnoted)
        pg_call([] { SPI_commit(); });
    throw error;
}

/// Of one dimension that begins at 1, as others read what is stored.
bool is_plain_list(Datum array) {
    return pg_call([&] {
        ArrayType *list = DatumGetArrayTypeP(array);
        return ARR_NDIM(list) == 0 || (ARR_NDIM(list) == 1 && ARR_LBOUND(list)[0] == 1);
    });
}

} // namespace

/// reverse_etl_internal.describe_sync(role, query, search_path, destination, key, mode, on_missing, cursor_column)
SQL_FUNCTION(reverse_etl_describe_sync) {
    return guard([&] {
        TupleDesc descriptor = nullptr;
        if (pg_call([&] { return get_call_result_type(fcinfo, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "describe_sync returns a record");
        for (int i = 0; i < 7; i++)
            if (PG_ARGISNULL(i))
                throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "only the cursor of a sync may be null");
        SyncDefinition sync;
        sync.owner = PG_GETARG_OID(0);
        sync.query = text_argument(fcinfo, 1);
        sync.search_path = text_argument(fcinfo, 2);
        sync.destination = PG_GETARG_OID(3);
        if (!is_plain_list(PG_GETARG_DATUM(4)))
            throw Error(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "the key must be a list of columns", "",
                        "Write it as {email} or ARRAY['email'].");
        sync.key = texts_of(PG_GETARG_DATUM(4));
        if (std::find(sync.key.begin(), sync.key.end(), "") != sync.key.end())
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the key must not contain NULL");
        sync.mode = mode_named(text_argument(fcinfo, 5));
        sync.on_missing = text_argument(fcinfo, 6);
        sync.cursor_column = text_argument(fcinfo, 7);
        check_is_destination(sync.destination);
        if (sync.key.empty())
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "a sync needs a key", "",
                        "Name the columns of the query that tell its rows apart.");
        Model model;
        KeyTypes key;
        std::string not_at_source;
        {
            ActAs owner(sync.owner, sync.search_path);
            pg_call([] { SPI_connect(); });
            model = analyse_model(sync.query);
            check_may_read(sync.query);
            if (sync.by_cursor() && model.column(sync.cursor_column) == nullptr)
                throw Error(ERRCODE_UNDEFINED_COLUMN,
                            "the query does not yield column \"" + sync.cursor_column + "\", the cursor");
            key = key_types(model, sync.key);
            Destination *destination = open_destination(sync.destination, CurrentMemoryContext);
            sync.columns = sent_columns(model, *destination, sync);
            sync.key_forms = key_forms_in_sql(sync.key, key.types, key.collations, *destination);
            check_fit(sync, model, *destination).check_rights(*destination);
            not_at_source = obstacle_at_source(sync);
            pg_call([] { SPI_finish(); });
        }
        Datum values[] = {text_array(sync.columns),
                          oid_array(key.types, REGTYPEOID),
                          oid_array(key.collations, REGCOLLATIONOID),
                          oid_array(model.relations, REGCLASSOID),
                          text_array(sync.key_forms),
                          text_array(model.needs),
                          not_at_source.empty() ? 0 : text_datum(not_at_source)};
        bool nulls[7] = {};
        nulls[6] = not_at_source.empty();
        return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
    });
}

/// reverse_etl_internal.check_sync(sync integer)
SQL_FUNCTION(reverse_etl_check_sync) {
    guard([&] {
        pg_call([] { SPI_connect(); });
        SyncDefinition sync = find_sync(PG_GETARG_INT32(0));
        check_is_destination(sync.destination);
        Model model = model_of(sync);
        ActAs owner(sync.owner, sync.search_path);
        check_fit(sync, model, *open_destination(sync.destination, CurrentMemoryContext));
        pg_call([] { SPI_finish(); });
    });
    PG_RETURN_VOID();
}

/// reverse_etl_internal.equality_of(regtype, form): of a form that is a text, or of the type's own values
SQL_FUNCTION(reverse_etl_equality_of) {
    return guard([&] {
        Oid type = PG_GETARG_OID(0);
        bool is_own = text_argument(fcinfo, 1) == "%s";
        Oid equality = pg_call([&] { return lookup_type_cache(is_own ? type : TEXTOID, TYPECACHE_EQ_OPR)->eq_opr; });
        if (!OidIsValid(equality))
            throw Error(ERRCODE_UNDEFINED_FUNCTION, "values of type " + type_name(type) + " cannot be compared");
        std::string named = operator_name(equality);
        return pg_call([&] { return text_datum(named); });
    });
}

/// reverse_etl_internal.sole_statement(query): without the semicolon that ends it, and what stands behind that. What is
/// no one statement stays as it is, for the analysis to tell.
SQL_FUNCTION(reverse_etl_sole_statement) {
    return guard([&] {
        Datum whole = PG_GETARG_DATUM(0);
        try {
            return pg_call([&] {
                const char *query = pnstrdup(ServerText(whole).bytes().data(), ServerText(whole).bytes().size());
                List *statements = raw_parser(query, RAW_PARSE_DEFAULT);
                if (list_length(statements) != 1)
                    return whole;
                auto *statement = linitial_node(RawStmt, statements);
                // From 18 on it begins behind comments, which belong to it; a semicolon before it does not.
                const char *begin = query + statement->stmt_location;
                const char *end = statement->stmt_len > 0 ? begin + statement->stmt_len : begin + strlen(begin);
                if (memchr(query, ';', begin - query) == nullptr)
                    begin = query;
                return text_datum(ServerText(begin, end - begin));
            });
        } catch (const PostgresError &) {
            return whole;
        }
    });
}

/// CALL reverse_etl.run_sync(name text, wait boolean)
SQL_FUNCTION(reverse_etl_run_sync) {
    guard([&] {
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the arguments of run_sync must not be null");
        std::string name = text_argument(fcinfo, 0);
        bool wait = PG_GETARG_BOOL(1);
        auto *call = reinterpret_cast<CallContext *>(fcinfo->context);
        bool atomic = call == nullptr || !IsA(call, CallContext) || call->atomic;
        if (atomic && wait)
            throw Error(ERRCODE_ACTIVE_SQL_TRANSACTION, "run_sync cannot wait inside a transaction block",
                        "Rows leave when the transaction has committed.",
                        "End the transaction first, or call it with wait => false.");
        pg_call([&] { SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC); });
        SyncRun run(find_sync(name));
        if (!atomic)
            run_in_steps(run, wait);
        else if (run.begin())
            run.queue();
        if (run.id() != 0) {
            if (wait)
                wait_for_run(run.id(), name);
            report_run(run.id(), name);
        }
        pg_call([] { SPI_finish(); });
    });
    PG_RETURN_VOID();
}

/// reverse_etl.plan_sync(name, max_rows, look_up)
SQL_FUNCTION(reverse_etl_plan_sync) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        plan_sync(text_argument(fcinfo, 0), PG_GETARG_INT32(1), PG_GETARG_BOOL(2),
                  reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.resync(name, condition)
SQL_FUNCTION(reverse_etl_resync) {
    return guard([&] { return Int64GetDatum(resync(text_argument(fcinfo, 0), text_argument(fcinfo, 1))); });
}

/// reverse_etl_internal.is_worked_at(run bigint)
SQL_FUNCTION(reverse_etl_is_worked_at) {
    return guard([&] { return pg_call([&] { return BoolGetDatum(WorkAtRun::is_done_at(PG_GETARG_INT64(0))); }); });
}

/// reverse_etl_internal.change_feeds(sync integer)
SQL_FUNCTION(reverse_etl_change_feeds) {
    guard([&] { pg_call([&] { own_locks::change_feeds(static_cast<uint32>(PG_GETARG_INT32(0))); }); });
    PG_RETURN_VOID();
}

/// The triggers that reverse_etl.stream_sync makes.
SQL_FUNCTION(reverse_etl_push_sync) {
    return guard([&] { return push_sync(fcinfo); });
}

/// reverse_etl.adopt(name)
SQL_FUNCTION(reverse_etl_adopt) {
    return guard([&] { return Int64GetDatum(adopt(text_argument(fcinfo, 0))); });
}

} // namespace reverse_etl
