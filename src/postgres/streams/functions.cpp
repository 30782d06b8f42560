#include "postgres/border/act_as.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/fdw/delivery_mode.h"
#include "postgres/streams/streams.h"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
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

Datum read_mapping(FunctionCallInfo call) {
    TupleDesc descriptor = nullptr;
    if (pg_call([&] { return get_call_result_type(call, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "read_mapping returns a record");
    for (int i : {0, 1, 2, 4, 5})
        if (call->args[i].isnull)
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "only the mapping of a stream may be null");
    StreamDefinition stream;
    stream.name = "new";
    stream.owner = DatumGetObjectId(call->args[0].value);
    stream.source = DatumGetObjectId(call->args[1].value);
    stream.destination = DatumGetObjectId(call->args[2].value);
    stream.mapping = text_argument(call, 3);
    stream.on_delete = DatumGetBool(call->args[4].value) ? "delete" : "ignore";
    stream.search_path = text_argument(call, 5);
    AnalysedStream analysed = check(stream, true);
    Datum values[] = {
        pg_call([&] { return text_datum(analysed.statements.mapping()); }),
        text_array(analysed.columns),
        text_array(analysed.key),
        oid_array(analysed.mapping.relations, REGCLASSOID),
        text_array(analysed.mapping.needs),
    };
    bool nulls[5] = {};
    return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
}

Datum check_stream(FunctionCallInfo call) {
    if (std::optional<StreamDefinition> stream = find_stream(text_argument(call, 0)))
        check(*stream, false);
    return static_cast<Datum>(0);
}

} // namespace

/// reverse_etl_internal.read_mapping(role, source, destination, mapping, deletes, search_path): what stream_table has
/// to know of a mapping. Raises an error for one that would not work.
SQL_FUNCTION(reverse_etl_read_mapping) {
    return guard([&] { return read_mapping(fcinfo); });
}

/// reverse_etl_internal.check_stream(name): raises the error that the next change of the source would raise
SQL_FUNCTION(reverse_etl_check_stream) {
    return guard([&] { return check_stream(fcinfo); });
}

} // namespace reverse_etl
