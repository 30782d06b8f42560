#pragma once

/// What differs between the Postgres versions that are supported (15 to 18), and nothing else.

#include "postgres/border/postgres.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/pathnode.h"
#include "parser/parse_relation.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/proc.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/acl.h"
#include "utils/selfuncs.h"
#include "utils/wait_event.h"
}

namespace reverse_etl::compat {

/// A WaitEventSet that lives as long as the process. From 17 on one may belong to a resource owner instead.
inline WaitEventSet *create_wait_event_set(MemoryContext context, int events) {
#if PG_VERSION_NUM >= 170000
    (void)context;
    return CreateWaitEventSet(nullptr, events);
#else
    return CreateWaitEventSet(context, events);
#endif
}

/// What pg_stat_activity shows while a destination is waited for; extensions have names for it from 17 on.
inline uint32 wait_event() {
#if PG_VERSION_NUM >= 170000
    static uint32 event = WaitEventExtensionNew("ReverseEtlDestination");
    return event;
#else
    return PG_WAIT_EXTENSION;
#endif
}

/// With this a background worker connects as a role that may not log in; before 17 it cannot.
#if PG_VERSION_NUM >= 170000
constexpr bits32 any_role = BGWORKER_BYPASS_ROLELOGINCHECK;
#else
constexpr uint32 any_role = 0;
#endif

/// Likewise while the worker writes to the audit log.
inline uint32 audit_log_event() {
#if PG_VERSION_NUM >= 170000
    static uint32 event = WaitEventExtensionNew("ReverseEtlAuditLog");
    return event;
#else
    return PG_WAIT_EXTENSION;
#endif
}

/// 18 turned the question around.
inline bool is_background_worker(const PGPROC *process) {
#if PG_VERSION_NUM >= 180000
    return !process->isRegularBackend;
#else
    return process->isBackgroundWorker;
#endif
}

/// The session's number for its present transaction. Moved in 17.
inline LocalTransactionId local_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

/// Whether statements before this one, of the same transaction, came in one pipeline. 15.2 was the first to know.
inline bool is_pipelining() {
#ifdef XACT_FLAGS_PIPELINING
    return (MyXactFlags & XACT_FLAGS_PIPELINING) != 0;
#else
    return false;
#endif
}

/// Which of the cluster's processes this one is, as GetPGProcByNumber takes it. Moved out of PGPROC in 17.
inline int proc_number() {
#if PG_VERSION_NUM >= 170000
    return MyProcNumber;
#else
    return MyProc->pgprocno;
#endif
}

/// The role whose rights a foreign table is written with. Moved from the range table entry to its permissions in 16.
inline Oid check_as_user(ResultRelInfo *relation, EState *estate) {
#if PG_VERSION_NUM >= 160000
    return ExecGetResultRelCheckAsUser(relation, estate);
#else
    // A partition that rows were routed to is written with the rights of the table that the statement names.
    if (relation->ri_RootResultRelInfo != nullptr)
        relation = relation->ri_RootResultRelInfo;
    if (relation->ri_RangeTableIndex == 0)
        return GetUserId();
    RangeTblEntry *entry = exec_rt_fetch(relation->ri_RangeTableIndex, estate);
    return OidIsValid(entry->checkAsUser) ? entry->checkAsUser : GetUserId();
#endif
}

/// Whether the role may use the schema. 16 has one function for all kinds of objects.
inline AclResult schema_aclcheck(Oid schema, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE);
#else
    return pg_namespace_aclcheck(schema, role, ACL_USAGE);
#endif
}

inline AclResult server_aclcheck(Oid server, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(ForeignServerRelationId, server, role, ACL_USAGE);
#else
    return pg_foreign_server_aclcheck(server, role, ACL_USAGE);
#endif
}

inline bool owns_relation(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, relation, role);
#else
    return pg_class_ownercheck(relation, role);
#endif
}

/// The role whose rights a foreign table is read with.
inline Oid scan_user(ForeignScanState *node) {
#if PG_VERSION_NUM >= 160000
    Oid user = reinterpret_cast<ForeignScan *>(node->ss.ps.plan)->checkAsUser;
#else
    auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
    const int relation =
        scan->scan.scanrelid > 0 ? static_cast<int>(scan->scan.scanrelid) : bms_next_member(scan->fs_relids, -1);
    Oid user = exec_rt_fetch(relation, node->ss.ps.state)->checkAsUser;
#endif
    return OidIsValid(user) ? user : GetUserId();
}

/// The columns that an INSERT names, as offsets from FirstLowInvalidHeapAttributeNumber.
inline Bitmapset *inserted_columns(PlannerInfo *root, RangeTblEntry *entry) {
#if PG_VERSION_NUM >= 160000
    return getRTEPermissionInfo(root->parse->rteperminfos, entry)->insertedCols;
#else
    (void)root;
    return entry->insertedCols;
#endif
}

/// From 16 on Postgres adds up the rows of all runs of a query, and has done so when a hook runs after one.
inline void add_to_total(EState *estate, uint64 rows) {
#if PG_VERSION_NUM >= 160000
    estate->es_total_processed += rows;
#else
    (void)estate;
    (void)rows;
#endif
}

/// 16 added the argument for BRIN.
inline void insert_index_tuples(ResultRelInfo *relation, TupleTableSlot *slot, EState *estate) {
    if (relation->ri_NumIndices > 0)
        ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL
#if PG_VERSION_NUM >= 160000
                              ,
                              false
#endif
        );
}

/// 16 gave the callback of tree walkers a type.
using TreeWalker = bool (*)(Node *node, void *context);
inline bool walk_query_tree(Query *query, TreeWalker walker, void *context, int flags) {
#if PG_VERSION_NUM >= 160000
    return query_tree_walker(query, walker, context, flags);
#else
    return query_tree_walker(query, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context, flags);
#endif
}
inline bool walk_expression_tree(Node *node, TreeWalker walker, void *context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker(node, walker, context);
#else
    return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

/// 18 can count what a scan does.
inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
    return index_beginscan(table, index, snapshot, nullptr, keys, 0);
#else
    return index_beginscan(table, index, snapshot, keys, 0);
#endif
}

/// 17 estimates with the statistics that the planner has.
inline double array_length(PlannerInfo *root, Node *array) {
#if PG_VERSION_NUM >= 170000
    return estimate_array_length(root, array);
#else
    (void)root;
    return estimate_array_length(array);
#endif
}

/// 18 can leave room before the tuple.
inline MinimalTuple form_minimal_tuple(TupleDesc descriptor, const Datum *values, const bool *nulls) {
#if PG_VERSION_NUM >= 180000
    return heap_form_minimal_tuple(descriptor, values, nulls, 0);
#else
    return heap_form_minimal_tuple(descriptor, const_cast<Datum *>(values), const_cast<bool *>(nulls));
#endif
}

/// 18 has a word for it that belongs to no access method.
inline bool is_descending(const PathKey *key) {
#if PG_VERSION_NUM >= 180000
    return key->pk_cmptype == COMPARE_GT;
#else
    return key->pk_strategy == BTGreaterStrategyNumber;
#endif
}

/// 17 added the join's restrictions, 18 the number of disabled nodes.
inline ForeignPath *create_foreign_path(PlannerInfo *root, RelOptInfo *relation, double rows, Cost startup, Cost total,
                                        Relids required_outer, List *order = NIL) {
    return create_foreignscan_path(root, relation, nullptr, rows,
#if PG_VERSION_NUM >= 180000
                                   0,
#endif
                                   startup, total, order, required_outer, nullptr,
#if PG_VERSION_NUM >= 170000
                                   NIL,
#endif
                                   NIL);
}

/// The same of what a scan gives of rows that were put together.
inline ForeignPath *create_foreign_upper_path(PlannerInfo *root, RelOptInfo *relation, double rows, Cost startup,
                                              Cost total) {
    return ::create_foreign_upper_path(root, relation, relation->reltarget, rows,
#if PG_VERSION_NUM >= 180000
                                       0,
#endif
                                       startup, total, NIL, nullptr,
#if PG_VERSION_NUM >= 170000
                                       NIL,
#endif
                                       NIL);
}

} // namespace reverse_etl::compat
