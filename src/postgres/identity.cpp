#include "postgres/identity.h"

#include "postgres/border.h"
#include "postgres/fingerprint.h"
#include "postgres/settings.h"
#include "postgres/worker_control.h"

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

/// The columns of reverse_etl.identity. It has no index, and is read and written here without rights being asked for,
/// since whoever delivers has to know the identity but not to see it.
enum Column {
    system_identifier,
    database,
    host,
    data_directory,
    control_file,
    control_file_created,
    confirmed_by,
    confirmed_at,
    column_count
};

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

Relation open_table(LOCKMODE lock) {
    Oid table = get_relname_relid("identity", get_namespace_oid("reverse_etl", false));
    if (!OidIsValid(table))
        elog(ERROR, "table reverse_etl.identity does not exist");
    return table_open(table, lock);
}

Fingerprint fingerprint_of(HeapTuple row, TupleDesc descriptor) {
    Datum values[column_count];
    bool nulls[column_count];
    heap_deform_tuple(row, descriptor, values, nulls);
    return {.system_identifier = DatumGetInt64(values[system_identifier]),
            .database = DatumGetObjectId(values[database]),
            .host = TextDatumGetCString(values[host]),
            .data_directory = TextDatumGetCString(values[data_directory]),
            .control_file = DatumGetInt64(values[control_file]),
            .control_file_created =
                nulls[control_file_created] ? DT_NOBEGIN : DatumGetTimestampTz(values[control_file_created])};
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
        Fingerprint confirmed = fingerprint_of(row, RelationGetDescr(table));
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

const char *this_database() {
    return get_database_name(MyDatabaseId);
}

const char *paused() {
    return psprintf("destinations are paused because database \"%s\" looks like a copy", this_database());
}

const char *explanation(const Comparison &comparison, bool with_values) {
    if (comparison.never_confirmed)
        return "Its identity was never confirmed, as after a dump was restored.";
    return psprintf("What differs from the identity that was confirmed: %s.",
                    with_values ? comparison.values : comparison.parts);
}

void replace(Relation table, const Fingerprint &present) {
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan))
        simple_heap_delete(table, &row->t_self);
    systable_endscan(scan);

    bool nulls[column_count] = {};
    nulls[control_file_created] = present.control_file_created == DT_NOBEGIN;
    Datum values[column_count];
    values[system_identifier] = Int64GetDatum(present.system_identifier);
    values[database] = ObjectIdGetDatum(present.database);
    values[host] = CStringGetTextDatum(present.host);
    values[data_directory] = CStringGetTextDatum(present.data_directory);
    values[control_file] = Int64GetDatum(present.control_file);
    values[control_file_created] = TimestampTzGetDatum(present.control_file_created);
    values[confirmed_by] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
    values[confirmed_at] = TimestampTzGetDatum(GetCurrentTimestamp());
    simple_heap_insert(table, heap_form_tuple(RelationGetDescr(table), values, nulls));
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
        const char *message, *detail, *detail_log;
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
        throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, found.message, found.detail, hint, "", found.detail_log);
}

bool matches() {
    static bool warned = false;
    return pg_call([] {
        Comparison comparison = compare();
        if (comparison.is_copy()) {
            if (!warned)
                ereport(WARNING, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg_internal("%s", paused()),
                                  errdetail_internal("%s", explanation(comparison, true)), errhint("%s", hint)));
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
                         errdetail_internal("%s", before.same() ? "It was so before." : explanation(before, true))));
    });
    // What is created now has nothing to deliver.
    if (!creating_extension)
        wake_worker_at_commit();
}

} // namespace reverse_etl::identity
