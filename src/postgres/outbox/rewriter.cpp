#include "postgres/outbox/rewriter.h"

#include "postgres/border/border.h"
#include "postgres/outbox/read_pack.h"

#include <algorithm>

extern "C" {
#include "access/htup_details.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// Of a pack that is stored again this part has left at least.
constexpr std::size_t least_part = 16;

} // namespace

PackRewriter::PackRewriter(Oid table) : table_(pg_call([&] { return TableWriter(table, CurrentMemoryContext); })) {
    pg_call([&] {
        columns_ = outbox::Columns(table_.relation());
        const int count = RelationGetNumberOfAttributes(table_.relation());
        values_ = static_cast<Datum *>(palloc(sizeof(Datum) * count));
        nulls_ = static_cast<bool *>(palloc(sizeof(bool) * count));
    });
}

void PackRewriter::store(HeapTuple pack, const std::vector<int64> &taken, bool keeps_taken) {
    pg_call([&] {
        heap_deform_tuple(pack, RelationGetDescr(table_.relation()), values_, nulls_);
        pack_ = outbox::pack_of(values_[columns_[outbox::pack]]);
    });
    first_id_ = DatumGetInt64(values_[columns_[outbox::id]]);
    read_pack([&] { store_rest_of(taken, keeps_taken); });
}

void PackRewriter::store_rest_of(const std::vector<int64> &taken, bool keeps_taken) {
    const std::string_view distances = row_pack::distances(pack_);
    const bool packs_again = taken.size() * least_part >= distances.size();
    rest_.clear();
    rows_.begin(pack_);
    while (rows_.next()) {
        const int64 id = first_id_ + static_cast<int64>(rows_.distance());
        const bool leaves = std::binary_search(taken.begin(), taken.end(), id);
        if (leaves && !keeps_taken)
            continue;
        if (!leaves && packs_again) {
            rest_ += static_cast<char>(rows_.distance());
            continue;
        }
        put_rest();
        put_row(id);
    }
    put_rest();
}

/// The row that was read last.
void PackRewriter::put_row(int64 id) {
    rows_.write(row_, key_, places_);
    put(id, key_, row_, {});
}

void PackRewriter::put_rest() {
    if (rest_.empty())
        return;
    put(first_id_ + static_cast<unsigned char>(rest_.front()), {}, {}, row_pack::part(pack_, rest_));
    rest_.clear();
}

void PackRewriter::put(int64 id, std::string_view key, std::string_view row, std::string_view pack) {
    pg_call([&] {
        TupleTableSlot *slot = table_.begin_row();
        const int count = slot->tts_tupleDescriptor->natts;
        std::copy_n(values_, count, slot->tts_values);
        std::copy_n(nulls_, count, slot->tts_isnull);
        auto set = [&](outbox::Column column, std::string_view bytes, bool is_pack) {
            const int place = columns_[column];
            slot->tts_isnull[place] = bytes.empty();
            if (!bytes.empty())
                slot->tts_values[place] = is_pack ? outbox::pack_datum(bytes) : text_datum(bytes);
        };
        slot->tts_values[columns_[outbox::id]] = Int64GetDatum(id);
        set(outbox::key, key, false);
        set(outbox::row, row, false);
        set(outbox::pack, pack, true);
        table_.end_row(key.size() + row.size() + pack.size());
    });
}

void PackRewriter::finish() {
    pg_call([&] { table_.finish(); });
}

} // namespace reverse_etl
