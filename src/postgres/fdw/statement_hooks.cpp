#include "postgres/fdw/statement_hooks.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/fdw/imported_options.h"
#include "postgres/fdw/push.h"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
}

namespace reverse_etl {

namespace {

ExecutorStart_hook_type next_executor_start = nullptr;
ExecutorRun_hook_type next_executor_run = nullptr;
ExecutorFinish_hook_type next_executor_finish = nullptr;
ProcessUtility_hook_type next_process_utility = nullptr;
uint64 *copied_rows = nullptr; ///< of the COPY that runs, in its process_utility()
TimestampTz loading_statement = 0;
bool loaded_while_running = false; ///< by what the statement does, not when it (or EXECUTE's) was planned

/// What runs between the beginning and the end of a hook. They stand on the stack, each within its outer one.
struct Frame {
    const QueryDesc *query = nullptr; ///< what the executor runs,
    Node *utility = nullptr;          ///< or the command
    const Frame *outer = nullptr;
};
const Frame *innermost = nullptr;

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

/// Runs the step as a frame of its own.
template <class Step>
void within(Frame frame, Step &&step) {
    MemoryContext memory = CurrentMemoryContext;
    frame.outer = innermost;
    innermost = &frame;
    PG_TRY();
    { step(); }
    PG_CATCH();
    {
        innermost = frame.outer;
        rethrow(memory);
    }
    PG_END_TRY();
    innermost = frame.outer;
}

void executor_start(QueryDesc *query, int flags) {
    within({query},
           [&] { (next_executor_start != nullptr ? next_executor_start : standard_ExecutorStart)(query, flags); });
}

/// `once` is the argument that went away in 18.
template <class... Once>
void executor_run(QueryDesc *query, ScanDirection direction, uint64 count, Once... once) {
    within({query}, [&] {
        (next_executor_run != nullptr ? next_executor_run : standard_ExecutorRun)(query, direction, count, once...);
        guard([&] {
            uint64 before = query->estate->es_processed;
            Push::finish_all(query->estate);
            compat::add_to_total(query->estate, query->estate->es_processed - before);
        });
    });
}

/// Triggers run here, after the statement's rows.
void executor_finish(QueryDesc *query) {
    within({query}, [&] { (next_executor_finish != nullptr ? next_executor_finish : standard_ExecutorFinish)(query); });
}

void process_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
                     ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                     QueryCompletion *completion) {
    auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    bool copies = IsA(statement->utilityStmt, CopyStmt);
    uint64 rows = 0;
    uint64 *outer = copied_rows;
    if (copies)
        copied_rows = &rows;
    PG_TRY();
    {
        within({nullptr, statement->utilityStmt}, [&] {
            List *options = imported_options::take(statement, read_only_tree, context);
            next(statement, text, read_only_tree, context, parameters, environment, receiver, completion);
            if (options != NIL)
                imported_options::write(statement, options);
        });
    }
    PG_FINALLY();
    { copied_rows = outer; }
    PG_END_TRY();
    if (copies && completion != nullptr)
        completion->nprocessed += rows;
}

bool is_command(const PortalData *portal, NodeTag tag) {
    const Node *utility =
        list_length(portal->stmts) == 1 ? linitial_node(PlannedStmt, portal->stmts)->utilityStmt : nullptr;
    return utility != nullptr && nodeTag(utility) == tag;
}

/// EXECUTE runs what was prepared in a portal that nobody sees. One that is seen belongs to a function in its
/// arguments.
bool runs_what_was_prepared(const Frame &frame) {
    return frame.outer == nullptr && frame.utility != nullptr && IsA(frame.utility, ExecuteStmt) &&
           !ActivePortal->visible;
}

/// Of a COPY, the portal's command is all there is to see.
bool is_own_copy() {
    if (loaded_by_this_statement() && loaded_while_running)
        return innermost == nullptr && is_command(ActivePortal, T_CopyStmt);
    return innermost != nullptr && innermost->outer == nullptr && innermost->utility != nullptr &&
           IsA(innermost->utility, CopyStmt);
}

} // namespace

bool loaded_by_this_statement() {
    return loading_statement == GetCurrentStatementStartTimestamp();
}

Node *running_utility() {
    for (const Frame *frame = innermost; frame != nullptr; frame = frame->outer)
        if (frame->utility != nullptr && GetCommandLogLevel(frame->utility) == LOGSTMT_DDL)
            return frame->utility;
    if (ActivePortal == nullptr || list_length(ActivePortal->stmts) != 1)
        return nullptr;
    Node *statement = linitial_node(PlannedStmt, ActivePortal->stmts)->utilityStmt;
    return statement != nullptr && GetCommandLogLevel(statement) == LOGSTMT_DDL ? statement : nullptr;
}

bool is_own_statement(const EState *estate) {
    // Workers that apply changes, and whoever fires triggers at COMMIT, have no portal.
    if (ActivePortal == nullptr)
        return false;
    if (estate->es_plannedstmt == nullptr)
        return is_own_copy();
    const Frame *frame = innermost;
    if (frame == nullptr || frame->query == nullptr || frame->query->estate != estate ||
        (loaded_by_this_statement() && loaded_while_running))
        return false;
    // An EXECUTE that loaded the library has no frame.
    bool is_outermost = frame->outer == nullptr ? !(loaded_by_this_statement() && ActivePortal->visible)
                                                : runs_what_was_prepared(*frame->outer);
    return is_outermost && list_member_ptr(ActivePortal->stmts, estate->es_plannedstmt);
}

uint64 *copy_counter() {
    return copied_rows;
}

void install_statement_hooks() {
    loading_statement = process_shared_preload_libraries_in_progress ? 0 : GetCurrentStatementStartTimestamp();
    loaded_while_running = ActivePortal != nullptr && !is_command(ActivePortal, T_ExecuteStmt);
    next_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = executor_start;
    next_executor_run = ExecutorRun_hook;
    ExecutorRun_hook = executor_run;
    next_executor_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = executor_finish;
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
}

} // namespace reverse_etl
