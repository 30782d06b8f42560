#include "postgres/syncs/resync.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/condition.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/destination.h"
#include "postgres/streams/statements.h"
#include "postgres/syncs/diff.h"
#include "postgres/syncs/model.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/source_diff.h"

extern "C" {
#include "executor/spi.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

/// Rows of a query that runs as the sync's owner.
ResultRows read_as_owner(const SyncDefinition &sync, const std::string &query) {
    ActAs owner(sync.owner, sync.search_path);
    OneSnapshot snapshot;
    return ResultRows::of(query);
}

/// Where the source makes the hashes, they come with the model's rows.
ResultRows show_source(const SyncDefinition &sync, SyncStatements &statements) {
    if (!sync.at_source)
        return {};
    ActAs owner(sync.owner, sync.search_path);
    OneSnapshot snapshot;
    ResultRows rows = all_rows_of_source(sync);
    rows.show_as("#source");
    statements.take_shown_model();
    return rows;
}

/// Changes the state, which belongs to the extension. How many rows were.
std::int64_t write_state(const SyncDefinition &sync, const std::string &statement) {
    sql::AsOwner owner;
    return pg_call([&] {
        auto rows = static_cast<std::int64_t>(sql::run(statement));
        // What the state no longer tells for sure is no ground to remove anything.
        sql::execute("UPDATE reverse_etl_internal.sync_definitions SET may_remove = false WHERE id = $1",
                     {sql::int4(sync.id)});
        return rows;
    });
}

/// The column as the destination would hold it, in a text that can be compared whatever the type is.
std::string as_text(const Destination &destination, const std::string &name, const char *prefix) {
    for (const DestinationColumn &column : destination.columns)
        if (column.name == name) {
            return prefix + quoted_name(name) + "::" + type_name(column.type, column.typmod) + "::text";
        }
    throw Error(ERRCODE_UNDEFINED_COLUMN,
                "destination \"" + destination.name + "\" has no column \"" + name + "\" any more");
}

/// The rows of the model that the destination has: the key, the hash, and whether the values are the same.
std::string held_rows(const SyncDefinition &sync, const SyncStatements &statements, const Destination &destination) {
    std::string same, columns;
    for (const std::string &name : sync.columns) {
        same += (same.empty() ? "" : " AND ") + as_text(destination, name, "d.") + " IS NOT DISTINCT FROM " +
                as_text(destination, name, "m.");
        columns += (columns.empty() ? "" : ", ") + quoted_name(name);
    }
    std::string table = qualified_name(sync.destination);
    // One column of a key may be looked up, many rows a request; else all rows of the destination are read.
    std::string wanted;
    if (sync.key.size() == 1 && looks_up_by(destination, sync.key)) {
        std::string key = quoted_name(sync.key.front());
        wanted = " WHERE " + key + " = ANY (ARRAY(SELECT m." + key + " FROM " + statements.model() + " WHERE m." + key +
                 " IS NOT NULL))";
    }
    return "SELECT DISTINCT ON (" + statements.key_forms("m.") + ") " + statements.key("m.") + ", " +
           statements.hash() + " AS \"#hash\", " + same + " AS \"#same\" FROM " + statements.model() +
           " JOIN (SELECT " + columns + " FROM " + table + wanted + ") AS d ON " + statements.same_key("d.", "m.");
}

/// The keys of the model's rows of which nobody knows whether the destination has them.
std::string in_doubt(const SyncDefinition &sync, const SyncStatements &statements) {
    return "SELECT " + statements.key("r.") + " FROM " + SyncStatements::rows_table(sync.id) +
           " AS r WHERE r.\"#change\" = '?' AND EXISTS (SELECT FROM " + statements.model() + " WHERE " +
           statements.same_key("r.", "m.") + ")";
}

/// Of the rows with these keys it is known, or nobody minds. How many were in doubt.
std::int64_t forget_doubt(const SyncDefinition &sync, const SyncStatements &statements, const ResultRows &keys) {
    keys.show_as("settled");
    return write_state(sync, "DELETE FROM " + SyncStatements::rows_table(sync.id) +
                                 " AS r USING settled WHERE r.\"#change\" = '?' AND " +
                                 statements.same_key("r.", "settled."));
}

} // namespace

std::int64_t resync(const std::string &name, const std::string &condition) {
    pg_call([] { SPI_connect(); });
    SyncDefinition sync = find_sync(name);
    model_of(sync); // says what is wrong with it
    SyncStatements statements(sync);
    ResultRows rows = read_as_owner(sync, "SELECT " + statements.key("m.") + " FROM " + statements.model() + " WHERE " +
                                              one_condition(condition));
    rows.show_as("wanted");
    std::int64_t forgotten =
        write_state(sync, "UPDATE " + SyncStatements::state_table(sync.id) +
                              " AS s SET \"#hash\" = NULL FROM wanted WHERE " + statements.same_key("s.", "wanted."));
    // Whoever asks for it wants those sent, too, of which nobody knows whether the destination has them.
    forgotten += forget_doubt(sync, statements, rows);
    pg_call([] { SPI_finish(); });
    return forgotten;
}

std::int64_t adopt(const std::string &name) {
    pg_call([] { SPI_connect(); });
    SyncDefinition sync = find_sync(name);
    if (sync.by_cursor())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "sync \"" + name + "\" has a cursor, and keeps no state of its rows");
    model_of(sync); // says what is wrong with it
    SyncStatements statements(sync);
    lock_destination(sync);
    Destination *destination = open_destination(sync.destination, CurrentMemoryContext);
    const ResultRows of_source = show_source(sync, statements);
    ResultRows asked = read_as_owner(sync, in_doubt(sync, statements));
    ResultRows rows = read_as_owner(sync, held_rows(sync, statements, *destination));
    rows.show_as("held");
    std::string key = statements.key("");
    write_state(sync, "INSERT INTO " + SyncStatements::state_table(sync.id) + " (" + key + ", \"#hash\") SELECT " +
                          key + ", CASE WHEN \"#same\" THEN \"#hash\" END FROM held ON CONFLICT (" +
                          statements.key_forms("") + ") DO UPDATE SET \"#hash\" = excluded.\"#hash\"");
    forget_doubt(sync, statements, asked);
    pg_call([] { SPI_finish(); });
    return rows.count();
}

} // namespace reverse_etl
