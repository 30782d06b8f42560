#include "postgres/streams/mapping.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/query_needs.h"
#include "postgres/border/sql.h"

#include <algorithm>

extern "C" {
#include "access/sysattr.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "storage/lmgr.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
}

namespace reverse_etl {

namespace {

bool is_changed(const RangeTblEntry *entry) {
    return entry->rtekind == RTE_NAMEDTUPLESTORE && strcmp(entry->enrname, changed) == 0;
}

struct Walk {
    List *queries = NIL; ///< the query that is being walked and those around it, innermost first
    Bitmapset *columns = nullptr;
    bool found = false; ///< it reads `changed`
};

bool walk(Node *node, void *context);

bool walk_query(Query *query, Walk &state) {
    state.queries = lcons(query, state.queries);
    ListCell *cell;
    foreach (cell, query->rtable)
        state.found |= is_changed(static_cast<RangeTblEntry *>(lfirst(cell)));
    // A join's list of aliases names every column of its tables; those that are used are walked by their variables.
    compat::walk_query_tree(query, walk, &state, QTW_IGNORE_JOINALIASES);
    state.queries = list_delete_first(state.queries);
    return false;
}

void walk_variable(const Var *variable, Walk &state) {
    auto *query = static_cast<Query *>(list_nth(state.queries, static_cast<int>(variable->varlevelsup)));
    RangeTblEntry *entry = rt_fetch(variable->varno, query->rtable);
    if (is_changed(entry)) {
        state.columns = bms_add_member(state.columns, variable->varattno - FirstLowInvalidHeapAttributeNumber);
    } else if (entry->rtekind == RTE_JOIN && variable->varattno > 0) {
        List *outer = state.queries;
        state.queries = list_copy_tail(outer, static_cast<int>(variable->varlevelsup));
        walk(static_cast<Node *>(list_nth(entry->joinaliasvars, variable->varattno - 1)), &state);
        state.queries = outer;
    } else if (entry->rtekind == RTE_JOIN) {
        ListCell *cell;
        foreach (cell, query->rtable)
            if (is_changed(static_cast<RangeTblEntry *>(lfirst(cell))))
                state.columns = bms_add_member(state.columns, -FirstLowInvalidHeapAttributeNumber);
    }
}

bool walk(Node *node, void *context) {
    auto &state = *static_cast<Walk *>(context);
    if (node == nullptr)
        return false;
    if (IsA(node, Query))
        return walk_query(reinterpret_cast<Query *>(node), state);
    if (IsA(node, Var)) {
        walk_variable(reinterpret_cast<Var *>(node), state);
        return false;
    }
    return compat::walk_expression_tree(node, walk, context);
}

Walk walk_all(Query *query) {
    Walk state;
    walk_query(query, state);
    return state;
}

bool contains(const std::vector<std::string> &names, const std::string &name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

CachedPlanSource *analyse_select(const std::string &query, const char *what, const char *hint) {
    SPIPlanPtr plan = sql::prepare(query);
    List *sources = SPI_plan_get_plan_sources(plan);
    auto *source = sources == NIL ? nullptr : static_cast<CachedPlanSource *>(linitial(sources));
    if (list_length(sources) != 1 || source->commandTag != CMDTAG_SELECT || list_length(source->query_list) != 1 ||
        static_cast<Query *>(linitial(source->query_list))->hasModifyingCTE)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be one SELECT", ServerText(what)),
                        errhint("%s", ServerText(hint))));
    return source;
}

Mapping analyse(const std::string &query, const std::vector<std::string> &key) {
    CachedPlanSource *source = pg_call([&] {
        return analyse_select(query, "a mapping", "Write it like SELECT email, first_name AS firstname FROM changed.");
    });
    auto *analysed = static_cast<Query *>(linitial(source->query_list));
    Walk all = pg_call([&] { return walk_all(analysed); });
    if (!all.found)
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "the mapping does not read \"changed\"", "",
                    "The changed rows have the name \"changed\": SELECT ... FROM changed.");
    Mapping mapping;
    mapping.used = all.columns;

    // What stands in a value alone decides neither whether there is a row nor what its key is.
    Query *without_values = pg_call([&] {
        auto *copy = static_cast<Query *>(copyObjectImpl(analysed));
        copy->targetList = NIL;
        return copy;
    });
    ListCell *cell;
    foreach (cell, analysed->targetList) {
        auto *entry = static_cast<TargetEntry *>(lfirst(cell));
        std::string name = ServerText(entry->resname).utf8();
        if (!entry->resjunk && contains(mapping.columns, name))
            throw Error(ERRCODE_DUPLICATE_COLUMN, "the mapping yields column \"" + name + "\" more than once");
        if (!entry->resjunk)
            mapping.columns.push_back(name);
        if (entry->resjunk || entry->ressortgroupref != 0 || contains(key, name))
            pg_call([&] { without_values->targetList = lappend(without_values->targetList, entry); });
    }
    mapping.deciding = pg_call([&] { return walk_all(without_values).columns; });
    foreach (cell, source->relationOids)
        mapping.relations.push_back(lfirst_oid(cell));
    mapping.needs = needs_of(analysed);
    return mapping;
}

void show_rows(const char *name, Oid table, Tuplestorestate *rows) {
    auto *relation = static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));
    relation->md.name = pstrdup(name);
    // Whose columns they have is looked up there. A trigger's table is locked already, that of an analysis is not.
    LockRelationOid(table, AccessShareLock);
    relation->md.reliddesc = table;
    relation->md.enrtype = ENR_NAMED_TUPLESTORE;
    relation->md.enrtuples = rows == nullptr ? 0 : static_cast<double>(tuplestore_tuple_count(rows));
    relation->reldata = rows;
    int result = SPI_register_relation(relation);
    if (result != SPI_OK_REL_REGISTER)
        elog(ERROR, "could not show \"%s\": %s", ServerText(name), ServerText(SPI_result_code_string(result)));
}

} // namespace reverse_etl
