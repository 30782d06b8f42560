/// The SQL functions behind reverse_etl.stat_destinations and reverse_etl.activity.

#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"
#include "postgres/shared/activity.h"
#include "postgres/shared/statistics.h"
#include "postgres/shared/worker_status.h"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// A row of a set that is being returned.
class ResultRow {
  public:
    explicit ResultRow(FunctionCallInfo fcinfo) : result_(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)) {}

    void add(Datum value, bool is_null = false) {
        values_[columns_] = value;
        nulls_[columns_++] = is_null;
    }
    void add_count(std::uint64_t count) { add(Int64GetDatum(static_cast<int64>(count))); }

    void put() {
        pg_call([&] { tuplestore_putvalues(result_->setResult, result_->setDesc, values_, nulls_); });
    }

  private:
    ReturnSetInfo *result_;
    int columns_ = 0;
    Datum values_[32];
    bool nulls_[32];
};

void add_latency(ResultRow &row, const statistics::Numbers &numbers, double share) {
    latency_histogram::Duration latency = latency_histogram::percentile(numbers.latency, share);
    row.add(Float8GetDatum(static_cast<double>(latency.count()) / 1000), latency.count() == 0);
}

} // namespace

/// reverse_etl_internal.statistics(): the columns of the view, in its order
SQL_FUNCTION(reverse_etl_statistics) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        using namespace statistics;
        for (const Numbers &numbers : visible()) {
            ResultRow row(fcinfo);
            row.add(ObjectIdGetDatum(numbers.destination));
            for (Counter counter : {rows_accepted, rows_rejected, rows_read, rows_coalesced})
                row.add_count(numbers.counts[counter]);
            row.add(Int64GetDatum(numbers.waiting_rows));
            row.add(Int64GetDatum(numbers.waiting_bytes));
            for (Counter counter : {requests, retries, throttled, connections_opened, connections_reused, bytes_sent,
                                    bytes_received, bytes_uncompressed})
                row.add_count(numbers.counts[counter]);
            for (double share : {0.5, 0.95, 0.99})
                add_latency(row, numbers, share);
            row.add(TimestampTzGetDatum(numbers.last_accepted_at), numbers.last_accepted_at == 0);
            row.add(TimestampTzGetDatum(numbers.reset_at));
            row.put();
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.stat_reset(destination regclass)
SQL_FUNCTION(reverse_etl_stat_reset) {
    guard([&] { statistics::reset(PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0)); });
    PG_RETURN_VOID();
}

/// reverse_etl_internal.running_pushes(): the columns of reverse_etl.activity, in its order
SQL_FUNCTION(reverse_etl_running_pushes) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        for (const RunningPush &push : Activity::visible()) {
            ResultRow row(fcinfo);
            row.add(Int32GetDatum(push.pid));
            row.add(ObjectIdGetDatum(push.role));
            row.add(ObjectIdGetDatum(push.destination));
            const char *operation = operation_name(push.operation);
            row.add(pg_call([&] { return text_datum(operation); }));
            row.add(TimestampTzGetDatum(push.started_at));
            for (std::uint64_t rows : {push.seen, push.accepted, push.rejected, push.in_flight})
                row.add_count(rows);
            row.add(Float8GetDatum(Activity::rows_per_second(push)));
            row.put();
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl_internal.find_worker(): the state, pid, beginning and last sign of life of this database's worker, or
/// why there is none
SQL_FUNCTION(reverse_etl_find_worker) {
    return guard([&] {
        worker_status::Status status = worker_status::find();
        const char *reason = status.reason.c_str();
        return pg_call([&] {
            TupleDesc descriptor;
            if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
                elog(ERROR, "return type must be a row type");
            Datum values[] = {text_datum(std::string_view(status.state)), Int32GetDatum(status.pid),
                              TimestampTzGetDatum(status.started_at), TimestampTzGetDatum(status.alive_at),
                              text_datum(std::string_view(reason))};
            bool nulls[] = {false, status.pid == 0, status.started_at == 0, status.alive_at == 0, reason[0] == '\0'};
            return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
        });
    });
}

} // namespace reverse_etl
