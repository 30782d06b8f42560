/// The SQL functions of sources.

#include "engine/manifest/column_names.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/checked_server.h"
#include "postgres/files/files_sample.h"
#include "postgres/shared/source_queries.h"
#include "postgres/sources/source_catalog.h"

extern "C" {
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
}

namespace reverse_etl {

namespace {

const char *state_name(SourceQueryRecord::State state) {
    static constexpr const char *names[] = {"running", "done", "cancelled", "failed"};
    return names[static_cast<int>(state)];
}

/// A name as SQL has it, whose parts may be quoted.
std::string table_name(const std::string &written) {
    struct Names {
        ServerText schema, table;
    };
    const Names names = pg_call([&] {
        const RangeVar *name = makeRangeVarFromNameList(textToQualifiedNameList(DatumGetTextPP(text_datum(written))));
        return Names{ServerText(name->schemaname), ServerText(name->relname)};
    });
    return (names.schema.is_null() ? "" : quoted_name(names.schema.utf8()) + ".") + quoted_name(names.table.utf8());
}

/// As the caller, whose rights Postgres looks at.
void run_as_caller(const std::string &command) {
    struct Connection {
        Connection() {
            pg_call([] { SPI_connect(); });
        }
        ~Connection() { SPI_finish(); }
    } connection;
    pg_call([&] { sql::run(command); });
}

} // namespace

/// reverse_etl_internal.source_queries(): the columns of the view, in its order
SQL_FUNCTION(reverse_etl_source_queries) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *rows = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const SourceQueryRecord &record : SourceQueryEntry::visible()) {
            const char *state = state_name(record.state);
            pg_call([&] {
                Datum values[] = {Int32GetDatum(record.pid),
                                  ObjectIdGetDatum(record.role),
                                  ObjectIdGetDatum(record.server),
                                  ObjectIdGetDatum(record.table),
                                  text_datum(std::string_view(state)),
                                  text_datum(to_server_legible(record.id)),
                                  text_datum(to_server_legible(record.sql)),
                                  TimestampTzGetDatum(record.started_at),
                                  TimestampTzGetDatum(record.ended_at),
                                  Int64GetDatum(static_cast<int64>(record.rows)),
                                  Int64GetDatum(static_cast<int64>(record.bytes)),
                                  Int64GetDatum(record.source_bytes)};
                bool nulls[12] = {};
                nulls[3] = !OidIsValid(record.table);
                nulls[5] = record.id.empty();
                nulls[8] = record.ended_at == 0;
                nulls[11] = record.source_bytes < 0;
                tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
            });
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.import_query(server text, "table" text, sql text)
SQL_FUNCTION(reverse_etl_import_query) {
    guard([&] {
        pg_call([] { PreventCommandIfReadOnly("import_query()"); });
        const std::string server = text_argument(fcinfo, 0), query = text_argument(fcinfo, 2);
        const std::string table = table_name(text_argument(fcinfo, 1));
        const SourceCatalog catalog(usable_server(server), GetUserId());
        FreeNames names = names_of_columns();
        const std::string columns = joined(catalog.columns_of_query(query), ", ", [&](const SourceColumn &column) {
            return definition_of(column, names.name_for(column.field));
        });
        run_as_caller("CREATE FOREIGN TABLE " + table + " (" + columns + ") SERVER " + quoted_name(server) +
                      " OPTIONS (query " + quoted_text(query) + ")");
    });
    PG_RETURN_VOID();
}

/// reverse_etl.import_files(server text, "table" text, files text, format text, delimiter text, header boolean,
/// null_text text)
SQL_FUNCTION(reverse_etl_import_files) {
    guard([&] {
        pg_call([] { PreventCommandIfReadOnly("import_files()"); });
        const std::string server = text_argument(fcinfo, 0);
        const std::string table = table_name(text_argument(fcinfo, 1));
        Settings options = {{"files", text_argument(fcinfo, 2)}};
        for (const auto &[name, position] :
             {std::pair("format", 3), std::pair("delimiter", 4), std::pair("null_text", 6)})
            if (const std::string value = text_argument(fcinfo, position); !value.empty())
                options[name] = value;
        if (!PG_GETARG_BOOL(5))
            options["header"] = "false";
        FreeNames names = names_of_columns();
        const auto columns = sample_of_server(usable_server(server), GetUserId(), options);
        const std::string definitions = joined(columns, ", ", [&](const SampledColumn &column) {
            return quoted_name(names.name_for(column.field)) + " " + column.type + " OPTIONS (field " +
                   quoted_text(column.field) + ")";
        });
        run_as_caller(
            "CREATE FOREIGN TABLE " + table + " (" + definitions + ") SERVER " + quoted_name(server) + " OPTIONS (" +
            joined(options, ", ", [](const auto &option) { return option.first + " " + quoted_text(option.second); }) +
            ")");
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
