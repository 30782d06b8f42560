#include "postgres/statement_hooks.h"

#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/push.h"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

namespace reverse_etl {

namespace {

ExecutorRun_hook_type next_executor_run = nullptr;
ProcessUtility_hook_type next_process_utility = nullptr;
uint64 *copied_rows = nullptr; ///< of the COPY that runs, in its process_utility()
TimestampTz loading_statement = 0;

/// `once` is the argument that went away in 18.
template <class... Once>
void executor_run(QueryDesc *query, ScanDirection direction, uint64 count, Once... once) {
    (next_executor_run != nullptr ? next_executor_run : standard_ExecutorRun)(query, direction, count, once...);
    guard([&] {
        uint64 before = query->estate->es_processed;
        Push::finish_all(query->estate);
        compat::add_to_total(query->estate, query->estate->es_processed - before);
    });
}

void process_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
                     ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                     QueryCompletion *completion) {
    auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    if (!IsA(statement->utilityStmt, CopyStmt)) {
        next(statement, text, read_only_tree, context, parameters, environment, receiver, completion);
        return;
    }
    uint64 rows = 0;
    uint64 *outer = copied_rows;
    copied_rows = &rows;
    PG_TRY();
    { next(statement, text, read_only_tree, context, parameters, environment, receiver, completion); }
    PG_FINALLY();
    { copied_rows = outer; }
    PG_END_TRY();
    if (completion != nullptr)
        completion->nprocessed += rows;
}

} // namespace

bool loaded_by_this_statement() {
    return loading_statement == GetCurrentStatementStartTimestamp();
}

uint64 *copy_counter() {
    return copied_rows;
}

void install_statement_hooks() {
    loading_statement = process_shared_preload_libraries_in_progress ? 0 : GetCurrentStatementStartTimestamp();
    next_executor_run = ExecutorRun_hook;
    ExecutorRun_hook = executor_run;
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
}

} // namespace reverse_etl
