#pragma once

/// The border between C++ and Postgres. Postgres raises errors by longjmp, C++ by exceptions; neither may cross the
/// other's frames. guard() stands around everything that Postgres calls, pg_call() around every Postgres call made from
/// C++ that can raise.

#include "engine/text/errors.h"

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "postgres/border/server_text.h"

extern "C" {
#include "utils/memutils.h"
}

namespace reverse_etl {

/// A Postgres error on its way through C++ frames. The data lives in the memory context that was current at pg_call,
/// and its texts are the server's; what is kept of it or passed on is in UTF-8.
class PostgresError : public std::runtime_error {
  public:
    explicit PostgresError(ErrorData *data) : std::runtime_error(ServerText(data->message).legible()), data(data) {}
    std::string detail() const { return ServerText(data->detail).legible(); }
    std::string hint() const { return ServerText(data->hint).legible(); }
    std::string context() const { return ServerText(data->context).legible(); }
    ErrorData *const data;
};

/// An error that C++ code raises for the user, as ereport would.
class Error : public std::runtime_error {
  public:
    Error(int sqlstate, const std::string &message, std::string detail = {}, std::string hint = {},
          std::string context = {}, std::string detail_log = {})
        : std::runtime_error(message), sqlstate(sqlstate), detail(std::move(detail)), hint(std::move(hint)),
          context(std::move(context)), detail_log(std::move(detail_log)) {}
    const int sqlstate;
    const std::string detail, hint, context;
    const std::string detail_log; ///< what the server log gets in place of the detail, where that quotes rows
};

/// The same error in memory that is not Postgres's: it outlives the transaction.
Error lasting(const PostgresError &error);
/// What any exception says, likewise.
Error lasting(const std::exception_ptr &failed);

/// The SQLSTATE for a fault of a destination.
int sqlstate_of(Fault fault);

/// Calls Postgres. An error that it raises becomes a PostgresError. The callable's own frames must hold no object with
/// a destructor while Postgres can raise; C++ exceptions may leave it. However it ends, the current memory context is
/// the caller's again.
template <class Callable>
auto pg_call(Callable &&callable) {
    struct State {
        sigjmp_buf *exceptions = PG_exception_stack;
        ErrorContextCallback *contexts = error_context_stack;
        MemoryContext memory = CurrentMemoryContext;
        ~State() {
            PG_exception_stack = exceptions;
            error_context_stack = contexts;
            CurrentMemoryContext = memory;
        }
    } caller;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        return std::forward<Callable>(callable)();
    }
    MemoryContextSwitchTo(caller.memory);
    ErrorData *data = CopyErrorData();
    FlushErrorState();
    throw PostgresError(data);
}

namespace border {

/// What a guard caught, in plain memory: nothing is allocated while an exception is handled, and nothing needs a
/// destructor when the error is raised.
struct Caught {
    ErrorData *of_postgres;
    int sqlstate;
    char message[1024], detail[2048], hint[1024], context[512], detail_log[512];
};

/// Called in a catch block: writes down the exception being handled. Never raises.
void note(Caught &caught) noexcept;
[[noreturn]] void raise(const Caught &caught);

} // namespace border

/// Runs C++ code that Postgres called. An exception becomes a Postgres error, once no C++ frame is left to cross.
template <class Callable>
auto guard(Callable &&callable) {
    // Not on the stack of the try block's unwinding, so that the error can be raised outside of the catch block.
    border::Caught caught;
    try {
        prepare_conversions();
        return callable();
    } catch (...) {
        border::note(caught);
    }
    border::raise(caught);
}

/// Makes a C++ object that a memory context owns: it is destroyed when the context is reset or deleted, also by an
/// abort. Its destructor must neither throw nor call Postgres functions that can raise.
template <class Object, class... Arguments>
Object *make_in(MemoryContext context, Arguments &&...arguments) {
    auto *callback = static_cast<MemoryContextCallback *>(
        pg_call([&] { return MemoryContextAllocZero(context, sizeof(MemoryContextCallback)); }));
    auto *object = new Object(std::forward<Arguments>(arguments)...);
    callback->arg = object;
    callback->func = [](void *owned) { delete static_cast<Object *>(owned); };
    MemoryContextRegisterResetCallback(context, callback);
    return object;
}

} // namespace reverse_etl
