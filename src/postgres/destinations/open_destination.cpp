#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"

#include <algorithm>
#include <unordered_map>

extern "C" {
#include "catalog/pg_class.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

// Of the wrapper whose tables are destinations; it stands at the top of the house.
#pragma GCC visibility push(default)
extern "C" Datum reverse_etl_fdw_handler(PG_FUNCTION_ARGS);
#pragma GCC visibility pop

namespace reverse_etl {

namespace {

/// Destinations that the session has opened: to put one together takes longer than to queue a row. Each is kept until
/// something changes of which it is made.
using OpenDestinations = std::unordered_map<Oid, std::shared_ptr<Destination>>;
std::uint64_t changes = 0;

OpenDestinations &kept() {
    static OpenDestinations destinations;
    return destinations;
}

void forget_relation(Datum, Oid relation) {
    changes++;
    if (OidIsValid(relation))
        kept().erase(relation);
    else
        kept().clear();
}

/// A server or a schema was altered.
void forget_all(Datum, int, uint32) {
    forget_relation(0, InvalidOid);
}

void watch_changes() {
    static bool watches = false;
    if (!watches)
        pg_call([] {
            CacheRegisterRelcacheCallback(forget_relation, 0);
            CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_all, 0);
            CacheRegisterSyscacheCallback(NAMESPACEOID, forget_all, 0);
        });
    watches = true;
}

/// Connectors that were made here are rows: nothing tells when one changes.
bool has_built_in_connector(const Destination &destination) {
    std::vector<std::string> names = built_in_connector_names();
    return std::find(names.begin(), names.end(), destination.object.connector) != names.end();
}

std::shared_ptr<Destination> find(Oid relation) {
    if (auto found = kept().find(relation); found != kept().end())
        return found->second;
    watch_changes();
    std::uint64_t before = changes;
    auto made = std::make_shared<Destination>(relation);
    if (before == changes && has_built_in_connector(*made))
        kept()[relation] = made;
    return made;
}

PGFunction handler_of(const ForeignDataWrapper *wrapper) {
    FmgrInfo handler;
    fmgr_info(wrapper->fdwhandler, &handler);
    return handler.fn_addr;
}

} // namespace

bool is_destination(Oid relation) {
    if (get_rel_relkind(relation) != RELKIND_FOREIGN_TABLE)
        return false;
    // Wrappers of others may have no handler.
    ForeignServer *server = GetForeignServer(GetForeignServerIdByRelId(relation));
    const ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
    return OidIsValid(wrapper->fdwhandler) && handler_of(wrapper) == reverse_etl_fdw_handler;
}

Destination *open_destination(Oid relation, MemoryContext context) {
    // The statement holds a lock on the table; what it locks next may be held by a DROP EXTENSION that waits for it.
    pg_call([] { own_locks::require_extension(); });
    return make_in<std::shared_ptr<Destination>>(context, find(relation))->get();
}

void check_is_destination(Oid relation) {
    char kind = 0;
    bool is_ours = pg_call([&] {
        LockRelationOid(relation, AccessShareLock);
        kind = get_rel_relkind(relation);
        return is_destination(relation);
    });
    if (kind == 0)
        throw Error(ERRCODE_UNDEFINED_TABLE, "the destination does not exist any more");
    if (!is_ours)
        throw Error(ERRCODE_WRONG_OBJECT_TYPE, qualified_name(relation) + " is not a destination", "",
                    "A destination is a foreign table of the foreign data wrapper \"reverse_etl\".");
}

} // namespace reverse_etl
