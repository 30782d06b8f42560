#include "postgres/streams/streams.h"

#include "postgres/border/act_as.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/key_forms.h"

#include <algorithm>

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

constexpr const char *by_name = R"(
    SELECT source::pg_catalog.oid, destination::pg_catalog.oid, owner::pg_catalog.oid,
           mapping, on_delete, on_truncate, search_path, columns
      FROM reverse_etl.streams WHERE name OPERATOR(pg_catalog.=) $1)";

/// The row as Postgres hands it out.
struct Row {
    Oid oids[3];
    ServerText texts[4];
    Datum columns;
};

bool read_row(const std::string &name, Row &row) {
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Oid types[] = {TEXTOID};
    Datum values[] = {text_datum(name)};
    if (SPI_execute_with_args(by_name, 1, types, values, nullptr, true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not read reverse_etl.streams");
    bool found = SPI_processed > 0;
    if (found) {
        HeapTuple tuple = SPI_tuptable->vals[0];
        TupleDesc descriptor = SPI_tuptable->tupdesc;
        bool is_null = false;
        MemoryContext spi = MemoryContextSwitchTo(caller);
        for (int i = 0; i < 3; i++)
            row.oids[i] = DatumGetObjectId(SPI_getbinval(tuple, descriptor, 1 + i, &is_null));
        for (int i = 0; i < 4; i++)
            row.texts[i] = sql::printed(0, 4 + i);
        row.columns = PointerGetDatum(DatumGetArrayTypePCopy(SPI_getbinval(tuple, descriptor, 8, &is_null)));
        MemoryContextSwitchTo(spi);
    }
    SPI_finish();
    return found;
}

std::vector<StreamStatements::KeyColumn> key_of(const Destination &destination,
                                                const std::vector<std::string> &columns) {
    std::vector<StreamStatements::KeyColumn> key;
    for (const DestinationColumn *column : destination.key_columns()) {
        if (std::find(columns.begin(), columns.end(), column->name) == columns.end())
            return {};
        key.push_back({column->name, qualified_type_name(column->type),
                       key_form_in_sql(column->type, column->collation, column)});
    }
    return key;
}

void check_columns(const Destination &destination, const std::vector<std::string> &columns) {
    for (const std::string &name : columns)
        if (std::none_of(destination.columns.begin(), destination.columns.end(),
                         [&](const DestinationColumn &column) { return column.name == name; }))
            throw Error(ERRCODE_UNDEFINED_COLUMN,
                        "destination \"" + destination.name + "\" has no column \"" + name + "\"", "",
                        "The mapping names the destination's columns: SELECT ... AS column FROM changed.");
}

void check_deletes(const Destination &destination, const std::vector<StreamStatements::KeyColumn> &key) {
    const char *hint = "Use on_delete => 'ignore' to send no deletes.";
    if (destination.object.operation(OperationKind::remove) == nullptr)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "destination \"" + destination.name + "\" cannot delete rows of a stream", "", hint);
    std::string names;
    for (const DestinationColumn *column : destination.key_columns())
        names += (names.empty() ? "\"" : ", \"") + column->name + "\"";
    if (names.empty())
        throw Error(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                    "destination \"" + destination.name + "\" has no key by which a stream could delete rows", "",
                    std::string("Set its table option \"key\". ") + hint);
    if (key.empty())
        throw Error(ERRCODE_UNDEFINED_COLUMN, "the mapping does not yield the key of \"" + destination.name + "\"",
                    "The key is " + names + ".", std::string("Add it to the mapping. ") + hint);
}

} // namespace

std::optional<StreamDefinition> find_stream(const std::string &name) {
    Row row;
    {
        sql::AsOwner owner;
        if (!pg_call([&] { return read_row(name, row); }))
            return std::nullopt;
    }
    StreamDefinition stream;
    stream.name = name;
    stream.source = row.oids[0];
    stream.destination = row.oids[1];
    stream.owner = row.oids[2];
    stream.mapping = row.texts[0].utf8();
    stream.on_delete = row.texts[1].utf8();
    stream.on_truncate = row.texts[2].utf8();
    stream.search_path = row.texts[3].utf8();
    stream.columns = texts_of(row.columns);
    return stream;
}

std::string mapping_by_name(Oid source, const Destination &destination) {
    std::string columns;
    for (const DestinationColumn &column : destination.columns) {
        AttrNumber found = pg_call([&] { return get_attnum(source, to_server(column.name).c_str()); });
        if (found > 0 && column.is_written_by(destination.object.insert))
            columns += (columns.empty() ? "" : ", ") + quoted_name(column.name);
    }
    if (columns.empty())
        throw Error(ERRCODE_UNDEFINED_COLUMN,
                    "no column of " + qualified_name(source) + " has the name of a column of \"" + destination.name +
                        "\"",
                    "", "Say with a mapping which column goes where: SELECT ... AS column FROM changed.");
    return "SELECT " + columns + " FROM " + changed;
}

AnalysedStream analyse(const StreamDefinition &stream) {
    check_is_destination(stream.destination);
    Destination destination(stream.destination);
    std::vector<std::string> key_names;
    for (const DestinationColumn *column : destination.key_columns())
        key_names.push_back(column->name);
    std::string query = stream.mapping.empty() ? mapping_by_name(stream.source, destination) : stream.mapping;
    Mapping mapping = analyse(query, key_names);

    std::vector<std::string> columns = stream.columns.empty() ? mapping.columns : stream.columns;
    check_columns(destination, columns);
    std::vector<StreamStatements::KeyColumn> key = key_of(destination, columns);
    if (stream.deletes())
        check_deletes(destination, key);
    return {std::move(mapping), columns, std::move(key_names), {stream.destination, query, columns, key}};
}

} // namespace reverse_etl
