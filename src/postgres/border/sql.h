#pragma once

/// SQL on the extension's own tables: the background worker's, in transactions of its own, and sessions'.

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "executor/spi.h"
#include "utils/timestamp.h"
}

namespace reverse_etl::sql {

struct Parameter {
    Oid type;
    Datum value;
    bool is_null = false;
};

/// Runs the body in a transaction, connected to SPI, and in the transaction's memory: a process that lives for months
/// keeps nothing of it. When it throws, also at the commit, the transaction is rolled back, and an error of Postgres
/// goes on as an Error, since what belonged to the transaction is gone.
template <class Body>
void in_transaction(Body &&body);

/// Runs the body within a connection of its own to SPI, in the caller's memory context: the results of its statements
/// go with it. Whoever goes on through many transactions would heap them up. Where the body throws, the end of the
/// transaction or subtransaction ends the connection.
template <class Body>
void with_own_results(Body &&body);

/// Runs a statement whose plan is kept as long as the process; call inside pg_call, with SPI connected, and in a scope
/// of the machine: AsMachine, AsOwner, or a process that has pinned its settings. The rows are in SPI_tuptable.
uint64 execute(const char *text, std::initializer_list<Parameter> parameters, long most_rows = 0);
/// The same for a text that names what may be gone tomorrow: no plan is kept.
uint64 execute_once(const char *text, std::initializer_list<Parameter> parameters, long most_rows = 0);

/// The same for a statement that is used once, and whose names may be anybody's. Call inside pg_call.
uint64 run(std::string_view utf8, bool read_only = false, long most_rows = 0);
/// Prepares such a statement, for which SPI frees the plan when it is left. Call inside pg_call.
SPIPlanPtr prepare(std::string_view utf8, int cursor_options = 0);

// Parameters and arrays of them. Call inside pg_call.
Parameter oid(Oid value);
Parameter int8(int64 value);
Parameter text(std::string_view utf8);
Parameter json(std::string_view utf8);
Parameter int4(int32 value);
Parameter name(ServerText value);
Parameter timestamptz(TimestampTz value);
Parameter oids(const std::vector<Oid> &values);
Parameter int8s(const std::vector<int64> &values);
/// "" is NULL.
Parameter texts(const std::vector<std::string> &utf8);

// A column of a result's row, from 1. Call inside pg_call.
Datum column(uint64 row, int number, bool *is_null = nullptr);
/// In UTF-8; valid while the transaction lasts.
std::string_view text_column(uint64 row, int number);
/// A value of any type as it is printed; a null text for NULL.
ServerText printed(uint64 row, int number);
/// The same in UTF-8, "" for NULL. Outside of pg_call.
std::string printed_column(uint64 row, int number);

/// Whom the extension's tables belong to, and whom row security lets see all of them.
Oid owner_of_tables();

/// The rights of the tables' owner, while it lives: what a session writes with, since nobody else may.
struct AsOwner : AsMachine {
    AsOwner() : AsMachine(owner_of_tables()) {}
};

// The parts of in_transaction. `caller`: the memory context that is current again after them.
void begin();
void commit(MemoryContext caller);
/// Rolls back; what the exception says outlives it.
[[noreturn]] void abort_and_rethrow(std::exception_ptr exception, MemoryContext caller);

template <class Body>
void in_transaction(Body &&body) {
    MemoryContext caller = CurrentMemoryContext;
    std::exception_ptr failed;
    try {
        begin();
        body();
        commit(caller);
    } catch (...) {
        failed = std::current_exception();
    }
    if (failed)
        abort_and_rethrow(failed, caller);
}

template <class Body>
void with_own_results(Body &&body) {
    MemoryContext caller = CurrentMemoryContext;
    pg_call([&] {
        SPI_connect();
        MemoryContextSwitchTo(caller);
    });
    body();
    pg_call([] { SPI_finish(); });
}

} // namespace reverse_etl::sql
