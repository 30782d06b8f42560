#include "postgres/outbox/removal.h"

#include "postgres/border/border.h"
#include "postgres/border/table_writer.h"
#include "postgres/outbox/rewriter.h"
#include "postgres/outbox/scan.h"
#include "postgres/outbox/table.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// How often is looked for rows that were moved meanwhile, by hand.
constexpr int most_looks = 3;

enum class What { remove, unpack };

BlockNumber block_of(const FoundPlace &row) {
    return static_cast<BlockNumber>(row.place >> 16);
}

/// Rows that are said to lie in one tuple, in rising order.
struct Group {
    const FoundPlace *rows;
    std::size_t count;
    enum class Kind {
        missed, ///< they do not lie there
        row,
        pack, ///< all that is in it
        part
    } kind;
    HeapTuple tuple; ///< a copy of what is to be stored anew
};

/// Whether the rows are those of the pack, or some of them.
Group::Kind kind_of(std::string_view distances, int64 first_id, const Group &group) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < group.count; i++) {
        while (at < distances.size() && first_id + static_cast<unsigned char>(distances[at]) < group.rows[i].id)
            at++;
        if (at == distances.size() || first_id + static_cast<unsigned char>(distances[at]) != group.rows[i].id)
            return Group::Kind::missed;
    }
    return group.count == distances.size() ? Group::Kind::pack : Group::Kind::part;
}

/// One of the outbox's tables. Calls belong inside pg_call.
struct Table {
    Relation relation;
    outbox::Columns columns;

    /// Looks whether the rows still lie in this page, which is locked. Else they were moved; or somebody may have
    /// deleted them by hand, and then others may lie there.
    void look(Buffer buffer, Group &group, What what) const;
    /// The same for groups of one page, under one lock. An index scan would look for each on its own, and would tidy up
    /// a page of which nothing is to be left.
    void look_at_page(Group *groups, std::size_t count, What what) const;
    bool remove(const FoundPlace &row) const;
};

void Table::look(Buffer buffer, Group &group, What what) const {
    const Page page = BufferGetPage(buffer);
    const auto offset = static_cast<OffsetNumber>(group.rows->place);
    if (offset < FirstOffsetNumber || offset > PageGetMaxOffsetNumber(page))
        return;
    const ItemId item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item))
        return;
    HeapTupleData tuple;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    tuple.t_tableOid = RelationGetRelid(relation);
    ItemPointerSet(&tuple.t_self, block_of(*group.rows), offset);
    bool is_null;
    const int64 id = DatumGetInt64(heap_getattr(&tuple, columns[outbox::id] + 1, RelationGetDescr(relation), &is_null));
    const Datum pack = heap_getattr(&tuple, columns[outbox::pack] + 1, RelationGetDescr(relation), &is_null);
    Group::Kind kind = Group::Kind::missed;
    if (!is_null)
        kind = kind_of(row_pack::distances(outbox::pack_of(pack)), id, group);
    else if (group.count == 1 && id == group.rows->id)
        kind = Group::Kind::row;
    if (kind == Group::Kind::missed || !HeapTupleSatisfiesVisibility(&tuple, GetActiveSnapshot(), buffer))
        return;
    group.kind = kind;
    if (kind == Group::Kind::part || (kind == Group::Kind::pack && what == What::unpack))
        group.tuple = heap_copytuple(&tuple);
}

void Table::look_at_page(Group *groups, std::size_t count, What what) const {
    const Buffer buffer = ReadBuffer(relation, block_of(*groups->rows));
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    for (std::size_t i = 0; i < count; i++)
        look(buffer, groups[i], what);
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    for (std::size_t i = 0; i < count; i++) {
        const bool stays =
            groups[i].kind == Group::Kind::missed || (groups[i].kind == Group::Kind::row && what == What::unpack);
        if (!stays && !remove(*groups[i].rows))
            groups[i].kind = Group::Kind::missed;
    }
    ReleaseBuffer(buffer);
}

bool Table::remove(const FoundPlace &row) const {
    ItemPointerData tid;
    ItemPointerSet(&tid, block_of(row), static_cast<OffsetNumber>(row.place));
    TM_FailureData failure;
    return table_tuple_delete(relation, &tid, GetCurrentCommandId(true), GetActiveSnapshot(), InvalidSnapshot, true,
                              &failure, false) == TM_Ok;
}

/// Rows that lie in one tuple stand side by side, and tuples of one page, too.
std::vector<Group> groups_of(const std::vector<FoundPlace> &rows) {
    std::vector<Group> groups;
    for (const FoundPlace &row : rows)
        if (!groups.empty() && groups.back().rows->place == row.place)
            groups.back().count++;
        else
            groups.push_back({&row, 1, Group::Kind::missed, nullptr});
    return groups;
}

/// Answers the rows that do not lie where they are said to.
std::vector<FoundPlace> take_out(Oid oid, std::vector<FoundPlace> &rows, What what) {
    std::sort(rows.begin(), rows.end(), [](const FoundPlace &one, const FoundPlace &other) {
        return std::pair(one.place, one.id) < std::pair(other.place, other.id);
    });
    // One that was put off twice is told of twice.
    rows.erase(std::unique(rows.begin(), rows.end(),
                           [](const FoundPlace &one, const FoundPlace &other) { return one.id == other.id; }),
               rows.end());
    std::vector<Group> groups = groups_of(rows);
    Table table = pg_call([&] {
        Relation relation = table_open(oid, RowExclusiveLock);
        const BlockNumber blocks = RelationGetNumberOfBlocks(relation);
        const Table opened{relation, outbox::Columns(relation)};
        for (std::size_t first = 0, end; first < groups.size(); first = end) {
            const BlockNumber block = block_of(*groups[first].rows);
            for (end = first + 1; end < groups.size() && block_of(*groups[end].rows) == block;)
                end++;
            if (block < blocks)
                opened.look_at_page(&groups[first], end - first, what);
        }
        return opened;
    });
    std::vector<FoundPlace> missed;
    std::optional<PackRewriter> rewriter;
    for (const Group &group : groups) {
        if (group.kind == Group::Kind::missed)
            missed.insert(missed.end(), group.rows, group.rows + group.count);
        if (group.kind == Group::Kind::missed || group.tuple == nullptr)
            continue;
        if (!rewriter)
            rewriter.emplace(oid);
        std::vector<int64> ids;
        for (std::size_t i = 0; i < group.count; i++)
            ids.push_back(group.rows[i].id);
        rewriter->store(group.tuple, ids, what == What::unpack);
    }
    if (rewriter)
        rewriter->finish();
    pg_call([&] { table_close(table.relation, NoLock); });
    return missed;
}

/// Where those of the rows lie that are there.
std::vector<FoundPlace> places_of(Oid table, Oid destination, const std::vector<FoundPlace> &rows) {
    std::vector<int64> ids;
    for (const FoundPlace &row : rows)
        ids.push_back(row.id);
    std::sort(ids.begin(), ids.end());
    std::vector<FoundPlace> places;
    for_each_row(table, destination, ids, [&](OutboxScan &, const FoundRow &found) {
        places.push_back({found.id, found.place});
    });
    return places;
}

void take_out_all(Oid table, Oid destination, std::vector<FoundPlace> rows, What what) {
    for (int i = 0; i <= most_looks && !rows.empty(); i++) {
        // What this transaction has deleted or stored anew is seen to be.
        pg_call([] {
            CommandCounterIncrement();
            PushActiveSnapshot(GetLatestSnapshot());
        });
        if (i > 0)
            rows = places_of(table, destination, rows);
        rows = take_out(table, rows, what);
        pg_call([] { PopActiveSnapshot(); });
    }
}

} // namespace

void remove_rows(Oid table, Oid destination, std::vector<FoundPlace> rows) {
    take_out_all(table, destination, std::move(rows), What::remove);
}

void unpack_rows(Oid table, Oid destination, std::vector<FoundPlace> rows) {
    take_out_all(table, destination, std::move(rows), What::unpack);
    pg_call([] { CommandCounterIncrement(); });
}

} // namespace reverse_etl
