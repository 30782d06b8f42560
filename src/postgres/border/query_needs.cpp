#include "postgres/border/query_needs.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

void add(List *&names, Oid object, char *(*name_of)(Oid)) {
    if (object < FirstUnpinnedObjectId)
        return;
    if (char *name = name_of(object))
        names = list_append_unique(names, makeString(name));
}

char *name_of_type(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        return nullptr;
    char *name = pstrdup(ServerText(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname).c_str());
    ReleaseSysCache(tuple);
    return name;
}

void add_type(List *&names, Oid type) {
    add(names, type, name_of_type);
    if (Oid element = get_element_type(type); OidIsValid(element))
        add(names, element, name_of_type);
}

bool add_function(Oid function, void *names) {
    add(*static_cast<List **>(names), function, get_func_name);
    return false;
}

bool is_of_a_type(const Node *node) {
    switch (nodeTag(node)) {
    case T_Var:
    case T_Const:
    case T_FuncExpr:
    case T_OpExpr:
    case T_Aggref:
    case T_WindowFunc:
    case T_RelabelType:
    case T_CoerceViaIO:
    case T_ArrayCoerceExpr:
    case T_ConvertRowtypeExpr:
    case T_CoerceToDomain:
    case T_RowExpr:
        return true;
    default:
        return false;
    }
}

bool walk(Node *node, void *context) {
    auto &names = *static_cast<List **>(context);
    if (node == nullptr)
        return false;
    if (IsA(node, Query))
        return compat::walk_query_tree(reinterpret_cast<Query *>(node), walk, context, 0);
    check_functions_in_node(node, add_function, context);
    if (IsA(node, OpExpr))
        add(names, reinterpret_cast<OpExpr *>(node)->opno, get_opname);
    else if (IsA(node, ScalarArrayOpExpr))
        add(names, reinterpret_cast<ScalarArrayOpExpr *>(node)->opno, get_opname);
    else if (IsA(node, CollateExpr))
        add(names, reinterpret_cast<CollateExpr *>(node)->collOid, get_collation_name);
    if (is_of_a_type(node))
        add_type(names, exprType(node));
    return compat::walk_expression_tree(node, walk, context);
}

} // namespace

std::vector<std::string> needs_of(Query *query) {
    List *names = pg_call([&] {
        List *found = NIL;
        walk(reinterpret_cast<Node *>(query), &found);
        return found;
    });
    std::vector<std::string> needs;
    ListCell *cell;
    foreach (cell, names)
        needs.push_back(string_text(lfirst(cell)).utf8());
    return needs;
}

} // namespace reverse_etl
