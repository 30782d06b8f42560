/// reverse_etl.role: a role in a table that a dump holds.

#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/sql_text.h"

#include <cstring>

extern "C" {
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
}

namespace reverse_etl {

namespace {

constexpr const char *nobody = "-";

/// A number is no role: it would be another's.
Oid role_named(const char *written) {
    if (std::strcmp(written, nobody) == 0)
        return InvalidOid;
    text *copy = DatumGetTextPP(text_datum(ServerText(written)));
    List *names = textToQualifiedNameList(copy);
    if (list_length(names) != 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("invalid name syntax")));
    return get_role_oid(string_text(linitial(names)).c_str(), true);
}

} // namespace

SQL_FUNCTION(reverse_etl_role_in) {
    return guard([&] { return ObjectIdGetDatum(pg_call([&] { return role_named(PG_GETARG_CSTRING(0)); })); });
}

SQL_FUNCTION(reverse_etl_role_out) {
    return guard([&] {
        Oid role = PG_GETARG_OID(0);
        bool exists = pg_call([&] { return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)); });
        std::string text = exists ? quoted_name(role_name(role)) : nobody;
        return pg_call([&] { return CStringGetDatum(pstrdup(to_server(text).c_str())); });
    });
}

} // namespace reverse_etl
