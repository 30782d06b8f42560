#include "postgres/syncs/run_times.h"

#include "postgres/border/sql.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace reverse_etl {

namespace {

std::int64_t taken_ms(Clock::duration &time) {
    auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    time -= whole;
    return whole.count();
}

} // namespace

void add_times(std::int64_t run, RunTimes &times, bool delivered) {
    std::int64_t reading = taken_ms(times.reading), comparing = taken_ms(times.comparing),
                 of_delivery[] = {taken_ms(times.waiting), taken_ms(times.requests), taken_ms(times.writing)};
    sql::AsOwner owner;
    pg_call([&] {
        auto measured = [&](int i) { return sql::Parameter{INT8OID, Int64GetDatum(of_delivery[i]), !delivered}; };
        sql::execute("SELECT reverse_etl_internal.add_run_times($1, $2, $3, $4, $5, $6)",
                     {sql::int8(run), sql::int8(reading), sql::int8(comparing), measured(0), measured(1), measured(2)});
    });
}

} // namespace reverse_etl
