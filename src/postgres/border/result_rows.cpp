#include "postgres/border/result_rows.h"

#include "postgres/border/border.h"
#include "postgres/border/sql.h"

extern "C" {
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

OneSnapshot::OneSnapshot() {
    pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
}

OneSnapshot::~OneSnapshot() {
    PopActiveSnapshot();
}

namespace {

/// Looks at the rows on their way into a store.
struct WatchingReceiver {
    DestReceiver receiver; // first: this is what the executor has
    DestReceiver *into;
    const ResultRows::Watch *watch;
    int column;

    static WatchingReceiver &of(DestReceiver *receiver) { return *reinterpret_cast<WatchingReceiver *>(receiver); }
};

/// Call inside pg_call.
DestReceiver *watching(DestReceiver *into, TupleDesc descriptor, const ResultRows::Watch &watch) {
    auto *made = static_cast<WatchingReceiver *>(palloc0(sizeof(WatchingReceiver)));
    made->into = into;
    made->watch = &watch;
    made->column = SPI_fnumber(descriptor, watch.column);
    made->receiver.mydest = into->mydest;
    made->receiver.rStartup = [](DestReceiver *receiver, int operation, TupleDesc type) {
        DestReceiver *inner = WatchingReceiver::of(receiver).into;
        inner->rStartup(inner, operation, type);
    };
    made->receiver.receiveSlot = [](TupleTableSlot *slot, DestReceiver *receiver) {
        WatchingReceiver &self = WatchingReceiver::of(receiver);
        bool is_null = false;
        const Datum value = slot_getattr(slot, self.column, &is_null);
        if (!is_null)
            self.watch->take(value);
        return self.into->receiveSlot(slot, self.into);
    };
    made->receiver.rShutdown = [](DestReceiver *receiver) {
        DestReceiver *inner = WatchingReceiver::of(receiver).into;
        inner->rShutdown(inner);
    };
    made->receiver.rDestroy = [](DestReceiver *receiver) {
        DestReceiver *inner = WatchingReceiver::of(receiver).into;
        inner->rDestroy(inner);
        pfree(receiver);
    };
    return &made->receiver;
}

} // namespace

ResultRows ResultRows::of(const std::string &query, const Watch &watch) {
    ResultRows result;
    pg_call([&] {
        SPIPlanPtr plan = sql::prepare(query, CURSOR_OPT_PARALLEL_OK);
        // The rows of another statement would not have the columns of the first.
        List *sources = SPI_plan_get_plan_sources(plan);
        if (list_length(sources) != 1)
            ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("more than one statement where one query is meant")));
        auto *source = static_cast<CachedPlanSource *>(linitial(sources));
        MemoryContext caller = MemoryContextSwitchTo(CurTransactionContext);
        result.descriptor_ = CreateTupleDescCopy(source->resultDesc);
        result.rows_.reset(tuplestore_begin_heap(true, false, work_mem));
        MemoryContextSwitchTo(caller);
        DestReceiver *receiver = CreateTuplestoreDestReceiver();
        SetTuplestoreDestReceiverParams(receiver, result.rows_.get(), CurTransactionContext, true, nullptr, nullptr);
        if (watch.take)
            receiver = watching(receiver, result.descriptor_, watch);
        SPIExecuteOptions options{};
        options.read_only = true; // all under the one snapshot that is active
        options.dest = receiver;
        int status = SPI_execute_plan_extended(plan, &options);
        if (status != SPI_OK_SELECT)
            elog(ERROR, "could not run \"%s\": %s", query, ServerText(SPI_result_code_string(status)));
        receiver->rDestroy(receiver);
        SPI_freeplan(plan);
    });
    return result;
}

ResultRows ResultRows::made_of(TupleDesc descriptor, MemoryContext lasting) {
    ResultRows result;
    const bool lasts = lasting != nullptr;
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(lasts ? lasting : CurTransactionContext);
        result.descriptor_ = CreateTupleDescCopy(descriptor);
        result.rows_.reset(tuplestore_begin_heap(true, lasts, work_mem));
        MemoryContextSwitchTo(caller);
    });
    return result;
}

void ResultRows::put(const Datum *values, const bool *nulls) {
    pg_call([&] {
        tuplestore_putvalues(rows_.get(), descriptor_, const_cast<Datum *>(values), const_cast<bool *>(nulls));
    });
}

ShownRows::~ShownRows() {
    SPI_unregister_relation(name_);
}

void ResultRows::show_as(const char *name, double expected) const {
    pg_call([&] {
        auto *relation = static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));
        relation->md.name = pstrdup(name);
        relation->md.tupdesc = descriptor_;
        relation->md.enrtype = ENR_NAMED_TUPLESTORE;
        relation->md.enrtuples = expected >= 0 ? expected : static_cast<double>(tuplestore_tuple_count(rows_.get()));
        relation->reldata = rows_.get();
        SPI_unregister_relation(name);
        int status = SPI_register_relation(relation);
        if (status != SPI_OK_REL_REGISTER)
            elog(ERROR, "could not show \"%s\": %s", ServerText(name), ServerText(SPI_result_code_string(status)));
    });
}

std::int64_t ResultRows::count() const {
    return rows_ == nullptr ? 0 : tuplestore_tuple_count(rows_.get());
}

TupleTableSlot *ResultRows::begin() const {
    if (rows_ == nullptr)
        return nullptr;
    return pg_call([&] {
        tuplestore_rescan(rows_.get());
        return MakeSingleTupleTableSlot(descriptor_, &TTSOpsMinimalTuple);
    });
}

bool ResultRows::next(TupleTableSlot *slot) const {
    return rows_ != nullptr && pg_call([&] { return tuplestore_gettupleslot(rows_.get(), true, false, slot); });
}

void ResultRows::end(TupleTableSlot *slot) {
    if (slot != nullptr)
        pg_call([&] { ExecDropSingleTupleTableSlot(slot); });
}

} // namespace reverse_etl
