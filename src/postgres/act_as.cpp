#include "postgres/act_as.h"

#include "postgres/border.h"

extern "C" {
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rls.h"
}

namespace reverse_etl {

ActAs::ActAs(Oid role, const std::string &search_path) {
    GetUserIdAndSecContext(&user_, &security_context_);
    if (!OidIsValid(role))
        return;
    // Temporary tables would be found first, and they are the session's.
    std::string path = search_path + ", pg_temp";
    SetUserIdAndSecContext(role, security_context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    bool finds_names = namespace_search_path != nullptr && path == namespace_search_path;
    if (finds_names && row_security)
        return;
    guc_level_ = NewGUCNestLevel();
    try {
        const char *value = path.c_str();
        pg_call([&] {
            set_config_option("search_path", value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
            // The role's view of the rows, even if the session asked for errors instead.
            set_config_option("row_security", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        });
    } catch (...) {
        SetUserIdAndSecContext(user_, security_context_);
        throw;
    }
}

ActAs::~ActAs() {
    if (guc_level_ != 0)
        AtEOXact_GUC(true, guc_level_);
    SetUserIdAndSecContext(user_, security_context_);
}

} // namespace reverse_etl
