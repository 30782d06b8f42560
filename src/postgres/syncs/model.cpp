#include "postgres/syncs/model.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/query_needs.h"
#include "postgres/streams/mapping.h"
#include "postgres/streams/statements.h"

#include <algorithm>

extern "C" {
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/typcache.h"
}

namespace reverse_etl {

const ModelColumn *Model::column(const std::string &name) const {
    auto found =
        std::find_if(columns.begin(), columns.end(), [&](const ModelColumn &column) { return column.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

Model analyse_model(const std::string &query) {
    CachedPlanSource *source = pg_call([&] {
        return analyse_select(query, "the query of a sync",
                              "Write it like SELECT email, first_name AS firstname FROM customers.");
    });
    Model model;
    model.descriptor = source->resultDesc;
    for (int i = 0; i < source->resultDesc->natts; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(source->resultDesc, i);
        ModelColumn column;
        column.name = column_name(attribute);
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
    foreach (cell, source->relationOids) {
        Oid relation = lfirst_oid(cell);
        if (pg_call([&] { return get_rel_persistence(relation); }) == RELPERSISTENCE_TEMP)
            throw Error(ERRCODE_INVALID_TABLE_DEFINITION,
                        "the query of a sync cannot read temporary table " + qualified_name(relation),
                        "Other sessions, and the background worker, do not see it.");
        model.relations.push_back(relation);
    }
    model.needs = needs_of(static_cast<Query *>(linitial(source->query_list)));
    return model;
}

KeyTypes key_types(const Model &model, const std::vector<std::string> &key) {
    KeyTypes found;
    for (const std::string &name : key) {
        const ModelColumn *column = model.column(name);
        if (column == nullptr)
            throw Error(ERRCODE_UNDEFINED_COLUMN, "the query does not yield column \"" + name + "\" of the key");
        bool comparable = pg_call([&] {
            const TypeCacheEntry *entry = lookup_type_cache(column->type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_EQ_OPR);
            return OidIsValid(entry->btree_opf) && OidIsValid(entry->eq_opr);
        });
        if (!comparable)
            throw Error(ERRCODE_DATATYPE_MISMATCH,
                        "column \"" + name + "\" cannot be part of a key: values of its type cannot be compared", "",
                        "Cast it in the query, for example to text.");
        found.types.push_back(column->type);
        found.collations.push_back(column->collation);
    }
    return found;
}

Model model_of(const SyncDefinition &sync) {
    ActAs owner(sync.owner, sync.search_path);
    Model model = analyse_model(sync.query);
    std::vector<Oid> types = key_types(model, sync.key).types;
    for (std::size_t i = 0; i < types.size(); i++)
        if (types[i] != sync.key_types[i]) {
            throw Error(ERRCODE_DATATYPE_MISMATCH,
                        "column \"" + sync.key[i] + "\" of the key of sync \"" + sync.name + "\" is now of type " +
                            type_name(types[i]),
                        "The state of the sync was made for type " + type_name(sync.key_types[i]) + ".",
                        "Cast it in the query, with reverse_etl.alter_sync, or drop the sync and make it anew.");
        }
    return model;
}

} // namespace reverse_etl
