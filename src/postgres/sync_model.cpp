#include "postgres/sync_model.h"

#include "postgres/border.h"
#include "postgres/mapping.h"

#include <algorithm>

extern "C" {
#include "utils/lsyscache.h"
#include "utils/plancache.h"
}

namespace reverse_etl {

const ModelColumn *Model::column(const std::string &name) const {
    auto found =
        std::find_if(columns.begin(), columns.end(), [&](const ModelColumn &column) { return column.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

Model analyse_model(const std::string &query) {
    const char *text = query.c_str();
    CachedPlanSource *source = pg_call([&] {
        return analyse_select(text, "the query of a sync",
                              "Write it like SELECT email, first_name AS firstname FROM customers.");
    });
    Model model;
    model.descriptor = source->resultDesc;
    for (int i = 0; i < source->resultDesc->natts; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(source->resultDesc, i);
        ModelColumn column;
        column.name = NameStr(attribute->attname);
        column.type = pg_call([&] { return getBaseType(attribute->atttypid); });
        column.collation = attribute->attcollation;
        if (column.name == "?column?")
            throw Error(ERRCODE_UNDEFINED_COLUMN, "column " + std::to_string(i + 1) + " of the query has no name", "",
                        "Name it with AS, like the column of the destination that it is for.");
        if (model.column(column.name) != nullptr)
            throw Error(ERRCODE_DUPLICATE_COLUMN, "the query yields column \"" + column.name + "\" more than once");
        model.columns.push_back(std::move(column));
    }
    ListCell *cell;
    foreach (cell, source->relationOids)
        model.relations.push_back(lfirst_oid(cell));
    return model;
}

} // namespace reverse_etl
