#include "postgres/syncs/row_contract.h"

#include "postgres/border/names.h"
#include "postgres/border/subtransaction.h"

#include <cstring>

extern "C" {
#include "access/table.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// Whether the error says that the row's values are at fault.
bool is_about_values(const ErrorData *error) {
    int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
    return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
           error->sqlerrcode == ERRCODE_RAISE_EXCEPTION;
}

} // namespace

RowContract::RowContract(const Destination &destination, TupleDesc query, const std::vector<std::string> &columns,
                         bool rules, MemoryContext context)
    : rules_(rules) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context);
        relation_ = table_open(destination.relation, AccessShareLock);
        estate_ = CreateExecutorState();
        econtext_ = GetPerTupleExprContext(estate_);
        made_ = MakeSingleTupleTableSlot(RelationGetDescr(relation_), &TTSOpsVirtual);
        MemoryContextSwitchTo(caller);
    });
    prepare_columns(destination, query, columns);
    if (rules)
        prepare_checks();
}

void RowContract::prepare_columns(const Destination &destination, TupleDesc query,
                                  const std::vector<std::string> &columns) {
    for (const std::string &name : columns) {
        int from = pg_call([&] { return SPI_fnumber(query, to_server(name).c_str()); });
        const DestinationColumn *to = destination.column_named(name);
        if (to == nullptr || from <= 0)
            throw Error(ERRCODE_UNDEFINED_COLUMN,
                        "column \"" + name + "\" of " +
                            (to == nullptr ? "destination \"" + destination.name + "\"" : "the query") +
                            " does not exist any more",
                        "The sync needs it.");
        Node *cast = nullptr;
        const FormData_pg_attribute *given = TupleDescAttr(query, from - 1);
        ExprState *state = pg_call([&]() -> ExprState * {
            MemoryContext caller = MemoryContextSwitchTo(estate_->es_query_cxt);
            Node *value = reinterpret_cast<Node *>(
                makeVar(1, static_cast<AttrNumber>(from), given->atttypid, given->atttypmod, given->attcollation, 0));
            cast = coerce_to_target_type(nullptr, value, given->atttypid, to->type, to->typmod, COERCION_ASSIGNMENT,
                                         COERCE_IMPLICIT_CAST, -1);
            bool as_it_is = cast == nullptr || cast == value || IsA(cast, RelabelType);
            ExprState *made = as_it_is ? nullptr : ExecPrepareExpr(reinterpret_cast<Expr *>(cast), estate_);
            MemoryContextSwitchTo(caller);
            return made;
        });
        if (cast == nullptr)
            throw Error(ERRCODE_DATATYPE_MISMATCH,
                        "column \"" + name + "\" of destination \"" + destination.name + "\" is of type " +
                            type_name(to->type) + ", and the query yields type " + type_name(given->atttypid),
                        "", "Cast it in the query: " + name + "::" + type_name(to->type) + " AS " + name + ".");
        const FormData_pg_attribute *attribute = TupleDescAttr(RelationGetDescr(relation_), to->attnum - 1);
        columns_.push_back({static_cast<AttrNumber>(from), to->attnum, ServerText(attribute->attname),
                            rules_ && attribute->attnotnull, state});
        may_raise_ = may_raise_ || state != nullptr;
    }
}

void RowContract::prepare_checks() {
    const TupleConstr *constraints = RelationGetDescr(relation_)->constr;
    if (constraints == nullptr)
        return;
    for (int i = 0; i < constraints->num_check; i++) {
        const ConstrCheck &check = constraints->check[i];
        ExprState *condition = pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(estate_->es_query_cxt);
            auto *expression = static_cast<Expr *>(stringToNode(check.ccbin));
            ExprState *made = ExecPrepareExpr(expression, estate_);
            MemoryContextSwitchTo(caller);
            return made;
        });
        checks_.push_back({ServerText(check.ccname), condition});
        may_raise_ = true;
    }
}

TupleTableSlot *RowContract::apply(TupleTableSlot *row) {
    reason_.clear();
    if (may_raise_)
        return apply_apart(row) ? made_ : nullptr;
    check(row);
    return reason_.empty() ? made_ : nullptr;
}

/// The same in a subtransaction: an error rolls back what functions in casts and conditions may have done.
bool RowContract::apply_apart(TupleTableSlot *row) {
    try {
        in_subtransaction([&] {
            check(row);
            return true;
        });
    } catch (const PostgresError &error) {
        if (!is_about_values(error.data))
            throw;
        reason_ = error.what();
        if (reason_.empty())
            reason_ = "an error without a message";
        FreeErrorData(error.data); // a million rows may fail
    }
    return reason_.empty();
}

/// Casts the values; what rule they break goes into reason_.
void RowContract::check(TupleTableSlot *row) {
    reason_ = pg_call([&] {
                  ResetExprContext(econtext_);
                  cast_values(row);
                  return broken_rule();
              }).utf8();
}

void RowContract::cast_values(TupleTableSlot *row) {
    slot_getallattrs(row);
    ExecClearTuple(made_);
    std::memset(made_->tts_isnull, true, sizeof(bool) * made_->tts_tupleDescriptor->natts);
    econtext_->ecxt_scantuple = row;
    for (const Column &column : columns_) {
        bool is_null = row->tts_isnull[column.from - 1];
        Datum value = column.cast == nullptr ? row->tts_values[column.from - 1]
                                             : ExecEvalExprSwitchContext(column.cast, econtext_, &is_null);
        made_->tts_values[column.to - 1] = value;
        made_->tts_isnull[column.to - 1] = is_null;
    }
    ExecStoreVirtualTuple(made_);
}

/// Why the row is refused; a null text if it is not. In memory that lasts until the next row.
ServerText RowContract::broken_rule() {
    MemoryContext caller = MemoryContextSwitchTo(econtext_->ecxt_per_tuple_memory);
    const char *broken = nullptr;
    for (const Column &column : columns_)
        if (broken == nullptr && column.not_null && made_->tts_isnull[column.to - 1])
            broken = psprintf("null value in column \"%s\" violates not-null constraint", column.name.c_str());
    econtext_->ecxt_scantuple = made_;
    for (const Check &check : checks_)
        if (broken == nullptr && !ExecCheck(check.condition, econtext_))
            broken = psprintf("the row violates check constraint \"%s\"", check.name.c_str());
    MemoryContextSwitchTo(caller);
    return ServerText(broken);
}

void RowContract::close() {
    pg_call([&] {
        ExecDropSingleTupleTableSlot(made_);
        FreeExecutorState(estate_);
        table_close(relation_, NoLock);
    });
}

} // namespace reverse_etl
