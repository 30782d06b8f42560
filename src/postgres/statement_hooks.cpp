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
Node *running_ddl = nullptr; ///< in its process_utility()

/// Tells the pushes of the error that is on its way. What they do may end in errors of its own, so it must not find
/// this one under way.
[[noreturn]] void rethrow(MemoryContext memory) {
    if (!Push::any())
        PG_RE_THROW();
    MemoryContextSwitchTo(memory);
    ErrorData *error = CopyErrorData();
    FlushErrorState();
    Push::note_error(error->sqlerrcode);
    ReThrowError(error);
    pg_unreachable();
}

/// `once` is the argument that went away in 18.
template <class... Once>
void executor_run(QueryDesc *query, ScanDirection direction, uint64 count, Once... once) {
    MemoryContext memory = CurrentMemoryContext;
    PG_TRY();
    {
        (next_executor_run != nullptr ? next_executor_run : standard_ExecutorRun)(query, direction, count, once...);
        guard([&] {
            uint64 before = query->estate->es_processed;
            Push::finish_all(query->estate);
            compat::add_to_total(query->estate, query->estate->es_processed - before);
        });
    }
    PG_CATCH();
    { rethrow(memory); }
    PG_END_TRY();
}

void process_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
                     ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                     QueryCompletion *completion) {
    auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    if (GetCommandLogLevel(statement->utilityStmt) == LOGSTMT_DDL) {
        Node *outer = running_ddl;
        running_ddl = statement->utilityStmt;
        PG_TRY();
        { next(statement, text, read_only_tree, context, parameters, environment, receiver, completion); }
        PG_FINALLY();
        { running_ddl = outer; }
        PG_END_TRY();
        return;
    }
    if (!IsA(statement->utilityStmt, CopyStmt)) {
        next(statement, text, read_only_tree, context, parameters, environment, receiver, completion);
        return;
    }
    uint64 rows = 0;
    uint64 *outer = copied_rows;
    MemoryContext memory = CurrentMemoryContext;
    copied_rows = &rows;
    PG_TRY();
    { next(statement, text, read_only_tree, context, parameters, environment, receiver, completion); }
    PG_CATCH();
    {
        copied_rows = outer;
        rethrow(memory);
    }
    PG_END_TRY();
    copied_rows = outer;
    if (completion != nullptr)
        completion->nprocessed += rows;
}

} // namespace

bool loaded_by_this_statement() {
    return loading_statement == GetCurrentStatementStartTimestamp();
}

Node *running_utility() {
    return running_ddl;
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
