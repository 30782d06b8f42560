#include "postgres/border/settings.h"

#include "postgres/border/injection_point.h"
#include "postgres/border/time_span.h"

#include <cstring>

extern "C" {
#include "utils/guc.h"
}

namespace reverse_etl::settings {

bool allow_immediate_in_transaction = false;
char *host = nullptr;
bool pause_on_promotion = false;
bool progress = false;
char *token_key_file = nullptr;

namespace {

// Read by their names: a database may have others than the worker began with.
char *keep_history = nullptr, *keep_rejected_rows = nullptr;

bool check_time_kept(char **value, void **, GucSource) {
    if (std::strcmp(*value, forever) == 0 || time_span(*value))
        return true;
    GUC_check_errdetail("It is an interval greater than zero, such as \"90 days\", or \"%s\".", forever);
    return false;
}

} // namespace

void define() {
    DefineCustomBoolVariable("reverse_etl.allow_immediate_in_transaction",
                             "Delivers rows immediately even inside a transaction block.",
                             "Rows that were sent stay sent when the transaction rolls back.",
                             &allow_immediate_in_transaction, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("reverse_etl.host", "Names this host, for telling a database from its copies.",
                               "Empty, it is the name that the operating system gives.", &host, "", PGC_SIGHUP,
                               GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("reverse_etl.keep_history", "How long pushes, runs and alerts are kept.",
                               "The background worker throws away older ones.", &keep_history, "90 days", PGC_SUSET, 0,
                               check_time_kept, nullptr, nullptr);
    DefineCustomStringVariable("reverse_etl.keep_rejected_rows", "How long rejected rows are kept.",
                               "The background worker throws away older ones.", &keep_rejected_rows, forever, PGC_SUSET,
                               0, check_time_kept, nullptr, nullptr);
    DefineCustomBoolVariable("reverse_etl.pause_on_promotion", "Pauses destinations when a standby is promoted.",
                             "They go on when a superuser has called reverse_etl.confirm_identity().",
                             &pause_on_promotion, false, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("reverse_etl.progress", "Prints a notice about a long delivery every few seconds.",
                             nullptr, &progress, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("reverse_etl.token_key_file", "Names a file with the key that seals tokens.",
                               "Empty, tokens are kept as user mappings keep secrets: as they are.", &token_key_file,
                               "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
#ifdef REVERSE_ETL_INJECTION_POINTS
    define_inject_error();
#endif
    MarkGUCPrefixReserved("reverse_etl");
}

} // namespace reverse_etl::settings
