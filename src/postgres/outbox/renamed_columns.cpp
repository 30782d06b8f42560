/// What becomes of rows whose columns have other names now: control/install/25_renamed_columns.sql.

#include "engine/requests/json_row.h"
#include "engine/text/json_text.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"

#include <stdexcept>
#include <string>

extern "C" {
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "tcop/deparse_utility.h"
}

namespace reverse_etl {

namespace {

std::string with_renamed_member(const std::string &object, const std::string &old_name, const std::string &new_name) {
    JsonRow members;
    try {
        members.read(object, "");
    } catch (const std::runtime_error &) {
        return object; // somebody has made it something else; it names no column
    }
    std::string renamed = "{";
    for (std::size_t i = 0; i < members.names().size(); i++) {
        const std::string &name = members.names()[i];
        renamed += i == 0 ? "" : ",";
        append_json_string(renamed, name == old_name ? new_name : name);
        renamed += ':';
        members.json(static_cast<int>(i), renamed);
    }
    return renamed + '}';
}

} // namespace

/// reverse_etl_internal.renamed_column(command pg_ddl_command) returns text
SQL_FUNCTION(reverse_etl_renamed_column) {
    const auto *command = reinterpret_cast<const CollectedCommand *>(PG_GETARG_POINTER(0));
    if (command->type != SCT_Simple || command->parsetree == nullptr || !IsA(command->parsetree, RenameStmt))
        PG_RETURN_NULL();
    const auto *rename = reinterpret_cast<const RenameStmt *>(command->parsetree);
    if (rename->renameType != OBJECT_COLUMN)
        PG_RETURN_NULL();
    return guard([&] { return pg_call([&] { return text_datum(ServerText(rename->subname)); }); });
}

/// reverse_etl_internal.rename_member(object text, old_name text, new_name text) returns text
SQL_FUNCTION(reverse_etl_rename_member) {
    return guard([&] {
        std::string renamed =
            with_renamed_member(text_argument(fcinfo, 0), text_argument(fcinfo, 1), text_argument(fcinfo, 2));
        return pg_call([&] { return text_datum(renamed); });
    });
}

} // namespace reverse_etl
