#include "postgres/destinations/write_rights.h"

#include "postgres/border/border.h"

extern "C" {
#include "access/table.h"
#include "utils/acl.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

struct Right {
    AclMode mode;
    const char *name;
};

Right right_for(OperationKind operation) {
    if (operation == OperationKind::remove)
        return {ACL_DELETE, "DELETE"};
    if (operation == OperationKind::update)
        return {ACL_UPDATE, "UPDATE"};
    return {ACL_INSERT, "INSERT"};
}

bool has_default(Oid relation, AttrNumber attnum) {
    Relation table = table_open(relation, AccessShareLock);
    bool has = TupleDescAttr(RelationGetDescr(table), attnum - 1)->atthasdef;
    table_close(table, AccessShareLock);
    return has;
}

} // namespace

std::string MissingRight::text(const Destination &destination) const {
    std::string names;
    for (AttrNumber attnum : columns)
        names += (names.empty() ? "" : ", ") + destination.column(attnum)->name;
    return names.empty() ? right : std::string(right) + " (" + names + ")";
}

std::optional<MissingRight> missing_right(const Destination &destination, const PushPlan &plan, Oid role,
                                          bool defaults) {
    Right right = right_for(plan.operation);
    MissingRight missing{right.name, {}};
    if (pg_call([&] { return pg_class_aclcheck(destination.relation, role, right.mode) == ACLCHECK_OK; }))
        return std::nullopt;
    if (plan.operation == OperationKind::remove)
        return missing;
    for (AttrNumber attnum : plan.written)
        if (pg_call([&] {
                return pg_attribute_aclcheck(destination.relation, attnum, role, right.mode) != ACLCHECK_OK &&
                       !(defaults && has_default(destination.relation, attnum));
            }))
            missing.columns.push_back(attnum);
    return missing.columns.empty() ? std::nullopt : std::optional(missing);
}

bool may_write(Oid relation, Oid role) {
    constexpr AclMode writes = ACL_INSERT | ACL_UPDATE | ACL_DELETE;
    return pg_call([&] {
        return (pg_class_aclmask(relation, role, writes, ACLMASK_ANY) & writes) != 0 ||
               pg_attribute_aclcheck_all(relation, role, ACL_INSERT | ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
    });
}

} // namespace reverse_etl
