#pragma once

#include "postgres/border/border.h"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace reverse_etl {

/// Runs the body in a subtransaction, which is rolled back unless it answers true; and when it throws as well: whoever
/// ends the transaction must not find itself inside of another.
template <class Body>
void in_subtransaction(Body &&body) {
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    pg_call([&] {
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(context);
    });
    bool keep = false;
    std::exception_ptr failed;
    try {
        keep = body();
    } catch (...) {
        failed = std::current_exception();
    }
    pg_call([&] {
        if (keep)
            ReleaseCurrentSubTransaction();
        else
            RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
    });
    if (failed)
        std::rethrow_exception(failed);
}

} // namespace reverse_etl
