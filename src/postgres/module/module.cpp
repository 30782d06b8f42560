/// What Postgres calls by name: the library's start and its SQL functions.

#include "engine/manifest/manifest_filling.h"
#include "postgres/audit_log/mailboxes.h"
#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/settings.h"
#include "postgres/border/trusted_functions.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/options.h"
#include "postgres/fdw/fdw.h"
#include "postgres/fdw/statement_hooks.h"
#include "postgres/hashes/row_hash.h"
#include "postgres/module/cron_functions.h"
#include "postgres/module/running_command.h"
#include "postgres/outbox/requeue.h"
#include "postgres/outbox/wait.h"
#include "postgres/shared/activity.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/shared_rate_limiter.h"
#include "postgres/shared/statistics.h"
#include "postgres/shared/worker_control.h"
#include "postgres/shared/worker_hooks.h"
#include "postgres/shared/worker_status.h"
#include "postgres/streams/functions.h"
#include "postgres/streams/trigger_functions.h"

extern "C" {
#include "access/detoast.h"
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

// Everything else in the library is hidden. Before 16 Postgres' own macros do not say that these are not.
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
void _PG_init(void);
PG_FUNCTION_INFO_V1(reverse_etl_fdw_handler);
PG_FUNCTION_INFO_V1(reverse_etl_fdw_validator);
PG_FUNCTION_INFO_V1(reverse_etl_built_in_connectors);
PG_FUNCTION_INFO_V1(reverse_etl_check_manifest);
PG_FUNCTION_INFO_V1(reverse_etl_options);
PG_FUNCTION_INFO_V1(reverse_etl_wake_worker);
PG_FUNCTION_INFO_V1(reverse_etl_wait);
PG_FUNCTION_INFO_V1(reverse_etl_requeue);
PG_FUNCTION_INFO_V1(reverse_etl_confirm_identity);
void reverse_etl_launcher_main(Datum);
void reverse_etl_worker_main(Datum);
PG_FUNCTION_INFO_V1(reverse_etl_push);
PG_FUNCTION_INFO_V1(reverse_etl_push_stream);
PG_FUNCTION_INFO_V1(reverse_etl_read_mapping);
PG_FUNCTION_INFO_V1(reverse_etl_check_stream);
PG_FUNCTION_INFO_V1(reverse_etl_parse_running_command);
PG_FUNCTION_INFO_V1(reverse_etl_hash_row);
PG_FUNCTION_INFO_V1(reverse_etl_hash_row_version);
PG_FUNCTION_INFO_V1(reverse_etl_next_run_after);
PG_FUNCTION_INFO_V1(reverse_etl_last_run_before);
PG_FUNCTION_INFO_V1(reverse_etl_run_times);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

/// All that the processes of a cluster share.
shared_memory::Part *const parts[] = {&Activity::shared,     &audit_log::mailboxes, &outbox_outcomes,
                                      &rate_limits_part,     &statistics::shared,   &worker_calls,
                                      &worker_status::shared};

/// A hundred years: no clock overflows.
constexpr double longest_wait_seconds = 3.2e9;

} // namespace

void _PG_init(void) {
    settings::define();
    install_statement_hooks();
    install_worker_hooks();
    install_act_as_hook();
    install_trusted_functions_hook();
    if (process_shared_preload_libraries_in_progress) {
        shared_memory::request(parts);
        if (!IsBinaryUpgrade) // nothing leaves while pg_upgrade moves the cluster
            register_launcher();
        identity::remember_start();
    }
}

/// CREATE FOREIGN DATA WRAPPER ... HANDLER
Datum reverse_etl_fdw_handler(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    FdwRoutine *routine = makeNode(FdwRoutine);
    routine->GetForeignRelSize = get_rel_size;
    routine->GetForeignPaths = get_paths;
    routine->GetForeignPlan = get_plan;
    routine->BeginForeignScan = begin_scan;
    routine->IterateForeignScan = iterate_scan;
    routine->ReScanForeignScan = rescan;
    routine->EndForeignScan = end_scan;
    routine->AddForeignUpdateTargets = add_update_targets;
    routine->PlanForeignModify = plan_modify;
    routine->BeginForeignModify = begin_modify;
    routine->BeginForeignInsert = begin_insert;
    routine->ExecForeignInsert = exec_insert;
    routine->ExecForeignUpdate = exec_update;
    routine->ExecForeignDelete = exec_delete;
    routine->EndForeignModify = end_modify;
    routine->EndForeignInsert = end_insert;
    routine->IsForeignRelUpdatable = is_updatable;
    routine->ExplainForeignScan = explain_scan;
    routine->ExplainForeignModify = explain_modify;
    routine->ImportForeignSchema = import_schema;
    PG_RETURN_POINTER(routine);
}

/// CREATE FOREIGN DATA WRAPPER ... VALIDATOR: options text[], oid of the catalog they stand in
Datum reverse_etl_fdw_validator(PG_FUNCTION_ARGS) {
    guard([&] {
        List *list = pg_call([&] { return untransformRelOptions(PG_GETARG_DATUM(0)); });
        Oid catalog = PG_GETARG_OID(1);
        Settings options;
        ListCell *cell;
        foreach (cell, list) {
            auto *option = static_cast<DefElem *>(lfirst(cell));
            options[ServerText(option->defname).utf8()] = option->arg == nullptr ? "" : option_text(option).utf8();
        }
        // What delivers queued rows goes by the changed options, and tries again where the old ones were at fault.
        if (catalog != AttributeRelationId && wake_worker())
            wake_worker_at_commit();
        if (catalog == ForeignServerRelationId)
            validate_options(options, OptionPlace::server);
        else if (catalog == ForeignTableRelationId)
            validate_options(options, OptionPlace::table);
        else if (catalog == AttributeRelationId)
            validate_options(options, OptionPlace::column);
        else if (catalog == UserMappingRelationId)
            validate_options(options, OptionPlace::user_mapping);
        else if (!options.empty())
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME, "invalid option \"" + options.begin()->first + "\"", "",
                        "The foreign data wrapper itself has no options.");
    });
    PG_RETURN_VOID();
}

/// reverse_etl_internal.built_in_connectors() returns setof (name text, manifest text)
Datum reverse_etl_built_in_connectors(PG_FUNCTION_ARGS) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const std::string &name : built_in_connector_names()) {
            std::string manifest = built_in_manifest(name);
            pg_call([&] {
                Datum values[] = {text_datum(name), text_datum(manifest)};
                bool nulls[] = {false, false};
                tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            });
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.check_manifest(name text, manifest text): raises what is wrong with it
Datum reverse_etl_check_manifest(PG_FUNCTION_ARGS) {
    guard([&] {
        // Whatever is too large is not even copied.
        check_manifest_size(pg_call([&] { return toast_raw_datum_size(PG_GETARG_DATUM(1)); }) - VARHDRSZ);
        std::string name = text_argument(fcinfo, 0);
        Connector connector = parse_connector(text_argument(fcinfo, 1));
        if (connector.name() != name)
            throw ManifestError("/name", "must be the connector's name, " + name);
        for (const std::string &built_in : built_in_connector_names())
            if (built_in == name)
                throw Error(ERRCODE_DUPLICATE_OBJECT, "connector \"" + built_in + "\" already exists",
                            "It came with the extension.", "Give your own another name.");
    });
    PG_RETURN_VOID();
}

/// reverse_etl.options: every built-in option, where it may stand, and what it means
Datum reverse_etl_options(PG_FUNCTION_ARGS) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const OptionDescription &option : built_in_options()) {
            std::string places;
            for (auto [place, name] : {std::pair(OptionPlace::server, "server"), std::pair(OptionPlace::table, "table"),
                                       std::pair(OptionPlace::column, "column")})
                if ((option.places & static_cast<unsigned>(place)) != 0)
                    places += (places.empty() ? "" : ", ") + std::string(name);
            pg_call([&] {
                Datum values[] = {text_datum(option.name),
                                  text_datum(places),
                                  text_datum(option.type),
                                  option.fallback != nullptr ? text_datum(option.fallback) : 0,
                                  BoolGetDatum(option.superuser_only),
                                  text_datum(option.description)};
                bool nulls[] = {false, false, false, option.fallback == nullptr, false, false};
                tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            });
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl_internal.wake_worker()
Datum reverse_etl_wake_worker(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    guard([] { wake_worker_at_commit(); });
    PG_RETURN_VOID();
}

/// CALL reverse_etl.wait(destination regclass, timeout interval)
Datum reverse_etl_wait(PG_FUNCTION_ARGS) {
    guard([&] {
        if (PG_ARGISNULL(0))
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the destination must not be null");
        auto *call = reinterpret_cast<CallContext *>(fcinfo->context);
        if (call == nullptr || !IsA(call, CallContext) || call->atomic)
            throw Error(ERRCODE_ACTIVE_SQL_TRANSACTION, "reverse_etl.wait cannot be called inside a transaction block",
                        "Rows that the transaction queued leave when it has committed.", "End the transaction first.");
        std::optional<long> timeout;
        if (!PG_ARGISNULL(1))
            timeout = pg_call([&] {
                double seconds =
                    DatumGetFloat8(DirectFunctionCall2(interval_part, text_datum("epoch"), PG_GETARG_DATUM(1)));
                return static_cast<long>(std::clamp(seconds, 0.0, longest_wait_seconds) * 1000);
            });
        wait_for_outcomes(PG_GETARG_OID(0), timeout);
    });
    PG_RETURN_VOID();
}

/// reverse_etl_internal.requeue(role oid, destination regclass, operations text[], keys text[], rows text[]) returns
/// bigint
Datum reverse_etl_requeue(PG_FUNCTION_ARGS) {
    return guard([&] { return Int64GetDatum(requeue(fcinfo)); });
}

/// reverse_etl.confirm_identity()
Datum reverse_etl_confirm_identity(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    guard([] { identity::confirm(); });
    PG_RETURN_VOID();
}

/// CREATE TRIGGER ... EXECUTE FUNCTION reverse_etl.push(destination, mapping)
Datum reverse_etl_push(PG_FUNCTION_ARGS) {
    return guard([&] { return push_changes(fcinfo); });
}

/// The triggers that reverse_etl.stream_table makes.
Datum reverse_etl_push_stream(PG_FUNCTION_ARGS) {
    return guard([&] { return push_stream(fcinfo); });
}

/// reverse_etl_internal.read_mapping(role, source, destination, mapping, deletes, search_path)
Datum reverse_etl_read_mapping(PG_FUNCTION_ARGS) {
    return guard([&] { return read_mapping(fcinfo); });
}

/// reverse_etl_internal.check_stream(name)
Datum reverse_etl_check_stream(PG_FUNCTION_ARGS) {
    return guard([&] { return check_stream(fcinfo); });
}

/// reverse_etl_internal.parse_running_command()
Datum reverse_etl_parse_running_command(PG_FUNCTION_ARGS) {
    return guard([&] { return running_command(fcinfo); });
}

/// reverse_etl.hash_row(record) returns bigint
Datum reverse_etl_hash_row(PG_FUNCTION_ARGS) {
    return guard([&] { return hash_row(fcinfo); });
}

/// reverse_etl.hash_row_version() returns integer
Datum reverse_etl_hash_row_version(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    PG_RETURN_INT32(row_hash_version);
}

/// reverse_etl.next_run_after(schedule text, after timestamptz) returns timestamptz
Datum reverse_etl_next_run_after(PG_FUNCTION_ARGS) {
    return guard([&] { return next_run_after(fcinfo); });
}

/// reverse_etl.last_run_before(schedule text, before timestamptz) returns timestamptz
Datum reverse_etl_last_run_before(PG_FUNCTION_ARGS) {
    return guard([&] { return last_run_before(fcinfo); });
}

/// reverse_etl_internal.run_times(schedule text, OUT next_run timestamptz, OUT last_due timestamptz)
Datum reverse_etl_run_times(PG_FUNCTION_ARGS) {
    return guard([&] { return run_times(fcinfo); });
}
