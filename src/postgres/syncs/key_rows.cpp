#include "postgres/syncs/key_rows.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/rel.h"
}

namespace reverse_etl {

KeyRows::KeyRows(const SyncDefinition &sync, MemoryContext lasting) : keys_(sync.key.size()) {
    descriptor_ = pg_call([&] {
        Relation state = table_open(internal_relation(psprintf("sync_%d_state", sync.id)), AccessShareLock);
        MemoryContext caller = MemoryContextSwitchTo(lasting == nullptr ? CurrentMemoryContext : lasting);
        TupleDesc copy = CreateTupleDescCopy(RelationGetDescr(state));
        MemoryContextSwitchTo(caller);
        hash_ = own_column(state, "#hash");
        table_close(state, NoLock);
        return copy;
    });
    values_.resize(descriptor_->natts);
    nulls_ = std::make_unique<bool[]>(values_.size());
    std::fill_n(nulls_.get(), values_.size(), true);
    std::fill_n(nulls_.get(), keys_, false);
    rows_ = ResultRows::made_of(descriptor_, lasting);
}

void KeyRows::put(const Datum *key) {
    nulls_[hash_] = true;
    put_key(key);
}

void KeyRows::put(const Datum *key, Datum hash) {
    nulls_[hash_] = false;
    values_[hash_] = hash;
    put_key(key);
}

void KeyRows::put_key(const Datum *key) {
    if (key != values_.data())
        std::copy_n(key, keys_, values_.begin());
    rows_.put(values_.data(), nulls_.get());
}

SyncRow KeyRows::row_of(TupleTableSlot *slot) const {
    pg_call([&] { slot_getallattrs(slot); });
    SyncRow row;
    row.key = slot->tts_values; // the key's columns come first
    row.hash = slot->tts_values[hash_];
    return row;
}

std::uint64_t KeyRows::run_all(const char *name, const std::string &statement) const {
    ShownRows shown(rows_, name, 1);
    return pg_call([&] { return sql::run(statement); });
}

void KeyRows::run(const char *name, const std::string &statement) const {
    if (!is_empty())
        run_all(name, statement);
}

void KeyRows::keep(const char *name, const SyncStatements &statements) const {
    if (!is_empty() && run_all(name, statements.renew(name)) < static_cast<std::uint64_t>(rows_.count()))
        run_all(name, statements.keep(name));
}

void KeyRows::append(const Datum *key, std::string &text) {
    std::copy_n(key, keys_, values_.begin());
    nulls_[hash_] = true;
    MinimalTuple tuple = pg_call([&] { return compat::form_minimal_tuple(descriptor_, values_.data(), nulls_.get()); });
    text.append(reinterpret_cast<const char *>(tuple), tuple->t_len);
    pfree(tuple);
}

void KeyRows::put_all(std::string_view text) {
    while (!text.empty()) {
        uint32 length;
        std::memcpy(&length, text.data(), sizeof(length));
        pg_call([&] {
            auto *tuple = static_cast<MinimalTuple>(palloc(length));
            std::memcpy(tuple, text.data(), length);
            HeapTuple whole = heap_tuple_from_minimal_tuple(tuple);
            heap_deform_tuple(whole, descriptor_, values_.data(), nulls_.get());
        });
        put(values_.data());
        text.remove_prefix(length);
    }
}

} // namespace reverse_etl
