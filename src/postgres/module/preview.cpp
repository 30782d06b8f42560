#include "postgres/destinations/preview.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/subtransaction.h"
#include "postgres/module/request_rows.h"

extern "C" {
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/plancache.h"
}

namespace reverse_etl {

namespace {

/// One statement that reads or writes tables. Commands are none: they do what they do, whatever becomes of rows.
bool is_one_query(SPIPlanPtr plan) {
    List *sources = SPI_plan_get_plan_sources(plan);
    if (list_length(sources) != 1)
        return false;
    auto *source = static_cast<CachedPlanSource *>(linitial(sources));
    ListCell *cell;
    foreach (cell, source->query_list)
        if (lfirst_node(Query, cell)->commandType == CMD_UTILITY)
            return false;
    return source->query_list != NIL;
}

/// Runs the statement as the caller would, and drops the rows that it returns.
void run(const std::string &statement) {
    pg_call([&] {
        SPI_connect();
        SPIPlanPtr plan = sql::prepare(statement);
        if (!is_one_query(plan))
            ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("a preview is of one statement"),
                            errhint("It is an INSERT, UPDATE, DELETE, MERGE or SELECT.")));
        SPIExecuteOptions options = {};
        options.dest = None_Receiver;
        int status = SPI_execute_plan_extended(plan, &options);
        if (status < 0)
            elog(ERROR, "could not run the statement: %s", ServerText(SPI_result_code_string(status)));
        SPI_finish();
    });
}

} // namespace

/// reverse_etl.preview(statement text): what it would send
SQL_FUNCTION(reverse_etl_preview) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        const std::string statement = text_argument(fcinfo, 0);
        Preview preview;
        // Whatever else it changes is taken back.
        in_subtransaction([&] {
            run(statement);
            return false;
        });
        if (!preview.met_destination())
            throw Error(ERRCODE_WRONG_OBJECT_TYPE, "the statement neither writes to a destination nor reads one", "",
                        "A destination is a foreign table of the foreign data wrapper \"reverse_etl\".");
        for (const Preview::Entry &entry : preview.entries())
            put_request_row(fcinfo, {entry.destination, entry.operation}, entry.request, entry.refusal);
    });
    return static_cast<Datum>(0);
}

} // namespace reverse_etl
