#include "postgres/border/columns_json.h"

#include "postgres/border/border.h"
#include "postgres/border/names.h"

#include <algorithm>

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

namespace reverse_etl {

std::string columns_as_json(TupleTableSlot *row, const std::vector<std::string> &names, MemoryContext scratch) {
    TupleDesc all = row->tts_tupleDescriptor;
    std::vector<AttrNumber> chosen;
    for (int i = 0; i < all->natts; i++)
        if (std::find(names.begin(), names.end(), column_name(TupleDescAttr(all, i))) != names.end())
            chosen.push_back(static_cast<AttrNumber>(i + 1));
    ServerText json = pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(scratch);
        TupleDesc descriptor = CreateTemplateTupleDesc(static_cast<int>(chosen.size()));
        auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (chosen.size() + 1)));
        auto *nulls = static_cast<bool *>(palloc(chosen.size() + 1));
        for (std::size_t i = 0; i < chosen.size(); i++) {
            TupleDescCopyEntry(descriptor, static_cast<AttrNumber>(i + 1), all, chosen[i]);
            values[i] = row->tts_values[chosen[i] - 1];
            nulls[i] = row->tts_isnull[chosen[i] - 1];
        }
        Datum made = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
        ServerText written(DirectFunctionCall1(row_to_json, made));
        MemoryContextSwitchTo(caller);
        return written;
    });
    std::string copy = json.utf8();
    pg_call([&] { MemoryContextReset(scratch); });
    return copy;
}

} // namespace reverse_etl
