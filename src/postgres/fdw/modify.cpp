#include "postgres/fdw/fdw.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/injection_point.h"
#include "postgres/border/names.h"
#include "postgres/destinations/identity.h"
#include "postgres/fdw/delivery_mode.h"
#include "postgres/fdw/modify_plan.h"
#include "postgres/fdw/push.h"
#include "postgres/fdw/statement_hooks.h"
#include "postgres/outbox/enqueue.h"

#include <utility>

extern "C" {
#include "access/htup_details.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// A foreign table that a statement writes to: ResultRelInfo::ri_FdwState.
struct ModifyState {
    Push *push = nullptr;       ///< for immediate delivery
    Enqueue *enqueue = nullptr; ///< for queued delivery
    bool one_by_one = false;    ///< nothing would tell when the last row has come
    /// Where in the plan's rows the columns are that name the row.
    std::vector<AttrNumber> address;
    std::vector<Datum> address_values;
    std::unique_ptr<bool[]> address_nulls;
    AttrNumber whole_row = InvalidAttrNumber;
    const DestinationColumn *id = nullptr;
    FmgrInfo id_input;
    Oid id_io_parameter = InvalidOid;
};

/// The statement wants to see each row's outcome before it goes on to the next row.
bool row_by_row(const ResultRelInfo *relation, CmdType command) {
    if (relation->ri_projectReturning != nullptr || relation->ri_WithCheckOptions != NIL)
        return true;
    const TriggerDesc *triggers = relation->ri_TrigDesc;
    if (triggers == nullptr)
        return false;
    return command == CMD_INSERT   ? triggers->trig_insert_after_row
           : command == CMD_UPDATE ? triggers->trig_update_after_row
                                   : triggers->trig_delete_after_row;
}

/// What the user asked for, as the audit log has it.
const char *statement_kind(const ModifyTableState *state) {
    if (state->ps.plan == nullptr)
        return "COPY";
    switch (state->operation) {
    case CMD_UPDATE:
        return "UPDATE";
    case CMD_DELETE:
        return "DELETE";
    case CMD_MERGE:
        return "MERGE";
    default:
        return "INSERT";
    }
}

ModifyState &make_state(ModifyTableState *modify, ResultRelInfo *relation, const Destination &destination,
                        const PushPlan &plan, uint64 *counter, const Plan *subplan) {
    EState *estate = modify->ps.state;
    MemoryContext context = estate->es_query_cxt;
    auto *state = make_in<ModifyState>(context);
    Oid user = pg_call([&] { return compat::check_as_user(relation, estate); });
    if (is_queued(destination, plan.operation, relation, estate)) {
        state->enqueue = make_in<Enqueue>(context, destination, plan, statement_kind(modify), user, context);
    } else {
        if (Preview::current() == nullptr)
            identity::refuse_copy();
        state->push = make_in<Push>(context, destination, plan, statement_kind(modify), user, estate, counter);
    }
    for (AttrNumber attnum : plan.address)
        state->address.push_back(
            pg_call([&] { return ExecFindJunkAttributeInTlist(subplan->targetlist, address_name(attnum)); }));
    if (plan.operation == OperationKind::remove)
        state->whole_row = pg_call([&] { return ExecFindJunkAttributeInTlist(subplan->targetlist, "wholerow"); });
    state->address_values.resize(plan.address.size());
    state->address_nulls = std::make_unique<bool[]>(plan.address.size());
    state->id = destination.id_column();
    if (state->id != nullptr)
        pg_call([&] {
            Oid input;
            getTypeInputInfo(state->id->type, &input, &state->id_io_parameter);
            fmgr_info_cxt(input, &state->id_input, context);
        });
    relation->ri_FdwState = state;
    return *state;
}

void read_address(ModifyState &state, TupleTableSlot *plan_slot) {
    for (std::size_t i = 0; i < state.address.size(); i++)
        state.address_values[i] = ExecGetJunkAttribute(plan_slot, state.address[i], &state.address_nulls[i]);
}

/// Puts the destination's id of the row into the slot, for RETURNING and triggers.
void fill_in_id(ModifyState &state, const std::string &id, EState *estate, ResultRelInfo *relation,
                TupleTableSlot *slot) {
    if (state.id == nullptr || id.empty())
        return;
    TupleDesc descriptor = RelationGetDescr(relation->ri_RelationDesc);
    pg_call([&] {
        slot_getallattrs(slot);
        MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
        slot->tts_values[state.id->attnum - 1] =
            input_value(&state.id_input, to_server(id), state.id_io_parameter, state.id->typmod);
        MemoryContextSwitchTo(caller);
        slot->tts_isnull[state.id->attnum - 1] = false;
        HeapTuple tuple = heap_form_tuple(descriptor, slot->tts_values, slot->tts_isnull);
        ExecForceStoreHeapTuple(tuple, slot, true);
    });
}

/// Puts the row as it was read into the slot, for the RETURNING of a DELETE.
void fill_in_old_row(AttrNumber whole_row, TupleTableSlot *slot, TupleTableSlot *plan_slot) {
    bool is_null = false;
    Datum row = ExecGetJunkAttribute(plan_slot, whole_row, &is_null);
    if (is_null)
        return;
    HeapTupleHeader header = DatumGetHeapTupleHeader(row);
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = header;
    ExecForceStoreHeapTuple(heap_copytuple(&tuple), slot, true);
}

/// Sends the row, or puts it with the others that wait: then it is not counted now, but when its outcome is known.
TupleTableSlot *send(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot,
                     CmdType command) {
    auto &state = *static_cast<ModifyState *>(relation->ri_FdwState);
    if (command != CMD_INSERT)
        pg_call([&] { read_address(state, plan_slot); });
    if (state.enqueue != nullptr) {
        if (!state.enqueue->add(slot, state.address_values.data(), state.address_nulls.get()))
            return nullptr;
        if (command == CMD_DELETE && state.whole_row != InvalidAttrNumber)
            pg_call([&] { fill_in_old_row(state.whole_row, slot, plan_slot); });
        return slot;
    }
    if (!state.one_by_one && !row_by_row(relation, command)) {
        state.push->add(slot, state.address_values.data(), state.address_nulls.get());
        return nullptr;
    }
    // The executor checks after the row was inserted, and then it could not be taken back.
    if (relation->ri_WithCheckOptions != NIL)
        pg_call([&] { ExecWithCheckOptions(WCO_VIEW_CHECK, relation, slot, estate); });
    std::string id;
    if (!state.push->deliver_one(slot, state.address_values.data(), state.address_nulls.get(), id))
        return nullptr;
    if (command == CMD_INSERT)
        fill_in_id(state, id, estate, relation, slot);
    else if (command == CMD_DELETE && state.whole_row != InvalidAttrNumber)
        pg_call([&] { fill_in_old_row(state.whole_row, slot, plan_slot); });
    return slot;
}

/// COPY, and a partition, may be what loads the library: then no hook will tell when the last row has come, and only
/// rows that go alone are counted right.
void go_one_by_one(ModifyState &state) {
    state.one_by_one = true;
    pg_call([] {
        ereport(NOTICE, (errmsg("rows go one a request, since this statement loaded the library reverse_etl"),
                         errdetail("Later statements of the session send them in batches."),
                         errhint("Add reverse_etl to session_preload_libraries to load it when a session begins.")));
    });
}

/// A partition that is also a target of the statement is ended as either.
void finish(ResultRelInfo *relation) {
    auto *state = static_cast<ModifyState *>(std::exchange(relation->ri_FdwState, nullptr));
    if (state == nullptr)
        return;
    if (state->enqueue != nullptr)
        state->enqueue->finish();
    else
        state->push->finish();
}

} // namespace

void begin_modify(ModifyTableState *state, ResultRelInfo *relation, List *plan, int, int flags) {
    guard([&] {
        INJECTION_POINT("begin_modify");
        if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0)
            return;
        EState *estate = state->ps.state;
        Destination *destination = open_destination(RelationGetRelid(relation->ri_RelationDesc), estate->es_query_cxt);
        make_state(state, relation, *destination, push_plan_of(plan),
                   state->canSetTag ? &estate->es_processed : nullptr, outerPlanState(state)->plan);
    });
}

void begin_insert(ModifyTableState *state, ResultRelInfo *relation) {
    guard([&] {
        INJECTION_POINT("begin_insert");
        // Rows that move here would be created as well as updated, whichever comes first.
        if (state->operation == CMD_UPDATE && relation->ri_FdwState != nullptr)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                        "cannot move rows into destination \"" +
                            relation_name(RelationGetRelid(relation->ri_RelationDesc)) +
                            "\", which the statement updates too",
                        "", "Name the partition whose rows are to move, or let WHERE leave out the destination's.");
        EState *estate = state->ps.state;
        Destination *destination = open_destination(RelationGetRelid(relation->ri_RelationDesc), estate->es_query_cxt);
        // A COPY has no plan. A partition's columns need not be those that the statement names.
        bool is_copy = state->ps.plan == nullptr;
        Bitmapset *named = nullptr;
        if (is_copy && relation->ri_RangeTableIndex != 0 && relation->ri_RootResultRelInfo == nullptr)
            named = pg_call([&] { return ExecGetInsertedCols(relation, estate); });
        PushPlan plan =
            plan_insert(*destination, named, RelationGetDescr(relation->ri_RelationDesc), relation->ri_TrigDesc);
        uint64 *counter = is_copy ? copy_counter() : state->canSetTag ? &estate->es_processed : nullptr;
        ModifyState &made = make_state(state, relation, *destination, plan, counter, nullptr);
        if (loaded_by_this_statement() && made.push != nullptr && Preview::current() == nullptr)
            go_one_by_one(made);
    });
}

TupleTableSlot *exec_insert(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot) {
    return guard([&] {
        INJECTION_POINT("exec_insert");
        return send(estate, relation, slot, plan_slot, CMD_INSERT);
    });
}

TupleTableSlot *exec_update(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot) {
    return guard([&] {
        INJECTION_POINT("exec_update");
        return send(estate, relation, slot, plan_slot, CMD_UPDATE);
    });
}

TupleTableSlot *exec_delete(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot) {
    return guard([&] {
        INJECTION_POINT("exec_delete");
        return send(estate, relation, slot, plan_slot, CMD_DELETE);
    });
}

void end_modify(EState *, ResultRelInfo *relation) {
    guard([&] {
        INJECTION_POINT("end_modify");
        finish(relation);
    });
}

void end_insert(EState *, ResultRelInfo *relation) {
    guard([&] {
        INJECTION_POINT("end_insert");
        finish(relation);
    });
}

} // namespace reverse_etl
