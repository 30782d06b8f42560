#include "postgres/requeue.h"

#include "postgres/arrays.h"
#include "postgres/border.h"
#include "postgres/names.h"
#include "postgres/outbox_level.h"
#include "postgres/outbox_writer.h"
#include "postgres/worker_control.h"

#include <string>
#include <vector>

extern "C" {
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Whether a row may leave is decided when it does; who may write nothing at all is told now.
void check_rights(Oid destination) {
    std::string name = relation_name(destination);
    pg_call([&] {
        Oid role = GetUserId();
        constexpr AclMode writes = ACL_INSERT | ACL_UPDATE | ACL_DELETE;
        if ((pg_class_aclmask(destination, role, writes, ACLMASK_ANY) & writes) == 0 &&
            pg_attribute_aclcheck_all(destination, role, ACL_INSERT | ACL_UPDATE, ACLMASK_ANY) != ACLCHECK_OK)
            aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, to_server_legible(name).c_str());
    });
}

} // namespace

int64 requeue(FunctionCallInfo fcinfo) {
    Oid destination = PG_GETARG_OID(0);
    std::vector<std::string> operations = texts_of(PG_GETARG_DATUM(1)), keys = texts_of(PG_GETARG_DATUM(2)),
                             rows = texts_of(PG_GETARG_DATUM(3));
    if (keys.size() != operations.size() || rows.size() != operations.size())
        throw Error(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "the arrays must be of one length");
    check_rights(destination);
    // A writer for each run of one operation: what was queued in order stays in order.
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        while (end < rows.size() && operations[end] == operations[begin])
            end++;
        OutboxWriter writer({destination, operations[begin].c_str(), GetUserId(), GetUserId(), 0},
                            CurrentMemoryContext);
        for (std::size_t i = begin; i < end; i++)
            writer.add(keys[i], rows[i]);
        writer.finish();
    }
    if (!rows.empty()) {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < rows.size(); i++)
            bytes += keys[i].size() + rows[i].size();
        wake_worker_at_commit();
        raise_outbox_level_at_commit(destination, rows.size(), bytes);
    }
    return static_cast<int64>(rows.size());
}

} // namespace reverse_etl
