#include "postgres/outbox/level.h"

#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/outbox/table.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/statistics.h"

#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "access/table.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// No row of the outbox takes less: in a pack a distance, a size and a value.
constexpr std::uint64_t least_row_bytes = 3;

struct Level {
    std::uint64_t rows, bytes;
};

/// Without shared memory the size of the table tells; rows are counted only if there might be too many.
Level measure(Oid destination, std::uint64_t most_rows) {
    sql::AsOwner owner;
    return pg_call([&] {
        Relation table = table_open(outbox_table_of(destination), AccessShareLock);
        Level level{0, static_cast<std::uint64_t>(RelationGetNumberOfBlocks(table)) * BLCKSZ};
        if (level.bytes / least_row_bytes > most_rows) {
            SPI_connect();
            // The second byte of a pack is its number of rows.
            const char *query =
                psprintf("SELECT pg_catalog.sum(COALESCE(pg_catalog.get_byte(pack, 1), 1))::pg_catalog.int8 "
                         "FROM ONLY %s.%s WHERE destination OPERATOR(pg_catalog.=) %u",
                         internal_schema, ServerText(table->rd_rel->relname).c_str(), destination);
            sql::run(query, true);
            bool is_null;
            const Datum rows = sql::column(0, 1, &is_null);
            level.rows = is_null ? 0 : static_cast<std::uint64_t>(DatumGetInt64(rows));
            SPI_finish();
        }
        table_close(table, NoLock);
        return level;
    });
}

/// What this transaction, or a subtransaction of it that has not ended, has queued for a destination.
struct QueuedRows {
    SubTransactionId subtransaction;
    Oid destination;
    std::unique_ptr<Statistics> statistics;
    std::uint64_t rows, bytes;
};
std::vector<QueuedRows> &queued_rows() {
    static std::vector<QueuedRows> queued;
    return queued;
}

QueuedRows *find_queued_rows(SubTransactionId subtransaction, Oid destination) {
    for (QueuedRows &queued : queued_rows())
        if (queued.subtransaction == subtransaction && queued.destination == destination)
            return &queued;
    return nullptr;
}

/// What a subtransaction queued is its parent's once it has ended.
void hand_to_parent(SubTransactionId subtransaction, SubTransactionId parent) {
    for (auto queued = queued_rows().begin(); queued != queued_rows().end();) {
        QueuedRows *of_parent =
            queued->subtransaction == subtransaction ? find_queued_rows(parent, queued->destination) : nullptr;
        if (of_parent != nullptr) {
            of_parent->rows += queued->rows;
            of_parent->bytes += queued->bytes;
            queued = queued_rows().erase(queued);
            continue;
        }
        if (queued->subtransaction == subtransaction)
            queued->subtransaction = parent;
        ++queued;
    }
}

} // namespace

void check_outbox_level(const Destination &destination, std::uint64_t rows, std::uint64_t bytes) {
    auto most_rows = static_cast<std::uint64_t>(destination.outbox.max_rows);
    auto most_bytes = static_cast<std::uint64_t>(destination.outbox.max_bytes);
    Level level;
    if (shared_memory::is_there()) {
        auto [waiting_rows, waiting_bytes] = Statistics(destination.relation).waiting();
        level = {static_cast<std::uint64_t>(waiting_rows), static_cast<std::uint64_t>(waiting_bytes)};
    } else {
        level = measure(destination.relation, most_rows);
    }
    bool by_rows = level.rows + rows > most_rows;
    if (!by_rows && level.bytes + bytes <= most_bytes)
        return;
    throw Error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "the outbox of \"" + destination.name + "\" is full",
                by_rows ? std::to_string(level.rows) + " rows wait, and \"outbox_max_rows\" allows " +
                              std::to_string(most_rows) + "."
                        : std::to_string(level.bytes) + " bytes wait, and \"outbox_max_bytes\" allows " +
                              std::to_string(most_bytes) + ".",
                "reverse_etl.destinations tells what keeps the rows. Mend that, or raise the option.");
}

void raise_outbox_level_at_commit(Oid destination, std::uint64_t rows, std::uint64_t bytes) {
    if (!shared_memory::is_there())
        return;
    SubTransactionId subtransaction = GetCurrentSubTransactionId();
    QueuedRows *queued = find_queued_rows(subtransaction, destination);
    if (queued == nullptr)
        queued = &queued_rows().emplace_back(
            QueuedRows{subtransaction, destination, std::make_unique<Statistics>(destination), 0, 0});
    queued->rows += rows;
    queued->bytes += bytes;
}

void outbox_level_at(XactEvent event) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
        for (const QueuedRows &queued : queued_rows())
            queued.statistics->add_waiting(static_cast<std::int64_t>(queued.rows),
                                           static_cast<std::int64_t>(queued.bytes));
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE || event == XACT_EVENT_ABORT)
        queued_rows().clear();
}

void outbox_level_at(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent) {
    // Its own subtransactions have ended before it.
    if (event == SUBXACT_EVENT_ABORT_SUB)
        std::erase_if(queued_rows(), [&](const QueuedRows &one) { return one.subtransaction == subtransaction; });
    else if (event == SUBXACT_EVENT_COMMIT_SUB)
        hand_to_parent(subtransaction, parent);
}

} // namespace reverse_etl
