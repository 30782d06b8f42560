#include "postgres/fdw/explain_source.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"

extern "C" {
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace reverse_etl {

namespace {

struct PlannedValues {
    std::vector<std::string> values;
    bool are_known = true;
};

/// The values that a condition has where the plan holds them already; else how the query will give them.
PlannedValues planned_values(const ShippedCondition &condition, List *expressions) {
    if (condition.value < 0)
        return {};
    auto *node = static_cast<Node *>(list_nth(expressions, condition.value));
    auto *constant = reinterpret_cast<Const *>(node);
    if (!IsA(node, Const) || constant->constisnull)
        return {{utf8_from([&] { return deparse_expression(node, NIL, false, false); })}, false};
    if (!condition.is_array)
        return {{source_value(constant->consttype, constant->constvalue).value_or("")}};
    struct Elements {
        Datum *values;
        bool *nulls;
        int count;
        Oid type;
    };
    const Elements elements = pg_call([&] {
        Elements found{};
        ArrayType *array = DatumGetArrayTypeP(constant->constvalue);
        int16 length;
        bool by_value;
        char alignment;
        found.type = ARR_ELEMTYPE(array);
        get_typlenbyvalalign(found.type, &length, &by_value, &alignment);
        deconstruct_array(array, found.type, length, by_value, alignment, &found.values, &found.nulls, &found.count);
        return found;
    });
    PlannedValues found;
    for (int i = 0; i < elements.count; i++)
        if (!elements.nulls[i])
            found.values.push_back(source_value(elements.type, elements.values[i]).value_or(""));
    return found;
}

void show(const char *label, const std::string &text, ExplainState *explain) {
    pg_call([&] { ExplainPropertyText(label, to_server_legible(text).c_str(), explain); });
}

} // namespace

void show_source_scan(ForeignScanState *node, const SourcePlan &plan, ExplainState *explain) {
    auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
    const Destination &destination =
        *open_destination(RelationGetRelid(node->ss.ss_currentRelation), CurrentMemoryContext);
    show("Connector", destination.object.connector, explain);
    if (!explain->verbose)
        return;
    SourceQuery query = source_query(destination, plan);
    for (const ShippedCondition &one : plan.conditions) {
        PlannedValues planned = planned_values(one, scan->fdw_exprs);
        if (!planned.are_known)
            query.conditions.push_back({destination.column(one.column)->field, type_at_source(destination, one.column),
                                        one.comparison, std::move(planned.values)});
        else if (auto condition = source_condition(destination, one, std::move(planned.values)))
            query.conditions.push_back(std::move(*condition));
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
