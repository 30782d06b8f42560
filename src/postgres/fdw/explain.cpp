#include "postgres/fdw/fdw.h"

#include "engine/manifest/job_spec.h"
#include "engine/manifest/limit_text.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/injection_point.h"
#include "postgres/border/sql_text.h"
#include "postgres/fdw/explain_files.h"
#include "postgres/fdw/explain_source.h"
#include "postgres/fdw/modify_plan.h"
#include "postgres/fdw/pushed_filter.h"
#include "postgres/fdw/scan_plan.h"

#include <cmath>

extern "C" {
#include "executor/executor.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

void show_text(const char *label, const std::string &text, ExplainState *explain) {
    const char *value = text.c_str();
    pg_call([&] { ExplainPropertyText(label, value, explain); });
}

void show_number(const char *label, std::int64_t number, ExplainState *explain) {
    pg_call([&] { ExplainPropertyInteger(label, nullptr, number, explain); });
}

std::string duration(double seconds) {
    if (seconds < 60)
        return std::to_string(static_cast<long>(seconds)) + " s";
    long minutes = std::lround(seconds / 60);
    if (minutes < 120)
        return std::to_string(minutes) + " min";
    return std::to_string(std::lround(minutes / 60.0)) + " h";
}

std::string listed(const std::vector<std::string> &fields) {
    return joined(fields, ", ", [](const std::string &field) { return field; });
}

void show_operation(const Destination &destination, const CompiledOperation &operation, OperationKind kind, double rows,
                    ExplainState *explain) {
    show_text("Connector", destination.object.connector, explain);
    show_text("Object", destination.object.name, explain);
    show_text("Operation", operation_name(kind), explain);
    if (const JobSpec *job = operation.spec().job.get()) {
        const OperationSpec &open = job->steps.front().request.spec;
        show_text("Job", open.method + " " + open.path, explain);
        show_number("Rows per Job", job->rows, explain);
        if (operation.spec().has_only_job())
            return;
        show_number("Job from Rows", job->from, explain);
    }
    show_text("Request", operation.request_line(), explain);
    bool is_list = operation.spec().kind == OperationKind::list;
    if (!is_list)
        show_number("Rows per Request", static_cast<std::int64_t>(operation.rows_per_batch()), explain);
    if (!operation.grouping().empty())
        show_text("Rows Grouped By", listed(operation.spec().group_by), explain);
    auto requests =
        static_cast<std::int64_t>(std::max(1.0, std::ceil(rows / static_cast<double>(operation.rows_per_batch()))));
    if (!is_list)
        show_number("Estimated Requests", requests, explain);
    if (operation.rate_limits().empty())
        return;
    std::string limits;
    for (const CompiledOperation::CompiledLimit &limit : operation.rate_limits())
        limits += (limits.empty() ? "" : ", ") + described(limit.spec);
    show_text("Rate Limits", limits + (destination.policy.keep_rate_limits ? "" : " (not kept)"), explain);
    if (destination.policy.keep_rate_limits && !is_list)
        show_text("Shortest Time", duration(operation.spec().shortest_seconds(requests)), explain);
}

/// The requests that follow on those by which rows are looked up.
void show_what_follows(const AfterLookup &after, ExplainState *explain) {
    const auto show = [&](const char *label, const CompiledOperation &operation) {
        const std::size_t rows = most_rows_after_lookup(operation);
        show_text(label,
                  operation.request_line() + ", " + std::to_string(rows) + (rows == 1 ? " row" : " rows") +
                      " a request",
                  explain);
    };
    show("Request if Found", after.found);
    if (after.missing)
        show("Request if Missing", *after.missing);
}

/// What is tried in reaction to answers, rule by rule. `label` is another for each operation of a statement, as JSON
/// wants.
void show_reactions(const char *label, const Reactions &reactions, ExplainState *explain) {
    std::vector<std::string> lines;
    for (const CompiledReaction &reaction : reactions) {
        std::string line;
        for (long status : reaction.rule->statuses)
            line += (line.empty() ? "" : " or ") + std::to_string(status);
        if (!reaction.rule->headers.empty() || !reaction.rule->body.empty())
            line += line.empty() ? "certain answers" : " of a certain kind";
        line += ": " + (reaction.tried ? reaction.tried->request_line() : reaction.spec().name);
        if (!reaction.obstacle.empty())
            line += " is not tried, " + reaction.obstacle;
        else if (reaction.next)
            line +=
                " and " + reaction.spec().next + (reaction.spec().with.empty() ? "" : " with " + reaction.spec().with);
        lines.push_back(std::move(line));
    }
    if (lines.empty())
        return;
    List *texts = NIL;
    for (const std::string &line : lines) {
        const char *text = line.c_str();
        pg_call([&] { texts = lappend(texts, pstrdup(text)); });
    }
    pg_call([&] { ExplainPropertyList(label, texts, explain); });
}

} // namespace

void explain_modify(ModifyTableState *state, ResultRelInfo *relation, List *plan, int, ExplainState *explain) {
    guard([&] {
        INJECTION_POINT("explain_modify");
        Destination *destination = open_destination(RelationGetRelid(relation->ri_RelationDesc), CurrentMemoryContext);
        if (plan == NIL)
            return;
        const PushPlan push = push_plan_of(plan);
        CompiledOperation operation = compile(*destination, push);
        show_operation(*destination, operation, push.operation, outerPlanState(state)->plan->plan_rows, explain);
        const NullAs own = null_as(*destination, push.operation);
        show_reactions("In Reaction to", compile_reactions(operation, null_forms(*destination, push.operation)),
                       explain);
        if (auto after = compile_what_follows(*destination, push, own)) {
            show_what_follows(*after, explain);
            show_reactions("In Reaction to, if Found", after->of_found, explain);
            show_reactions("In Reaction to, if Missing", after->of_missing, explain);
        }
    });
}

void explain_scan(ForeignScanState *node, ExplainState *explain) {
    guard([&] {
        INJECTION_POINT("explain_scan");
        auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
        if (const auto of_source = source_plan_of(scan->fdw_private)) {
            show_source_scan(node, *of_source, explain);
            return;
        }
        if (files_plan_of(scan->fdw_private)) {
            show_files_scan(node, explain);
            return;
        }
        ScanPlan plan = scan_plan_of(scan->fdw_private);
        if (plan.kind == ScanPlan::Kind::none) {
            show_text("Reads", "nothing: WHERE names the rows", explain);
            return;
        }
        Destination *destination =
            open_destination(RelationGetRelid(node->ss.ss_currentRelation), CurrentMemoryContext);
        const OperationSpec &spec = plan.kind == ScanPlan::Kind::lookup ? destination->lookup_by(plan.address)
                                                                        : destination->operation(OperationKind::list);
        std::vector<StatementColumn> columns;
        for (AttrNumber attnum : plan.address)
            columns.push_back({destination->column(attnum)->field, false});
        std::vector<std::string> fields;
        for (AttrNumber attnum : plan.retrieved)
            fields.push_back(destination->column(attnum)->field);
        int key = columns.size() == 1 ? 0 : -1;
        CompiledOperation operation(destination->object, spec, std::move(columns), key, fields);
        show_operation(*destination, operation, spec.kind, scan->scan.plan.plan_rows, explain);
        if (!plan.filters.empty())
            show_filter(*destination, plan, scan->fdw_exprs, explain);
    });
}

} // namespace reverse_etl
