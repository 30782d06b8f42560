#include "postgres/fdw/clauses.h"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

bool is_column(Node *node, const RelOptInfo *relation, const DestinationColumn &column) {
    if (IsA(node, RelabelType))
        node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
    auto *variable = reinterpret_cast<Var *>(node);
    return IsA(node, Var) && variable->varno == static_cast<int>(relation->relid) &&
           variable->varattno == column.attnum && variable->varlevelsup == 0;
}

bool is_known_before(PlannerInfo *root, const RelOptInfo *relation, Node *value) {
    return !bms_is_member(static_cast<int>(relation->relid), pull_varnos(root, value)) &&
           !contain_volatile_functions(value);
}

Node *implicitly_cast(Node *value, Oid column_type) {
    Oid type = getBaseType(column_type);
    Node *cast =
        coerce_to_target_type(nullptr, value, exprType(value), type, -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1);
    return cast == nullptr || type == NAMEOID || contain_mutable_functions(cast) ? nullptr : cast;
}

} // namespace reverse_etl
