#include "postgres/syncs/sightings.h"

#include "postgres/border/border.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql_function.h"
#include "postgres/syncs/state_cursor.h"

#include <new>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// Words of bits for each block: more than a page has rows.
constexpr std::size_t words_of_block = (MaxHeapTuplesPerPage + 64) / 64;

enum class Lets : std::int32_t { all, unknown, differing };

} // namespace

/// Who calls the functions below with a handle could be anybody: the token tells those who were told of it.
struct Sightings::Shared {
    std::int64_t token;
    std::uint64_t blocks;
    Lets lets;
    StateCursor::State state;
    pg_atomic_uint64 rows, known, unchanged, twice, undecided;
    pg_atomic_uint64 bits[];

    bool has(const ItemPointerData &place) const {
        return ItemPointerGetBlockNumberNoCheck(&place) < blocks &&
               ItemPointerGetOffsetNumberNoCheck(&place) < words_of_block * 64;
    }
    std::pair<pg_atomic_uint64 *, std::uint64_t> bit_of(const ItemPointerData &place) {
        std::size_t offset = ItemPointerGetOffsetNumberNoCheck(&place);
        return {&bits[ItemPointerGetBlockNumberNoCheck(&place) * words_of_block + offset / 64],
                std::uint64_t{1} << offset % 64};
    }
};

namespace {

/// What a process has seen since it began: it is added to what all have seen when its part of the query ends.
struct Seen {
    Sightings::Shared *shared = nullptr; ///< nullptr: the segment is gone
    dsm_segment *segment = nullptr;
    bool is_own = false; ///< it was attached for this
    StateCursor *cursor = nullptr;
    std::uint64_t rows = 0, known = 0, unchanged = 0, twice = 0, undecided = 0;

    Sightings::Fate take(const ItemPointerData &place, bool has_hash, bool is_same);
};

/// A row whose key the state has.
Sightings::Fate Seen::take(const ItemPointerData &place, bool has_hash, bool is_same) {
    auto [word, bit] = shared->bit_of(place);
    known++;
    twice += (pg_atomic_fetch_or_u64(word, bit) & bit) != 0;
    unchanged += is_same;
    const Lets lets = shared->lets;
    const bool passes = lets == Lets::all || (lets == Lets::unknown ? !has_hash : !is_same);
    return passes ? Sightings::is_known : Sightings::passed_over;
}

void lose_segment(dsm_segment *, Datum seen) {
    reinterpret_cast<Seen *>(DatumGetPointer(seen))->shared = nullptr;
}

void add_seen(void *of_call) {
    auto *seen = static_cast<Seen *>(of_call);
    if (seen->shared == nullptr)
        return;
    pg_atomic_fetch_add_u64(&seen->shared->rows, static_cast<int64>(seen->rows));
    pg_atomic_fetch_add_u64(&seen->shared->known, static_cast<int64>(seen->known));
    pg_atomic_fetch_add_u64(&seen->shared->unchanged, static_cast<int64>(seen->unchanged));
    pg_atomic_fetch_add_u64(&seen->shared->twice, static_cast<int64>(seen->twice));
    pg_atomic_fetch_add_u64(&seen->shared->undecided, static_cast<int64>(seen->undecided));
    cancel_on_dsm_detach(seen->segment, lose_segment, PointerGetDatum(seen));
    if (seen->is_own)
        dsm_detach(seen->segment);
}

/// What the first two arguments of the call name, kept from row to row.
Seen &seen_of(FunctionCallInfo call) {
    FmgrInfo *function = call->flinfo;
    if (function->fn_extra != nullptr)
        return *static_cast<Seen *>(function->fn_extra);
    return *guard([&] {
        if (call->args[0].isnull || call->args[1].isnull)
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "sightings are named by a number and a token");
        auto handle = static_cast<dsm_handle>(call->args[0].value);
        std::int64_t token = DatumGetInt64(call->args[1].value);
        Seen *made = pg_call([&] {
            auto *seen = new (MemoryContextAllocZero(function->fn_mcxt, sizeof(Seen))) Seen();
            seen->segment = dsm_find_mapping(handle);
            if (seen->segment == nullptr) {
                seen->segment = dsm_attach(handle);
                seen->is_own = true;
            }
            return seen;
        });
        auto *shared = made->segment != nullptr && dsm_segment_map_length(made->segment) >= sizeof(Sightings::Shared)
                           ? static_cast<Sightings::Shared *>(dsm_segment_address(made->segment))
                           : nullptr;
        if (shared == nullptr || shared->token != token)
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "there are no such sightings");
        pg_call([&] {
            auto *callback = static_cast<MemoryContextCallback *>(
                MemoryContextAllocZero(function->fn_mcxt, sizeof(MemoryContextCallback)));
            on_dsm_detach(made->segment, lose_segment, PointerGetDatum(made));
            made->shared = shared;
            callback->func = add_seen;
            callback->arg = made;
            MemoryContextRegisterResetCallback(function->fn_mcxt, callback);
        });
        function->fn_extra = made;
        return made;
    });
}

/// Over the forms of the key. Call inside pg_call.
Oid unique_index_of(Relation state) {
    Oid found = InvalidOid;
    List *indexes = RelationGetIndexList(state);
    ListCell *cell;
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        if (index->rd_index->indisunique && index->rd_index->indisvalid)
            found = lfirst_oid(cell);
        index_close(index, AccessShareLock);
    }
    list_free(indexes);
    return found;
}

} // namespace

Sightings::Sightings(const SyncDefinition &sync) {
    std::int64_t token = 0;
    pg_call([&] {
        if (!pg_strong_random(&token, sizeof(token)))
            elog(ERROR, "could not draw a random number");
        Relation state = table_open(internal_relation(psprintf("sync_%d_state", sync.id)), AccessShareLock);
        const BlockNumber blocks = RelationGetNumberOfBlocks(state);
        const StateCursor::State of_cursor{RelationGetRelid(state), unique_index_of(state), blocks,
                                           static_cast<int>(sync.key.size()), own_column(state, "#hash") + 1};
        table_close(state, NoLock);
        segment_ = dsm_create(sizeof(Shared) + blocks * words_of_block * sizeof(pg_atomic_uint64), 0);
        shared_ = static_cast<Shared *>(dsm_segment_address(segment_));
        shared_->token = token;
        shared_->blocks = blocks;
        shared_->state = of_cursor;
        for (pg_atomic_uint64 *count :
             {&shared_->rows, &shared_->known, &shared_->unchanged, &shared_->twice, &shared_->undecided})
            pg_atomic_init_u64(count, 0);
        for (std::size_t i = 0; i < blocks * words_of_block; i++)
            pg_atomic_init_u64(&shared_->bits[i], 0);
    });
    shared_->lets = sends_unchanged(sync.mode) ? Lets::all
                    : sends_changed(sync.mode) ? Lets::differing
                                               : Lets::unknown; // the hash is gone where a row is to be sent again
}

Sightings::~Sightings() {
    dsm_detach(segment_);
}

std::string Sightings::arguments() const {
    return std::to_string(dsm_segment_handle(segment_)) + ", " + std::to_string(shared_->token);
}

std::string Sightings::fate(const std::string &hash, const std::string &key, const std::string &forms) const {
    return "reverse_etl_internal.fate(" + arguments() + ", " + hash + ", " + key + ", " + forms + ")";
}

std::string Sightings::condition(const std::string &hash) const {
    return "reverse_etl_internal.sees(" + arguments() + ", s.ctid, s.\"#hash\", " + hash + ")";
}

std::string Sightings::is_gone() const {
    return "NOT reverse_etl_internal.was_seen(" + arguments() + ", s.ctid)";
}

std::int64_t Sightings::rows() const {
    return static_cast<std::int64_t>(pg_atomic_read_u64(&shared_->rows));
}

bool Sightings::any_undecided() const {
    return pg_atomic_read_u64(&shared_->undecided) > 0;
}

std::int64_t Sightings::known() const {
    return static_cast<std::int64_t>(pg_atomic_read_u64(&shared_->known));
}

std::int64_t Sightings::unchanged() const {
    return static_cast<std::int64_t>(pg_atomic_read_u64(&shared_->unchanged));
}

bool Sightings::any_twice() const {
    return pg_atomic_read_u64(&shared_->twice) > 0;
}

namespace {

/// The cursor of a call, made for the first row. The arguments behind the hash are the key, and the same in its forms.
StateCursor &cursor_of(FunctionCallInfo call, Seen &seen) {
    if (seen.cursor != nullptr)
        return *seen.cursor;
    const StateCursor::State &state = seen.shared->state;
    if (call->nargs != 3 + 2 * state.keys)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the key has %d columns", state.keys)));
    MemoryContext context = call->flinfo->fn_mcxt;
    auto *made = new (MemoryContextAlloc(context, sizeof(StateCursor))) StateCursor(state, context);
    for (int i = 0; i < state.keys; i++)
        if (!made->takes(i, get_fn_expr_argtype(call->flinfo, 3 + i),
                         get_fn_expr_argtype(call->flinfo, 3 + state.keys + i)))
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the key has other types")));
    return *(seen.cursor = made);
}

} // namespace

/// reverse_etl_internal.fate(sightings bigint, token bigint, hash bigint, VARIADIC key_and_forms "any")
SQL_FUNCTION(reverse_etl_fate) {
    Seen &seen = seen_of(fcinfo);
    if (seen.shared == nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there are no such sightings")));
    StateCursor &cursor = cursor_of(fcinfo, seen);
    const int keys = seen.shared->state.keys;
    Datum values[2 * INDEX_MAX_KEYS];
    for (int i = 0; i < 2 * keys; i++) {
        if (PG_ARGISNULL(3 + i)) {
            seen.rows++;
            PG_RETURN_INT32(Sightings::is_new);
        }
        values[i] = PG_GETARG_DATUM(3 + i);
    }
    StateCursor::Row row;
    switch (cursor.find(values, values + keys, row)) {
    case StateCursor::Answer::undecided: // it is counted when it was joined
        seen.undecided++;
        PG_RETURN_INT32(Sightings::is_undecided);
    case StateCursor::Answer::absent:
        seen.rows++;
        PG_RETURN_INT32(Sightings::is_new);
    case StateCursor::Answer::found:
        break;
    }
    if (!seen.shared->has(row.place))
        elog(ERROR, "a row of the state stands behind its end");
    seen.rows++;
    PG_RETURN_INT32(
        seen.take(row.place, row.has_hash, row.has_hash && !PG_ARGISNULL(2) && row.hash == PG_GETARG_INT64(2)));
}

/// reverse_etl_internal.sees(sightings bigint, token bigint, place tid, known bigint, hash bigint)
SQL_FUNCTION(reverse_etl_sees) {
    Seen &seen = seen_of(fcinfo);
    seen.rows++;
    if (PG_ARGISNULL(2))
        PG_RETURN_BOOL(true);
    const ItemPointerData &place = *reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(2));
    if (seen.shared == nullptr || !seen.shared->has(place))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no such place in the state")));
    const bool has_hash = !PG_ARGISNULL(3);
    const bool is_same = has_hash && !PG_ARGISNULL(4) && PG_GETARG_INT64(3) == PG_GETARG_INT64(4);
    PG_RETURN_BOOL(seen.take(place, has_hash, is_same) != Sightings::passed_over);
}

/// reverse_etl_internal.was_seen(sightings bigint, token bigint, place tid)
SQL_FUNCTION(reverse_etl_was_seen) {
    Seen &seen = seen_of(fcinfo);
    if (PG_ARGISNULL(2))
        PG_RETURN_NULL();
    const ItemPointerData &place = *reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(2));
    if (seen.shared == nullptr || !seen.shared->has(place))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no such place in the state")));
    auto [word, bit] = seen.shared->bit_of(place);
    PG_RETURN_BOOL((pg_atomic_read_u64(word) & bit) != 0);
}

} // namespace reverse_etl
