/// The library's start.

#include "postgres/audit_log/mailboxes.h"
#include "postgres/border/act_as.h"
#include "postgres/border/settings.h"
#include "postgres/border/trusted_functions.h"
#include "postgres/destinations/identity.h"
#include "postgres/fdw/statement_hooks.h"
#include "postgres/module/transaction_end.h"
#include "postgres/outbox/wait.h"
#include "postgres/shared/activity.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/shared_rate_limiter.h"
#include "postgres/shared/source_queries.h"
#include "postgres/shared/statistics.h"
#include "postgres/shared/worker_control.h"
#include "postgres/shared/worker_hooks.h"
#include "postgres/shared/worker_status.h"

extern "C" {
#include "fmgr.h"
#include "miscadmin.h"

// Everything else in the library is hidden. Before 16 Postgres' own macros do not say that these are not.
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
void _PG_init(void);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

/// All that the processes of a cluster share.
shared_memory::Part *const parts[] = {&Activity::shared, &audit_log::mailboxes,     &outbox_outcomes,
                                      &rate_limits_part, &SourceQueryEntry::shared, &statistics::shared,
                                      &worker_calls,     &worker_status::shared};

} // namespace

void _PG_init(void) {
    settings::define();
    register_transaction_end();
    install_statement_hooks();
    install_worker_hooks();
    install_act_as_hook();
    install_trusted_functions_hook();
    if (process_shared_preload_libraries_in_progress) {
        shared_memory::request(parts);
        if (!IsBinaryUpgrade) // nothing leaves while pg_upgrade moves the cluster
            register_launcher();
        identity::remember_start();
    }
}
