#include "postgres/fdw/import_comments.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/sql_function.h"

#include <utility>

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "commands/event_trigger.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Of the IMPORT FOREIGN SCHEMA that is running.
struct Kept {
    Oid server = InvalidOid;
    std::string schema;
    std::vector<ImportedComment> comments;
};
Kept kept;

/// The table that the command has made. The comments of a command that failed are of no other one's tables.
Oid imported_table(const Kept &import, const std::string &name) {
    return pg_call([&] {
        const Oid schema = get_namespace_oid(to_server(import.schema).c_str(), true);
        const Oid table = OidIsValid(schema) ? get_relname_relid(to_server(name).c_str(), schema) : InvalidOid;
        const bool is_ours = OidIsValid(table) && get_rel_relkind(table) == RELKIND_FOREIGN_TABLE &&
                             GetForeignServerIdByRelId(table) == import.server &&
                             compat::owns_relation(table, GetUserId());
        return is_ours ? table : InvalidOid;
    });
}

void write(const Kept &import) {
    std::string name;
    Oid table = InvalidOid;
    for (const ImportedComment &comment : import.comments) {
        if (comment.table != name)
            table = imported_table(import, name = comment.table);
        if (!OidIsValid(table))
            continue;
        pg_call([&] {
            CHECK_FOR_INTERRUPTS();
            const AttrNumber column = get_attnum(table, to_server(comment.column).c_str());
            if (column != InvalidAttrNumber)
                CreateComments(table, RelationRelationId, column, to_server(comment.text).c_str());
        });
    }
}

} // namespace

namespace import_comments {

void keep(Oid server, std::string schema, std::vector<ImportedComment> comments) {
    kept = {server, std::move(schema), std::move(comments)};
}

bool is_imported_from(Oid server) {
    return kept.server == server;
}

} // namespace import_comments

/// reverse_etl_internal.comment_on_imported() RETURNS event_trigger
SQL_FUNCTION(reverse_etl_comment_on_imported) {
    guard([&] {
        if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
            throw Error(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED, "not called by an event trigger");
        write(std::exchange(kept, {}));
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
