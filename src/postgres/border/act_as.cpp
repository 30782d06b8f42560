#include "postgres/border/act_as.h"

#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/async.h"
#include "commands/prepare.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/portal.h"
}

namespace reverse_etl {

namespace {

struct Setting {
    const char *name, *value;
};

/// Temporary tables and types would be found first, if nothing were said of them.
constexpr const char *pinned_path = "pg_catalog, pg_temp";

/// What changes the meaning of a statement, or the text of a value.
constexpr Setting meaning[] = {
    {"row_security", "on"},
    {"standard_conforming_strings", "on"},
    {"backslash_quote", "safe_encoding"},
    {"array_nulls", "on"},
    {"transform_null_equals", "off"},
    {"quote_all_identifiers", "off"},
    {"DateStyle", "ISO, MDY"},
    {"IntervalStyle", "postgres"},
    {"bytea_output", "hex"},
    {"extra_float_digits", "1"},
    {"xmloption", "content"},
};

/// What the machine's own statements need beside that.
constexpr Setting of_machine[] = {
    {"search_path", pinned_path},
    {"session_replication_role", "origin"},
};

/// What transactions of the machine are, and what would keep a process of the extension from its work. No transaction
/// of its own takes long, but reading a model does. Some are not in every version.
constexpr Setting of_process[] = {
    {"role", "none"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"statement_timeout", "0"},
    {"transaction_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
    {"exit_on_error", "off"},
    {"default_tablespace", ""},
    {"temp_tablespaces", ""},
    {"default_table_access_method", "heap"},
    {"plan_cache_mode", "auto"},
    {"restrict_nonsystem_relation_kind", ""},
};

/// The longest wait for a lock, in milliseconds; 0 for any. Each kind of process has its own.
char milliseconds_for_locks[16] = "0";
constexpr Setting lock_timeout = {"lock_timeout", milliseconds_for_locks};

Scope *innermost = nullptr;
bool process_is_pinned = false;

/// Whether the setting has that value. The names are Postgres' own.
bool holds(const Setting &setting) {
    const char *value = GetConfigOption(setting.name, false, false);
    return value != nullptr && std::strcmp(value, setting.value) == 0;
}

template <class Use>
void for_each_pinned(Use &&use) {
    for (const Setting &setting : meaning)
        use(setting);
    for (const Setting &setting : of_machine)
        use(setting);
    for (const Setting &setting : of_process)
        if (GetConfigOption(setting.name, true, false) != nullptr)
            use(setting);
    use(lock_timeout);
}

void pin(const Setting &setting) {
    SetConfigOption(setting.name, setting.value, PGC_SUSET, PGC_S_OVERRIDE);
}

/// The user is who connected, and nobody has made a schema for temporary objects.
bool is_as_connected() {
    Oid user, temporary, temporary_toast;
    int security_context;
    GetUserIdAndSecContext(&user, &security_context);
    GetTempNamespaceState(&temporary, &temporary_toast);
    return user == GetAuthenticatedUserId() && user == GetSessionUserId() && !OidIsValid(GetCurrentRoleId()) &&
           security_context == 0 && !OidIsValid(temporary) && innermost == nullptr;
}

ProcessUtility_hook_type next_process_utility = nullptr;

void refuse_definitions(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
                        ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                        QueryCompletion *completion) {
    if (Scope::is_of_a_role() && GetCommandLogLevel(statement->utilityStmt) == LOGSTMT_DDL)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("cannot run %s in code of a stream or a sync",
                               ServerText(CreateCommandName(statement->utilityStmt))),
                        errdetail("It runs as the owner of the stream or the sync, in sessions of others.")));
    auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    next(statement, text, read_only_tree, context, parameters, environment, receiver, completion);
}

bool is_blank(const std::string &text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

} // namespace

Scope::Scope(Oid role, int restrictions) : outer_(innermost), guc_level_(NewGUCNestLevel()) {
    GetUserIdAndSecContext(&user_, &security_context_);
    SetUserIdAndSecContext(OidIsValid(role) ? role : user_, security_context_ | restrictions);
    innermost = this;
}

// Rolled back, never committed: what the code inside has set for the session is undone with the rest.
Scope::~Scope() {
    innermost = outer_;
    AtEOXact_GUC(false, guc_level_);
    SetUserIdAndSecContext(user_, security_context_);
}

bool Scope::is_pinned() {
    return innermost != nullptr ? innermost->pinned_ : process_is_pinned;
}

bool Scope::is_of_a_role() {
    return innermost != nullptr && !innermost->pinned_;
}

void Scope::set(const char *name, const char *value) {
    // As if a superuser had said so: some are not the current user's to set.
    if (!holds({name, value}))
        set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void Scope::pin_settings() {
    for (const Setting &setting : meaning)
        set(setting.name, setting.value);
}

ActAs::ActAs(Oid role, const std::string &search_path)
    : Scope(role, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION) {
    if (!OidIsValid(role))
        return;
    std::string path = is_blank(search_path) ? "pg_temp" : search_path + ", pg_temp";
    pg_call([value = path.c_str()] {
        pin_settings();
        set("search_path", value);
    });
}

void ActAs::compile_nothing() {
    pg_call([] { set("jit", "off"); });
}

AsMachine::AsMachine(Oid role)
    : Scope(role, OidIsValid(role) ? SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION : 0) {
    pg_call([] {
        own_locks::require_extension();
        pin_settings();
        for (const Setting &setting : of_machine)
            set(setting.name, setting.value);
    });
    is_of_the_machine();
}

void install_act_as_hook() {
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = refuse_definitions;
}

void pin_settings_of_process() {
    for_each_pinned(pin);
    process_is_pinned = true;
}

void limit_waits_for_locks(const char *milliseconds) {
    std::snprintf(milliseconds_for_locks, sizeof(milliseconds_for_locks), "%s", milliseconds);
    pin(lock_timeout);
}

void check_settings_of_process() {
    if (!process_is_pinned)
        return;
    for_each_pinned([](const Setting &setting) {
        if (!holds(setting))
            ereport(FATAL,
                    (errcode(ERRCODE_INTERNAL_ERROR), errmsg("setting \"%s\" has changed", ServerText(setting.name)),
                     errdetail("This process relies on it.")));
    });
}

void reset_process() {
    pg_call([] {
        StartTransactionCommand();
        PortalHashTableDeleteAll();
        Async_UnlistenAll();
        DropAllPreparedStatements();
        ResetAllOptions(); // to what the process has pinned
        CommitTransactionCommand();
        check_settings_of_process();
        if (!is_as_connected())
            ereport(FATAL, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("the process is not what it was"),
                            errdetail("Code of a role has changed its user, or left temporary objects.")));
    });
}

} // namespace reverse_etl
