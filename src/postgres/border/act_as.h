#pragma once

/// Under which rights and settings SQL runs. Code of a role (a model, a mapping, and every function, check, cast or
/// trigger that they lead to) runs inside of ActAs; statements of the extension's own inside of what sql.h has. Nothing
/// that runs inside can change what comes after: settings are put back as they were, however it ends.

#include <string>

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// What both are made of: a user, a level of settings of its own, always, and always rolled back.
class Scope {
  public:
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

    /// Whether the names and operators in a statement mean Postgres' own: the innermost scope is one of the machine, or
    /// there is none, in a process that has pinned its settings.
    static bool is_pinned();
    /// Whether what runs is code of a role.
    static bool is_of_a_role();

  protected:
    /// An invalid role stands for the current one; restrictions are SECURITY_ flags.
    Scope(Oid role, int restrictions);
    ~Scope();

    /// The settings that change what a statement means, as they are in a server that nobody has configured.
    static void pin_settings();
    /// Settings of the scope. Call inside pg_call.
    static void set(const char *name, const char *value);
    void is_of_the_machine() { pinned_ = true; }

  private:
    Scope *outer_;
    Oid user_ = InvalidOid;
    int security_context_ = 0, guc_level_ = 0;
    bool pinned_ = false;
};

/// While one lives, code runs as another role, with a search path that whoever runs the statement cannot choose. An
/// invalid role stands for the current one, with its own search path and settings.
class ActAs : public Scope {
  public:
    ActAs(Oid role, const std::string &search_path);

    /// Of its queries nothing is compiled: that takes longer than it saves where the most time goes into functions.
    void compile_nothing();
};

/// Code inside of ActAs changes no definitions: types that it put into the session's temporary schema would be found
/// before Postgres' own by whoever acts next.
void install_act_as_hook();

/// The machine's own statements: what they name is Postgres' own or has its schema said. As the current user, or a
/// role.
class AsMachine : public Scope {
  public:
    explicit AsMachine(Oid role = InvalidOid);
};

/// The same for all that a process does, whatever the configuration, the database or the role says; for the processes
/// of the extension. Call outside of transactions.
void pin_settings_of_process();
/// How long such a process waits for a lock; after pin_settings_of_process(), which lets it wait for ever.
void limit_waits_for_locks(const char *milliseconds);
/// Ends the process if that no longer holds.
void check_settings_of_process();
/// Throws away what code of a role can have left in a process of the extension, as DISCARD ALL does, and ends the
/// process if it is not as it was connected. Call outside of transactions.
void reset_process();

} // namespace reverse_etl
