#include "postgres/fdw/explain_source.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"
#include "postgres/sources/source_condition.h"

extern "C" {
#include "nodes/primnodes.h"
#include "utils/ruleutils.h"
}

namespace reverse_etl {

namespace {

/// Whether it holds what another part of the plan gives, which no expression alone can be asked for.
bool has_inner_parameter(Node *node, void *) {
    if (node == nullptr)
        return false;
    if (IsA(node, Param) && reinterpret_cast<Param *>(node)->paramkind == PARAM_EXEC)
        return true;
    return compat::walk_expression_tree(node, has_inner_parameter, nullptr);
}

/// The value of an expression where the plan holds it already; else how the query will give it.
GivenDatum planned(List *expressions, int position) {
    auto *node = static_cast<Node *>(list_nth(expressions, position));
    auto *constant = reinterpret_cast<Const *>(node);
    if (IsA(node, Const))
        return {constant->consttype, constant->constvalue, constant->constisnull};
    GivenDatum given;
    if (pg_call([&] { return has_inner_parameter(node, nullptr); })) {
        given.later = "(what the query finds)";
        return given;
    }
    given.later = utf8_from([&] { return deparse_expression(node, NIL, false, false); });
    return given;
}

void show(const char *label, const std::string &text, ExplainState *explain) {
    pg_call([&] { ExplainPropertyText(label, to_server_legible(text).c_str(), explain); });
}

} // namespace

void show_source_scan(ForeignScanState *node, const SourcePlan &plan, ExplainState *explain) {
    auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
    const Destination &destination = *open_destination(plan.relation, CurrentMemoryContext);
    show("Connector", destination.object.connector, explain);
    if (plan.is_grouped)
        show("Relation", destination.name, explain);
    if (!explain->verbose)
        return;
    SourceQuery query = source_query(destination, plan);
    const GivenDatums given = [&](int position) { return planned(scan->fdw_exprs, position); };
    bool is_whole = true; // what is not, is shown as Filter
    if (!add_conditions(destination, plan, given, query, is_whole)) {
        show("Source SQL", "none: WHERE holds of no row", explain);
        return;
    }
    const SqlText sql = select_text(destination.source.statement->spec.dialect, query);
    show("Source SQL", sql.text, explain);
    std::string parameters;
    for (const StatementParameter &parameter : sql.parameters)
        parameters +=
            (parameters.empty() ? "" : ", ") + parameter.value + (parameter.type.empty() ? "" : " " + parameter.type);
    if (!parameters.empty())
        show("Source Parameters", parameters, explain);
}

} // namespace reverse_etl
