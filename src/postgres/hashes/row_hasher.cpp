#include "postgres/hashes/row_hasher.h"

#include "postgres/border/server_text.h"
#include "postgres/hashes/value_hashers.h"

#include <algorithm>

extern "C" {
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace reverse_etl {
namespace {

/// How often a type, a label of an enum or a column was changed, as far as this process has heard.
std::uint64_t changes_of_types = 0;

void count_change(Datum, int, uint32) {
    changes_of_types++;
}

void watch_types() {
    static bool watches = false;
    if (!watches)
        for (int cache : {TYPEOID, ENUMOID, ATTNUM})
            CacheRegisterSyscacheCallback(cache, count_change, 0);
    watches = true;
}

std::string_view name_of(TupleDesc descriptor, int column) {
    return ServerText(TupleDescAttr(descriptor, column)->attname).bytes();
}

} // namespace

void RowHasher::add(Datum value, HashStream &stream) {
    check_stack_depth();
    HeapTupleHeader row = DatumGetHeapTupleHeader(value);
    Oid type = HeapTupleHeaderGetTypeId(row);
    int32 typmod = HeapTupleHeaderGetTypMod(row);
    if (!knows(type, typmod))
        learn(type, typmod);

    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    tuple.t_data = row;
    heap_deform_tuple(&tuple, descriptor_, values_, nulls_);

    add_kind(HashKind::row, stream);
    stream.add_number(static_cast<std::uint16_t>(columns_end_ - columns_));
    for (const Column *column = columns_; column != columns_end_; column++) {
        stream.add_number(column->name);
        if (nulls_[column->number])
            add_kind(HashKind::null, stream);
        else
            column->hasher->add(values_[column->number], stream);
    }
}

bool RowHasher::knows(Oid type, int32 typmod) const {
    return type == type_ && typmod == typmod_ && changes_ == changes_of_types;
}

void RowHasher::learn(Oid type, int32 typmod) {
    type_ = InvalidOid; // nothing is known if an error cuts this short
    watch_types();
    if (learned_ == nullptr)
        learned_ = AllocSetContextCreate(owner_, "reverse_etl row hasher", ALLOCSET_SMALL_SIZES);
    MemoryContextReset(learned_);
    MemoryContext caller = MemoryContextSwitchTo(learned_);

    std::uint64_t changes = changes_of_types;
    descriptor_ = lookup_rowtype_tupdesc_copy(type, typmod);
    int count = descriptor_->natts;
    values_ = static_cast<Datum *>(palloc(count * sizeof(Datum)));
    nulls_ = static_cast<bool *>(palloc(count * sizeof(bool)));
    columns_ = columns_end_ = static_cast<Column *>(palloc(count * sizeof(Column)));
    for (int i = 0; i < count; i++) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor_, i);
        if (attribute->attisdropped)
            continue;
        std::string_view name = name_of(descriptor_, i);
        *columns_end_++ = {i, XXH3_64bits(name.data(), name.size()), ValueHasher::make(attribute->atttypid)};
    }
    std::sort(columns_, columns_end_, [&](const Column &a, const Column &b) {
        int names = name_of(descriptor_, a.number).compare(name_of(descriptor_, b.number));
        return names != 0 ? names < 0 : a.number < b.number;
    });

    MemoryContextSwitchTo(caller);
    type_ = type;
    typmod_ = typmod;
    changes_ = changes;
}

} // namespace reverse_etl
