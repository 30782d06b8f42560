#include "postgres/border/trusted_functions.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

needs_fmgr_hook_type next_needs = nullptr;
fmgr_hook_type next_hook = nullptr;

bool is_of_a_superuser(Oid function) {
    if (function < FirstNormalObjectId)
        return true;
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return true; // there is nothing to run
    Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return superuser_arg(owner);
}

bool is_refused(Oid function) {
    return Scope::is_pinned() && !is_of_a_superuser(function);
}

/// Those that are looked up are watched when they are called; and they are not put into the statement in place of their
/// call.
bool needs_hook(Oid function) {
    return is_refused(function) || (next_needs != nullptr && next_needs(function));
}

void refuse(FmgrHookEventType event, FmgrInfo *function, Datum *state) {
    if (event == FHET_START && is_refused(function->fn_oid))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("function %s is no superuser's", ServerText(get_func_name(function->fn_oid))),
                        errdetail("The extension's own statements run functions of superusers alone.")));
    if (next_hook != nullptr)
        next_hook(event, function, state);
}

} // namespace

void install_trusted_functions_hook() {
    next_needs = needs_fmgr_hook;
    needs_fmgr_hook = needs_hook;
    next_hook = fmgr_hook;
    fmgr_hook = refuse;
}

} // namespace reverse_etl
