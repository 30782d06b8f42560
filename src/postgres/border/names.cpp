#include "postgres/border/names.h"

#include "postgres/border/sql_text.h"

#include <utility>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

std::string relation_name(Oid relation) {
    return utf8_from([&] { return get_rel_name(relation); });
}

std::string qualified_name(Oid relation) {
    return utf8_from([&] {
        const char *name = get_rel_name(relation);
        if (name == nullptr)
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table %u does not exist any more", relation)));
        // Whatever the session has set: the name is kept, and compared later. Only a lack of memory could raise.
        bool quotes_all = std::exchange(quote_all_identifiers, false);
        const char *qualified = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
        quote_all_identifiers = quotes_all;
        return qualified;
    });
}

std::string plain_qualified_name(Oid relation) {
    return utf8_from([&] { return get_namespace_name(get_rel_namespace(relation)); }) + "." + relation_name(relation);
}

ServerText server_role_name(Oid role) {
    return ServerText(GetUserNameFromId(role, false));
}

std::string role_name(Oid role) {
    return pg_call([&] { return server_role_name(role); }).utf8();
}

std::string server_name(Oid server) {
    return utf8_from([&] { return GetForeignServer(server)->servername; });
}

ServerText option_text(const DefElem *option) {
    return ServerText(strVal(option->arg));
}

ServerText string_text(const void *node) {
    return ServerText(strVal(const_cast<void *>(node)));
}

std::string type_name(Oid type, int32 typmod) {
    return utf8_from([&] { return format_type_extended(type, typmod, typmod < 0 ? 0 : FORMAT_TYPE_TYPEMOD_GIVEN); });
}

std::string qualified_type_name(Oid oid) {
    return utf8_from([&] {
        HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for type %u", oid);
        auto *form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
        char *name = quote_qualified_identifier(get_namespace_name(form->typnamespace), NameStr(form->typname));
        ReleaseSysCache(tuple);
        return name;
    });
}

// Quotes and backslashes are single bytes in UTF-8 as in every encoding that a database can have.
std::string quoted_name(const std::string &name) {
    return pg_call([&] { return quote_identifier(name.c_str()); });
}

std::string quoted_text(const std::string &text) {
    return pg_call([&] { return quote_literal_cstr(text.c_str()); });
}

std::string operator_name(Oid oid) {
    return utf8_from([&] {
        HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oid));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for operator %u", oid);
        auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
        char *name = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
                              NameStr(form->oprname));
        ReleaseSysCache(tuple);
        return name;
    });
}

std::string column_name(const FormData_pg_attribute *attribute) {
    return ServerText(attribute->attname).utf8();
}

} // namespace reverse_etl
