#include "postgres/fdw/shipped_order.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/fdw/shipped_conditions.h"

#include <optional>

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/pathnodes.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Whether the source has the values in Postgres's order: not texts, for their collation, nor what may be NaN.
bool has_order(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID || type == BOOLOID ||
           type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

std::optional<SourceOrder> shipped_key(PathKey *key, const RelOptInfo *relation, const Destination &destination) {
    if (key->pk_eclass->ec_has_volatile)
        return std::nullopt;
    const List *members = key->pk_eclass->ec_members;
    for (int i = 0; i < list_length(members); i++) {
        auto *member = static_cast<EquivalenceMember *>(list_nth(members, i));
        auto *variable = reinterpret_cast<Node *>(member->em_expr);
        const DestinationColumn *column = IsA(variable, Var) ? source_column(relation, destination, variable) : nullptr;
        if (column == nullptr)
            continue;
        const auto [type, is_default] = pg_call([&] {
            const Oid base = getBaseType(column->type);
            const Oid operators = GetDefaultOpClass(base, BTREE_AM_OID);
            return std::pair(base, OidIsValid(operators) && get_opclass_family(operators) == key->pk_opfamily);
        });
        if (has_order(type) && is_default)
            return SourceOrder{column->attnum, compat::is_descending(key), key->pk_nulls_first};
    }
    return std::nullopt;
}

} // namespace

std::vector<SourceOrder> shipped_order(const PlannerInfo *root, const RelOptInfo *relation,
                                       const Destination &destination) {
    std::vector<SourceOrder> order;
    for (int i = 0; i < list_length(root->query_pathkeys); i++) {
        const auto one = shipped_key(list_nth_node(PathKey, root->query_pathkeys, i), relation, destination);
        if (!one)
            return {};
        order.push_back(*one);
    }
    return order;
}

} // namespace reverse_etl
