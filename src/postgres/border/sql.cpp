#include "postgres/border/sql.h"

#include "postgres/border/own_locks.h"
#include "postgres/border/own_relations.h"

#include <map>
#include <optional>

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace reverse_etl::sql {

namespace {

/// What the machine writes down may quote others: that the database has no such character must not keep it from that.
Datum any_text(std::string_view utf8) {
    return text_datum(to_server_legible(utf8));
}

} // namespace

Oid owner_of_tables() {
    return pg_call([] {
        Oid table = people_relation("audit_log");
        HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "table reverse_etl.audit_log does not exist");
        Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
        ReleaseSysCache(tuple);
        return owner;
    });
}

void begin() {
    pg_call([] {
        check_settings_of_process();
        SetCurrentStatementStartTimestamp();
        StartTransactionCommand();
        own_locks::require_extension();
        PushActiveSnapshot(GetTransactionSnapshot());
        SPI_connect();
    });
    prepare_conversions();
    MemoryContextSwitchTo(TopTransactionContext);
}

void commit(MemoryContext caller) {
    MemoryContextSwitchTo(caller);
    pg_call([] {
        SPI_finish();
        PopActiveSnapshot();
        CommitTransactionCommand();
    });
}

void abort_and_rethrow(std::exception_ptr exception, MemoryContext caller) {
    std::optional<Error> of_postgres;
    try {
        std::rethrow_exception(exception);
    } catch (const PostgresError &error) {
        of_postgres.emplace(lasting(error));
    } catch (...) {
        // goes on as it is
    }
    MemoryContextSwitchTo(caller);
    pg_call([] { AbortCurrentTransaction(); });
    if (of_postgres)
        throw *of_postgres;
    std::rethrow_exception(exception);
}

namespace {

/// The names would be looked up in a search path that somebody else chose.
void check_scope(const char *text) {
    if (!Scope::is_pinned())
        elog(ERROR, "\"%s\" was to run outside of the machine's settings", text);
}

/// Parameters as SPI takes them.
struct Arguments {
    explicit Arguments(std::initializer_list<Parameter> parameters) {
        for (const Parameter &parameter : parameters) {
            types[count] = parameter.type;
            values[count] = parameter.value;
            nulls[count++] = parameter.is_null ? 'n' : ' ';
        }
    }
    Oid types[16];
    Datum values[16];
    char nulls[17] = {};
    int count = 0;
};

uint64 rows_of(int result, const char *text) {
    if (result < 0)
        elog(ERROR, "could not execute \"%s\": %s", text, SPI_result_code_string(result));
    return SPI_processed;
}

} // namespace

uint64 execute(const char *text, std::initializer_list<Parameter> parameters, long most_rows) {
    check_scope(text);
    static std::map<std::string, SPIPlanPtr, std::less<>> plans;
    Arguments arguments(parameters);
    auto known = plans.find(std::string_view(text));
    if (known == plans.end()) {
        SPIPlanPtr plan = SPI_prepare(text, arguments.count, arguments.types);
        if (plan == nullptr || SPI_keepplan(plan) != 0)
            elog(ERROR, "could not prepare \"%s\": %s", text, SPI_result_code_string(SPI_result));
        known = plans.emplace(text, plan).first;
    }
    return rows_of(SPI_execute_plan(known->second, arguments.values, arguments.nulls, false, most_rows), text);
}

uint64 execute_once(const char *text, std::initializer_list<Parameter> parameters, long most_rows) {
    check_scope(text);
    Arguments arguments(parameters);
    return rows_of(SPI_execute_with_args(text, arguments.count, arguments.types, arguments.values, arguments.nulls,
                                         false, most_rows),
                   text);
}

uint64 run(std::string_view utf8, bool read_only, long most_rows) {
    ServerText text = to_server(utf8);
    int result = SPI_execute(text.c_str(), read_only, most_rows);
    if (result < 0)
        elog(ERROR, "could not execute \"%s\": %s", text.c_str(), SPI_result_code_string(result));
    return SPI_processed;
}

SPIPlanPtr prepare(std::string_view utf8, int cursor_options) {
    ServerText text = to_server(utf8);
    SPIPlanPtr plan = SPI_prepare_cursor(text.c_str(), 0, nullptr, cursor_options);
    if (plan == nullptr)
        elog(ERROR, "could not prepare \"%s\": %s", text.c_str(), SPI_result_code_string(SPI_result));
    return plan;
}

Parameter oid(Oid value) {
    return {OIDOID, ObjectIdGetDatum(value)};
}

Parameter int8(int64 value) {
    return {INT8OID, Int64GetDatum(value)};
}

Parameter text(std::string_view utf8) {
    return {TEXTOID, any_text(utf8)};
}

Parameter json(std::string_view utf8) {
    return {JSONOID, any_text(utf8)};
}

Parameter int4(int32 value) {
    return {INT4OID, Int32GetDatum(value)};
}

Parameter name(ServerText value) {
    return {NAMEOID, DirectFunctionCall1(namein, CStringGetDatum(value.c_str()))};
}

Parameter timestamptz(TimestampTz value) {
    return {TIMESTAMPTZOID, TimestampTzGetDatum(value)};
}

Parameter oids(const std::vector<Oid> &values) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (values.size() + 1)));
    for (std::size_t i = 0; i < values.size(); i++)
        elements[i] = ObjectIdGetDatum(values[i]);
    ArrayType *array = construct_array(elements, static_cast<int>(values.size()), OIDOID, 4, true, TYPALIGN_INT);
    return {OIDARRAYOID, PointerGetDatum(array)};
}

Parameter int8s(const std::vector<int64> &values) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (values.size() + 1)));
    for (std::size_t i = 0; i < values.size(); i++)
        elements[i] = Int64GetDatum(values[i]);
    ArrayType *array =
        construct_array(elements, static_cast<int>(values.size()), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
    return {INT8ARRAYOID, PointerGetDatum(array)};
}

Parameter texts(const std::vector<std::string> &utf8) {
    int size = static_cast<int>(utf8.size()), lower = 1;
    if (size == 0)
        return {TEXTARRAYOID, PointerGetDatum(construct_empty_array(TEXTOID))};
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * size));
    auto *nulls = static_cast<bool *>(palloc(size));
    for (int i = 0; i < size; i++) {
        nulls[i] = utf8[i].empty();
        elements[i] = nulls[i] ? 0 : any_text(utf8[i]);
    }
    ArrayType *array = construct_md_array(elements, nulls, 1, &size, &lower, TEXTOID, -1, false, TYPALIGN_INT);
    return {TEXTARRAYOID, PointerGetDatum(array)};
}

Datum column(uint64 row, int number, bool *is_null) {
    bool ignored;
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number,
                         is_null != nullptr ? is_null : &ignored);
}

ServerText printed(uint64 row, int number) {
    return ServerText(SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number));
}

std::string printed_column(uint64 row, int number) {
    return pg_call([&] { return printed(row, number); }).utf8();
}

std::string_view text_column(uint64 row, int number) {
    bool is_null;
    Datum value = column(row, number, &is_null);
    if (is_null)
        return "";
    return utf8_of(ServerText(value).bytes());
}

} // namespace reverse_etl::sql
