#pragma once

/// Names from the catalogs, in UTF-8. What Postgres raises is a PostgresError; what does not exist any more is "".

#include "postgres/border/border.h"

#include <string>

extern "C" {
#include "catalog/pg_attribute.h"
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

/// Calls what answers with a name, or with nothing.
template <class Answer>
std::string utf8_from(Answer &&answer) {
    return pg_call([&] { return ServerText(answer()); }).utf8();
}

std::string relation_name(Oid relation);
/// With its schema, quoted where that is needed. An error where there is no such relation any more.
std::string qualified_name(Oid relation);
/// With its schema, as messages have it.
std::string plain_qualified_name(Oid relation);
/// An error where there is no such role any more.
std::string role_name(Oid role);
/// The same as Postgres has it. Call inside pg_call.
ServerText server_role_name(Oid role);
std::string server_name(Oid server);
/// The value of an option as the catalogs have it.
ServerText option_text(const DefElem *option);
/// What a node of a parse tree has as its text.
ServerText string_text(const void *node);
/// As SQL has it, with its modifier.
std::string type_name(Oid type, int32 typmod = -1);
/// With its schema, whatever the search path is, and by the name in the catalog: "character" is one letter of bpchar.
std::string qualified_type_name(Oid type);
/// As SQL takes it between operands: OPERATOR(schema.name).
std::string operator_name(Oid oid);
std::string column_name(const FormData_pg_attribute *attribute);

} // namespace reverse_etl
