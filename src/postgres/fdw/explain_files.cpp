#include "postgres/fdw/explain_files.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace reverse_etl {

void show_files_scan(ForeignScanState *node, ExplainState *explain) {
    Plan *plan = node->ss.ps.plan;
    const Destination &destination =
        *open_destination(RelationGetRelid(node->ss.ss_currentRelation), CurrentMemoryContext);
    const std::string &files = destination.files.pattern->written();
    pg_call([&] {
        ExplainPropertyText("Connector", to_server_legible(destination.object.connector).c_str(), explain);
        ExplainPropertyText("Files", to_server_legible(files).c_str(), explain);
        List *conditions = reinterpret_cast<ForeignScan *>(plan)->fdw_exprs;
        if (conditions == NIL)
            return;
        List *context = set_deparse_context_plan(explain->deparse_cxt, plan, NIL);
        auto *all = reinterpret_cast<Node *>(make_ands_explicit(conditions));
        ExplainPropertyText("Files Filter", deparse_expression(all, context, false, false), explain);
    });
}

} // namespace reverse_etl
