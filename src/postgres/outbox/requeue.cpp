#include "engine/requests/json_row.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/write_rights.h"
#include "postgres/outbox/level.h"
#include "postgres/outbox/writer.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

extern "C" {
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Whether a row may leave is decided when it does; who may write nothing at all is told now.
void check_rights(Oid role, Oid destination) {
    if (may_write(destination, role))
        return;
    std::string name = relation_name(destination);
    pg_call([&] { aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, to_server_legible(name).c_str()); });
}

/// The worker reads what was once checked, and by no other rules.
void check_row(const std::string &operation, const std::string &key, const std::string &row, JsonRow &reader) {
    constexpr OperationKind kinds[] = {OperationKind::create, OperationKind::update, OperationKind::upsert,
                                       OperationKind::remove};
    if (std::none_of(std::begin(kinds), std::end(kinds),
                     [&](OperationKind kind) { return operation == operation_name(kind); }))
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "there is no operation \"" + operation + "\"");
    for (const std::string *text : {&row, &key})
        if (!text->empty())
            pg_call([&] { DirectFunctionCall1(json_in, CStringGetDatum(text->c_str())); });
    std::string fault = row.empty() ? "it is empty" : "";
    try {
        reader.read(row, key);
    } catch (const std::exception &error) {
        fault = error.what();
    }
    if (!fault.empty())
        throw Error(ERRCODE_INVALID_TEXT_REPRESENTATION, "a row cannot be queued that is no JSON object: " + fault);
}

int64 requeue(FunctionCallInfo fcinfo) {
    Oid role = PG_GETARG_OID(0), destination = PG_GETARG_OID(1);
    std::vector<std::string> operations = texts_of(PG_GETARG_DATUM(2)), keys = texts_of(PG_GETARG_DATUM(3)),
                             rows = texts_of(PG_GETARG_DATUM(4));
    if (keys.size() != operations.size() || rows.size() != operations.size())
        throw Error(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "the arrays must be of one length");
    check_is_destination(destination);
    check_rights(role, destination);
    JsonRow reader;
    for (std::size_t i = 0; i < rows.size(); i++)
        check_row(operations[i], keys[i], rows[i], reader);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < rows.size(); i++)
        bytes += keys[i].size() + rows[i].size();
    check_outbox_level(Destination(destination), rows.size(), bytes);
    // A writer for each run of one operation: what was queued in order stays in order.
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        while (end < rows.size() && operations[end] == operations[begin])
            end++;
        OutboxWriter writer({destination, operations[begin].c_str(), role, role, 0}, CurrentMemoryContext);
        for (std::size_t i = begin; i < end; i++)
            writer.add(keys[i], rows[i]);
        writer.finish();
    }
    if (!rows.empty()) {
        wake_worker_at_commit();
        raise_outbox_level_at_commit(destination, rows.size(), bytes);
    }
    return static_cast<int64>(rows.size());
}

} // namespace

/// reverse_etl_internal.requeue(role oid, destination regclass, operations text[], keys text[], rows text[]) returns
/// bigint
SQL_FUNCTION(reverse_etl_requeue) {
    return guard([&] { return Int64GetDatum(requeue(fcinfo)); });
}

} // namespace reverse_etl
