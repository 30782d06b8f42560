#include "postgres/border/schema_version.h"

#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
}

namespace reverse_etl {

const char *const library_version = REVERSE_ETL_VERSION;

namespace {

Error other_version(const std::string &installed) {
    return {ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "extension reverse_etl and its library are not of one version",
            "The extension in this database is of version " + installed + ", the library of version " +
                library_version + ".",
            "After an upgrade of the package restart the server, if the library is preloaded, and run "
            "\"ALTER EXTENSION reverse_etl UPDATE\" in each database."};
}

} // namespace

std::string installed_version() {
    return pg_call([] {
               Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
               ScanKeyData key;
               ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
                           CStringGetDatum("reverse_etl"));
               SysScanDesc scan = systable_beginscan(catalog, ExtensionNameIndexId, true, nullptr, 1, &key);
               ServerText version;
               bool is_null;
               if (HeapTuple row = systable_getnext(scan)) {
                   Datum value = heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(catalog), &is_null);
                   version = to_server(ServerText(value).bytes()); // out of the page
               }
               systable_endscan(scan);
               table_close(catalog, AccessShareLock);
               return version;
           })
        .utf8();
}

void check_version() {
    if (creating_extension)
        return;
    pg_call([] { own_locks::require_extension(); });
    if (std::string installed = installed_version(); !installed.empty() && installed != library_version)
        throw other_version(installed);
}

bool has_other_version() {
    std::string installed = installed_version();
    if (installed.empty() || installed == library_version)
        return false;
    Error error = other_version(installed);
    std::string message = error.what();
    pg_call([&] {
        ereport(LOG, (errcode(error.sqlstate), errmsg("%s", message), errdetail("%s", error.detail),
                      errhint("%s", error.hint)));
    });
    return true;
}

} // namespace reverse_etl
