#include "postgres/border/own_relations.h"

extern "C" {
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

Oid relation_in(const char *schema, const char *name) {
    return get_relname_relid(name, get_namespace_oid(schema, false));
}

} // namespace

Oid people_relation(const char *name) {
    return relation_in(people_schema, name);
}

Oid internal_relation(const char *name) {
    return relation_in(internal_schema, name);
}

} // namespace reverse_etl
