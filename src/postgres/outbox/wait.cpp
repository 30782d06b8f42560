#include "postgres/outbox/wait.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>
#include <chrono>
#include <string>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "storage/condition_variable.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
}

namespace reverse_etl {

namespace {

/// A hundred years: no clock overflows.
constexpr double longest_wait_seconds = 3.2e9;

using Clock = std::chrono::steady_clock;

/// How often is looked where nobody tells of outcomes: without shared memory.
constexpr long look_again_ms = 20;
/// And where somebody does, in case the worker should be gone.
constexpr long look_anyway_ms = 5000;

void initialise(void *part) {
    ConditionVariableInit(static_cast<ConditionVariable *>(part));
}

/// Whose rows the caller may see; nobody's number for everybody's.
Oid whose_rows() {
    return pg_call([] {
        const bool sees_all = check_enable_rls(internal_relation("outbox"), InvalidOid, true) != RLS_ENABLED;
        return sees_all ? InvalidOid : GetUserId();
    });
}

/// A number from a query about the rows of the destination up to the highest one.
int64 ask(const char *query, Oid destination, int64 highest) {
    const Oid role = whose_rows();
    sql::AsOwner owner;
    int64 number = 0;
    auto ask = [&] {
        Oid types[] = {OIDOID, INT8OID, OIDOID};
        Datum values[] = {ObjectIdGetDatum(destination), Int64GetDatum(highest), ObjectIdGetDatum(role)};
        if (SPI_execute_with_args(query, 3, types, values, nullptr, false, 0) != SPI_OK_SELECT)
            elog(ERROR, "could not read reverse_etl_internal.outbox");
        bool is_null;
        Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
        number = is_null ? 0 : DatumGetInt64(value);
    };
    sql::with_own_results([&] { pg_call(ask); });
    return number;
}

#define OF_DESTINATION                                                                                                 \
    "FROM reverse_etl_internal.outbox WHERE destination OPERATOR(pg_catalog.=) $1 "                                    \
    "AND ($3 OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR enqueued_by::pg_catalog.oid OPERATOR(pg_catalog.=) $3) "

// A pack has the number of its first row. Up to the end of its thousand all numbers are the same statement's.
constexpr const char *highest_row = "SELECT pg_catalog.max(id) OPERATOR(pg_catalog./) 1000 OPERATOR(pg_catalog.*) 1000 "
                                    "OPERATOR(pg_catalog.+) 999 " OF_DESTINATION "AND $2 IS NOT NULL";
constexpr const char *any_left =
    "SELECT pg_catalog.count(*) FROM (SELECT " OF_DESTINATION "AND id OPERATOR(pg_catalog.<=) $2 LIMIT 1) AS _";
// The second byte of a pack is its number of rows.
constexpr const char *all_left = "SELECT pg_catalog.sum(COALESCE(pg_catalog.get_byte(pack, 1), 1)) " OF_DESTINATION
                                 "AND id OPERATOR(pg_catalog.<=) $2";
#undef OF_DESTINATION

} // namespace

void sleep_for_outcomes(long most_ms) {
    pg_call([&] {
        SPI_commit();
        if (outbox_outcomes.address != nullptr) {
            ConditionVariableTimedSleep(static_cast<ConditionVariable *>(outbox_outcomes.address),
                                        std::min(most_ms, look_anyway_ms), compat::wait_event());
            return;
        }
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, std::min(most_ms, look_again_ms),
                  compat::wait_event());
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    });
}

WatchOutcomes::WatchOutcomes() {
    pg_call([] {
        if (outbox_outcomes.address != nullptr)
            ConditionVariablePrepareToSleep(static_cast<ConditionVariable *>(outbox_outcomes.address));
    });
}

WatchOutcomes::~WatchOutcomes() {
    ConditionVariableCancelSleep();
}

shared_memory::Part outbox_outcomes = {"reverse_etl outcomes", sizeof(ConditionVariable), initialise};

void announce_outcomes() {
    if (outbox_outcomes.address != nullptr)
        ConditionVariableBroadcast(static_cast<ConditionVariable *>(outbox_outcomes.address));
}

void wait_for_outcomes(Oid destination, std::optional<long> timeout_ms) {
    Clock::time_point end = Clock::now() + std::chrono::milliseconds(timeout_ms.value_or(0));
    pg_call([] { SPI_connect_ext(SPI_OPT_NONATOMIC); });
    int64 highest = ask(highest_row, destination, 0);
    WatchOutcomes watch;
    if (ask(any_left, destination, highest) > 0)
        require_worker();
    while (ask(any_left, destination, highest) > 0) {
        long left = look_anyway_ms;
        if (timeout_ms)
            left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) {
            std::string rows = std::to_string(ask(all_left, destination, highest));
            std::string name = relation_name(destination);
            throw Error(ERRCODE_QUERY_CANCELED, "canceling wait for \"" + name + "\" due to its timeout",
                        rows + " rows that were queued before have no outcome yet.",
                        "reverse_etl.destinations tells what keeps them.");
        }
        sleep_for_outcomes(left);
    }
    pg_call([] { SPI_finish(); });
}

/// CALL reverse_etl.wait(destination regclass, timeout interval)
SQL_FUNCTION(reverse_etl_wait) {
    guard([&] {
        if (PG_ARGISNULL(0))
            throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the destination must not be null");
        auto *call = reinterpret_cast<CallContext *>(fcinfo->context);
        if (call == nullptr || !IsA(call, CallContext) || call->atomic)
            throw Error(ERRCODE_ACTIVE_SQL_TRANSACTION, "reverse_etl.wait cannot be called inside a transaction block",
                        "Rows that the transaction queued leave when it has committed.", "End the transaction first.");
        std::optional<long> timeout;
        if (!PG_ARGISNULL(1))
            timeout = pg_call([&] {
                double seconds =
                    DatumGetFloat8(DirectFunctionCall2(interval_part, text_datum("epoch"), PG_GETARG_DATUM(1)));
                return static_cast<long>(std::clamp(seconds, 0.0, longest_wait_seconds) * 1000);
            });
        wait_for_outcomes(PG_GETARG_OID(0), timeout);
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
