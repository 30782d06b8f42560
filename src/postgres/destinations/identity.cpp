#include "postgres/destinations/identity.h"

#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/settings.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/fingerprint.h"
#include "postgres/shared/worker_control.h"

#include <cstring>
#include <unistd.h>

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
}

namespace reverse_etl::identity {

namespace {

constexpr const char *hint = "If it is to talk to its destinations, a superuser runs "
                             "\"SELECT reverse_etl.confirm_identity()\" in it.";

/// Kept by the processes that the postmaster forks.
bool began_as_standby = false;

bool has_standby_signal() {
    std::string path = std::string(DataDir) + "/" + STANDBY_SIGNAL_FILE;
    return access(path.c_str(), F_OK) == 0;
}

/// A standby, or one that was promoted. The signal file is there until recovery ends.
bool is_standby() {
    return RecoveryInProgress() ? has_standby_signal() : began_as_standby && !settings::pause_on_promotion;
}

/// reverse_etl.identity has no index, and is read and written here without rights being asked for, since whoever
/// delivers has to know the identity but not to see it.
Relation open_table(LOCKMODE lock) {
    Oid table = people_relation("identity");
    if (!OidIsValid(table))
        elog(ERROR, "table reverse_etl.identity does not exist");
    return table_open(table, lock);
}

const char *text_cstring(Datum value) {
    std::string_view bytes = ServerText(value).bytes();
    return pnstrdup(bytes.data(), bytes.size());
}

Fingerprint fingerprint_of(HeapTuple row, Relation table) {
    bool is_null;
    auto value = [&](const char *column) {
        return heap_getattr(row, own_column(table, column) + 1, RelationGetDescr(table), &is_null);
    };
    Fingerprint fingerprint{.system_identifier = DatumGetInt64(value("system_identifier")),
                            .database = DatumGetObjectId(value("database")),
                            .host = text_cstring(value("host")),
                            .data_directory = text_cstring(value("data_directory")),
                            .control_file = DatumGetInt64(value("control_file")),
                            .control_file_created = DatumGetTimestampTz(value("control_file_created"))};
    if (is_null)
        fingerprint.control_file_created = DT_NOBEGIN;
    return fingerprint;
}

/// How the present fingerprint compares with what was confirmed. A dump that was restored into a database with an
/// identity of its own leaves a row beside it: every row has to be the present one.
struct Comparison {
    Fingerprint present;
    bool never_confirmed = true;
    const char *parts = "";  ///< that differ
    const char *values = ""; ///< the same with their values
    bool is_standby = false; ///< and may differ

    bool same() const { return !never_confirmed && parts[0] == '\0'; }
    bool is_copy() const { return !same() && !is_standby; }
};

Comparison compare(Relation table) {
    Comparison comparison;
    comparison.present = present_fingerprint();
    // Without a snapshot a scan sees what is committed now, however old the transaction.
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan)) {
        Fingerprint confirmed = fingerprint_of(row, table);
        comparison.never_confirmed = false;
        const char *parts = differences(comparison.present, confirmed, false);
        if (parts[0] == '\0')
            continue;
        comparison.parts = parts;
        comparison.values = differences(comparison.present, confirmed, true);
        comparison.is_standby = confirmed.system_identifier == comparison.present.system_identifier &&
                                confirmed.database == comparison.present.database && is_standby();
        if (comparison.is_copy())
            break;
    }
    systable_endscan(scan);
    return comparison;
}

Comparison compare() {
    Relation table = open_table(AccessShareLock);
    Comparison comparison = compare(table);
    table_close(table, AccessShareLock);
    return comparison;
}

ServerText this_database() {
    return ServerText(get_database_name(MyDatabaseId));
}

ServerText paused() {
    return ServerText(
        psprintf("destinations are paused because database \"%s\" looks like a copy", this_database().c_str()));
}

ServerText explanation(const Comparison &comparison, bool with_values) {
    if (comparison.never_confirmed)
        return ServerText("Its identity was never confirmed, as after a dump was restored.");
    return ServerText(psprintf("What differs from the identity that was confirmed: %s.",
                               with_values ? comparison.values : comparison.parts));
}

void replace(Relation table, const Fingerprint &present) {
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan))
        simple_heap_delete(table, &row->t_self);
    systable_endscan(scan);

    TupleDesc descriptor = RelationGetDescr(table);
    auto *values = static_cast<Datum *>(palloc0(sizeof(Datum) * descriptor->natts));
    auto *nulls = static_cast<bool *>(palloc(descriptor->natts));
    std::memset(nulls, true, descriptor->natts);
    auto set = [&](const char *name, Datum value) {
        int column = own_column(table, name);
        values[column] = value;
        nulls[column] = false;
    };
    set("system_identifier", Int64GetDatum(present.system_identifier));
    set("database", ObjectIdGetDatum(present.database));
    set("host", text_datum(ServerText(present.host)));
    set("data_directory", text_datum(ServerText(present.data_directory)));
    set("control_file", Int64GetDatum(present.control_file));
    if (present.control_file_created != DT_NOBEGIN)
        set("control_file_created", TimestampTzGetDatum(present.control_file_created));
    set("confirmed_by", sql::name(server_role_name(GetUserId())).value);
    set("confirmed_at", TimestampTzGetDatum(GetCurrentTimestamp()));
    simple_heap_insert(table, heap_form_tuple(descriptor, values, nulls));
    CommandCounterIncrement();
}

/// Replaces what was confirmed by the present fingerprint; what it found before. Others who write wait.
Comparison replace() {
    Relation table = open_table(ShareRowExclusiveLock);
    Comparison before = compare(table);
    replace(table, before.present);
    table_close(table, NoLock);
    return before;
}

} // namespace

void remember_start() {
    began_as_standby = has_standby_signal();
}

void refuse_copy() {
    struct Found {
        bool copy;
        ServerText message, detail, detail_log;
    };
    Found found = pg_call([] {
        Comparison comparison = compare();
        if (!comparison.is_copy())
            return Found{};
        // Where the data directory is, not everyone may know.
        bool may_see_values = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS);
        return Found{true, paused(), explanation(comparison, may_see_values), explanation(comparison, true)};
    });
    if (found.copy)
        throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, found.message.legible(), found.detail.legible(), hint, "",
                    found.detail_log.legible());
}

bool matches() {
    static bool warned = false;
    return pg_call([] {
        Comparison comparison = compare();
        if (comparison.is_copy()) {
            if (!warned)
                ereport(WARNING,
                        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg_internal("%s", paused()),
                         errdetail_internal("%s", explanation(comparison, true)), errhint("%s", ServerText(hint))));
            warned = true;
            return false;
        }
        if (!comparison.same()) {
            replace();
            ereport(LOG, (errmsg("destinations go on, since database \"%s\" was a standby and has been promoted",
                                 this_database()),
                          errdetail_internal("%s", explanation(comparison, true))));
        }
        warned = false;
        return true;
    });
}

void confirm() {
    pg_call([] {
        if (!superuser())
            ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                            errmsg("permission denied to confirm the identity of the database"),
                            errdetail("Only superusers may confirm it.")));
        PreventCommandIfReadOnly("reverse_etl.confirm_identity()");
        Comparison before = replace();
        ereport(NOTICE, (errmsg("database \"%s\" may talk to its destinations", this_database()),
                         errdetail_internal("%s", before.same() ? ServerText("It was so before.")
                                                                : explanation(before, true))));
    });
    // What is created now has nothing to deliver.
    if (!creating_extension)
        wake_worker_at_commit();
}

/// reverse_etl.confirm_identity()
SQL_FUNCTION(reverse_etl_confirm_identity) {
    guard([] { confirm(); });
    PG_RETURN_VOID();
}

} // namespace reverse_etl::identity
