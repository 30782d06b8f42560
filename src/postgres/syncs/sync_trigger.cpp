#include "postgres/syncs/sync_trigger.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/schema_version.h"
#include "postgres/border/sql.h"
#include "postgres/streams/mapping.h"
#include "postgres/syncs/model.h"
#include "postgres/syncs/sync_outbox.h"

#include <cstdlib>
#include <optional>

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

constexpr const char *before = "changed_before";

TriggerData *trigger_data(FunctionCallInfo call) {
    auto *data = reinterpret_cast<TriggerData *>(call->context);
    if (!CALLED_AS_TRIGGER(call) || data->tg_trigger->tgnargs != 1 || !TRIGGER_FIRED_AFTER(data->tg_event) ||
        (data->tg_newtable == nullptr && data->tg_oldtable == nullptr))
        throw Error(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "push_sync is for the triggers that stream_sync makes");
    return data;
}

/// The query for the keys of changed rows; nothing if the sync is not fed by this table. In the open connection to SPI.
std::optional<std::string> keys_query(int32 sync, Oid source) {
    sql::AsOwner owner;
    uint64 found = pg_call([&] {
        return sql::execute("SELECT keys FROM reverse_etl_internal.sync_streams WHERE sync_id = $1 AND source = $2",
                            {sql::int4(sync), sql::oid(source)});
    });
    if (found == 0)
        return std::nullopt;
    return sql::printed_column(0, 1);
}

SyncDefinition sync_of(int32 id) {
    sql::AsOwner owner;
    return find_sync(id);
}

/// As it is from here to the end of the transaction.
SyncDefinition streamed_sync(int32 id) {
    for (;;) {
        SyncDefinition sync = sync_of(id);
        lock_destination(sync);
        if (begin_streaming(sync))
            return sync;
    }
}

/// Whether rows are under way that are neither in the outbox nor in the state: a run sends them straight. What is
/// queued now leaves after them.
bool is_sent_straight(const SyncDefinition &sync) {
    sql::AsOwner owner;
    return pg_call([&] {
        return sql::execute(
                   "SELECT FROM reverse_etl_internal.straight_runs AS t JOIN reverse_etl.runs AS r ON r.id = t.run_id "
                   "WHERE r.sync_id = $1",
                   {sql::int4(sync.id)}) > 0;
    });
}

/// The keys that the rows have, and those that they had.
std::string keys_of(const std::string &query, const SyncStatements &statements, bool has_before) {
    std::string now = "SELECT " + statements.key("mapped.") + " FROM (" + query + "\n) AS mapped";
    if (!has_before)
        return "SELECT DISTINCT * FROM (" + now + ") AS touched";
    return now + " UNION SELECT * FROM (WITH changed AS (SELECT * FROM " + before + ") " + now + ") AS touched";
}

ResultRows touched_keys(const std::string &query) {
    OneSnapshot snapshot;
    return ResultRows::of(query);
}

} // namespace

Datum push_sync(FunctionCallInfo call) {
    check_version(); // before the locks of what is known already
    TriggerData *data = trigger_data(call);
    Oid source = RelationGetRelid(data->tg_relation);
    Tuplestorestate *rows = data->tg_newtable != nullptr ? data->tg_newtable : data->tg_oldtable;
    if (tuplestore_tuple_count(rows) == 0)
        return PointerGetDatum(nullptr);
    pg_call([] { SPI_connect(); });
    auto id = static_cast<int32>(std::strtol(data->tg_trigger->tgargs[0], nullptr, 10));
    if (std::optional<std::string> query = keys_query(id, source)) {
        SyncDefinition sync = streamed_sync(id);
        model_of(sync); // says what is wrong with it
        SyncStatements statements(sync);
        const bool state_tells = !is_sent_straight(sync);
        ActAs owner(sync.owner, sync.search_path);
        bool has_before = data->tg_newtable != nullptr && data->tg_oldtable != nullptr;
        pg_call([&] {
            show_rows(changed, source, rows);
            if (has_before)
                show_rows(before, source, data->tg_oldtable);
        });
        ResultRows keys = touched_keys(keys_of(*query, statements, has_before));
        keys.show_as("#keys");
        SyncDiff diff = SyncDiff::find_among_keys(sync, statements, state_tells);
        Destination *destination = open_destination(sync.destination, CurrentMemoryContext);
        SyncOutbox outbox(sync, 0, *destination, SyncOperations::choose(sync, *destination), CurrentMemoryContext);
        take_apart(sync, diff, *destination, outbox, CurrentMemoryContext);
        outbox.finish();
    }
    pg_call([] { SPI_finish(); });
    return PointerGetDatum(nullptr);
}

} // namespace reverse_etl
