#include "postgres/border/settings.h"

#include "postgres/border/injection_point.h"

extern "C" {
#include "utils/guc.h"
}

namespace reverse_etl::settings {

bool allow_immediate_in_transaction = false;
char *host = nullptr;
bool pause_on_promotion = false;
bool progress = false;

void define() {
    DefineCustomBoolVariable("reverse_etl.allow_immediate_in_transaction",
                             "Delivers rows immediately even inside a transaction block.",
                             "Rows that were sent stay sent when the transaction rolls back.",
                             &allow_immediate_in_transaction, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("reverse_etl.host", "Names this host, for telling a database from its copies.",
                               "Empty, it is the name that the operating system gives.", &host, "", PGC_SIGHUP,
                               GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("reverse_etl.pause_on_promotion", "Pauses destinations when a standby is promoted.",
                             "They go on when a superuser has called reverse_etl.confirm_identity().",
                             &pause_on_promotion, false, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("reverse_etl.progress", "Prints a notice about a long delivery every few seconds.",
                             nullptr, &progress, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
#ifdef REVERSE_ETL_INJECTION_POINTS
    define_inject_error();
#endif
    MarkGUCPrefixReserved("reverse_etl");
}

} // namespace reverse_etl::settings
