/// How roles change what belongs to the extension: by functions that check as the caller and write as the owner.

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/condition.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

/// The internal function of the same name with "_as" behind, that takes the caller before the other arguments.
Oid counterpart_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for function %u", function);
    auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    Oid types[FUNC_MAX_ARGS] = {OIDOID};
    if (form->pronargs >= FUNC_MAX_ARGS)
        elog(ERROR, "function %s has too many arguments", ServerText(form->proname));
    for (int i = 0; i < form->pronargs; i++)
        types[i + 1] = form->proargtypes.values[i];
    const char *name = psprintf("%s_as", ServerText(form->proname).c_str());
    Oid found = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
                                PointerGetDatum(buildoidvector(types, form->pronargs + 1)),
                                ObjectIdGetDatum(get_namespace_oid(internal_schema, false)));
    ReleaseSysCache(tuple);
    if (!OidIsValid(found))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION), errmsg("function %s does not exist", ServerText(name))));
    return found;
}

/// The first column of each row. In an open connection to SPI; the result is the caller's.
Datum first_column(const std::string &statement, MemoryContext caller) {
    SPIPlanPtr plan = sql::prepare(statement);
    if (list_length(SPI_plan_get_plan_sources(plan)) != 1)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("execute_as takes one statement")));
    int status = SPI_execute_plan(plan, nullptr, nullptr, false, 0);
    if (status < 0)
        elog(ERROR, "could not run \"%s\": %s", to_server_legible(statement),
             ServerText(SPI_result_code_string(status)));
    ArrayBuildState *texts = initArrayResult(TEXTOID, caller, false);
    for (uint64 row = 0; SPI_tuptable != nullptr && row < SPI_tuptable->numvals; row++) {
        ServerText value = sql::printed(row, 1);
        accumArrayResult(texts, value.is_null() ? 0 : text_datum(value), value.is_null(), TEXTOID, caller);
    }
    return makeArrayResult(texts, caller);
}

/// A definition is the machine's statement, run with the rights of a role; what reads rows runs code of the role.
bool is_definition(const std::string &statement) {
    return pg_call([&] {
        List *parsed = raw_parser(to_server(statement).c_str(), RAW_PARSE_DEFAULT);
        return list_length(parsed) == 1 && GetCommandLogLevel(linitial_node(RawStmt, parsed)->stmt) == LOGSTMT_DDL;
    });
}

} // namespace

/// The functions that anybody may call: they hand on who calls them. It is the server that runs the counterpart as its
/// owner, with its search path, and nobody else may call that.
SQL_FUNCTION(reverse_etl_hand_on) {
    FmgrInfo *function = fcinfo->flinfo;
    if (function->fn_extra == nullptr) {
        auto *counterpart = static_cast<FmgrInfo *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(FmgrInfo)));
        fmgr_info_cxt(counterpart_of(function->fn_oid), counterpart, function->fn_mcxt);
        function->fn_extra = counterpart;
    }
    LOCAL_FCINFO(call, FUNC_MAX_ARGS);
    InitFunctionCallInfoData(*call, static_cast<FmgrInfo *>(function->fn_extra), fcinfo->nargs + 1, fcinfo->fncollation,
                             nullptr, nullptr);
    call->args[0] = {ObjectIdGetDatum(GetUserId()), false};
    for (int i = 0; i < fcinfo->nargs; i++)
        call->args[i + 1] = fcinfo->args[i];
    Datum result = FunctionCallInvoke(call);
    fcinfo->isnull = call->isnull;
    return result;
}

/// reverse_etl_internal.execute_as(role, statement)
SQL_FUNCTION(reverse_etl_execute_as) {
    return guard([&] {
        std::string statement = text_argument(fcinfo, 1);
        MemoryContext caller = CurrentMemoryContext;
        pg_call([] { SPI_connect(); });
        Datum column;
        auto run = [&] { column = pg_call([&] { return first_column(statement, caller); }); };
        if (is_definition(statement)) {
            AsMachine role(PG_GETARG_OID(0));
            run();
        } else {
            ActAs role(PG_GETARG_OID(0), "pg_catalog");
            run();
        }
        pg_call([] { SPI_finish(); });
        return column;
    });
}

/// reverse_etl_internal.one_condition(condition)
SQL_FUNCTION(reverse_etl_one_condition) {
    return guard([&] {
        std::string condition = one_condition(text_argument(fcinfo, 0));
        return pg_call([&] { return text_datum(condition); });
    });
}

} // namespace reverse_etl
