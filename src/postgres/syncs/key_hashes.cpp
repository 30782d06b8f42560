#include "postgres/syncs/key_hashes.h"

#include "postgres/border/compat.h"
#include "postgres/border/sql_function.h"

#include <algorithm>

extern "C" {
#include "access/htup_details.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
}

namespace reverse_etl {

namespace {

/// By the first bits of the hash, so that each is sorted by itself.
constexpr int part_bits = 6, parts = 1 << part_bits;
/// That a part keeps in memory before its file is written: 8 kB.
constexpr int most_in_memory = 1024;
/// That are sorted at once: 32 MB. Of more of one part nobody can tell.
constexpr std::uint64_t most_sorted = 4 << 20;

} // namespace

KeyHashes::KeyHashes(MemoryContext context)
    : context_(context), parts_(static_cast<Part *>(MemoryContextAllocZero(context, parts * sizeof(Part)))) {}

void KeyHashes::add(std::uint64_t hash) {
    Part &part = parts_[hash >> (64 - part_bits)];
    if (part.hashes == nullptr)
        part.hashes = static_cast<std::uint64_t *>(MemoryContextAlloc(context_, most_in_memory * sizeof(hash)));
    else if (part.count == most_in_memory)
        spill(part);
    part.hashes[part.count++] = hash;
}

void KeyHashes::spill(Part &part) {
    if (part.file == nullptr) {
        MemoryContext caller = MemoryContextSwitchTo(context_);
        part.file = BufFileCreateTemp(false);
        MemoryContextSwitchTo(caller);
    }
    BufFileWrite(part.file, part.hashes, part.count * sizeof(std::uint64_t));
    part.in_file += part.count;
    part.count = 0;
}

bool KeyHashes::any_twice() {
    bool any = false;
    for (int i = 0; i < parts; i++) {
        CHECK_FOR_INTERRUPTS();
        any |= any_twice(parts_[i]);
    }
    return any;
}

bool KeyHashes::any_twice(Part &part) {
    const std::uint64_t count = part.in_file + part.count;
    std::uint64_t *all = part.hashes;
    if (part.file != nullptr && count <= most_sorted) {
        all = static_cast<std::uint64_t *>(MemoryContextAlloc(context_, count * sizeof(std::uint64_t)));
        const std::size_t size = part.in_file * sizeof(std::uint64_t);
        if (BufFileSeek(part.file, 0, 0, SEEK_SET) != 0 || BufFileRead(part.file, all, size) != size)
            ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file: %m")));
        std::copy_n(part.hashes, part.count, all + part.in_file);
    }
    bool any = count > most_sorted;
    if (!any) {
        std::sort(all, all + count);
        any = std::adjacent_find(all, all + count) != all + count;
    }
    if (all != part.hashes)
        pfree(all);
    if (part.file != nullptr)
        BufFileClose(part.file);
    part.file = nullptr;
    return any;
}

namespace {

/// How the values of a call are hashed, learned from its first row.
struct KeyHasher {
    int count;
    struct Value {
        FmgrInfo *hash; ///< nullptr: the type cannot be hashed
        Oid collation;
    } values[FLEXIBLE_ARRAY_MEMBER];
};

const KeyHasher &hasher_of(FunctionCallInfo call) {
    FmgrInfo *function = call->flinfo;
    if (function->fn_extra != nullptr)
        return *static_cast<KeyHasher *>(function->fn_extra);
    auto *made = static_cast<KeyHasher *>(MemoryContextAllocZero(
        function->fn_mcxt, offsetof(KeyHasher, values) + call->nargs * sizeof(KeyHasher::Value)));
    made->count = call->nargs;
    List *arguments = function->fn_expr != nullptr && IsA(function->fn_expr, FuncExpr)
                          ? castNode(FuncExpr, function->fn_expr)->args
                          : NIL;
    for (int i = 0; i < call->nargs; i++) {
        TypeCacheEntry *type = lookup_type_cache(get_fn_expr_argtype(function, i), TYPECACHE_HASH_EXTENDED_PROC_FINFO);
        made->values[i] = {OidIsValid(type->hash_extended_proc) ? &type->hash_extended_proc_finfo : nullptr,
                           i < list_length(arguments) ? exprCollation(static_cast<Node *>(list_nth(arguments, i)))
                                                      : call->fncollation};
    }
    function->fn_extra = made;
    return *made;
}

} // namespace

/// reverse_etl_internal.key_hash(VARIADIC key "any"): what is equal has the same; of a type that cannot be hashed, all.
SQL_FUNCTION(reverse_etl_key_hash) {
    const KeyHasher &hasher = hasher_of(fcinfo);
    std::uint64_t hash = 0;
    for (int i = 0; i < hasher.count; i++) {
        if (PG_ARGISNULL(i))
            PG_RETURN_NULL();
        const KeyHasher::Value &value = hasher.values[i];
        if (value.hash != nullptr)
            hash = hash * 31 + DatumGetUInt64(FunctionCall2Coll(value.hash, value.collation, PG_GETARG_DATUM(i), 0));
    }
    PG_RETURN_INT64(static_cast<int64>(hash));
}

} // namespace reverse_etl
