#include "postgres/fdw/scan_plan.h"

extern "C" {
#include "nodes/value.h"
}

namespace reverse_etl {

List *to_list(const ScanPlan &plan) {
    List *address = NIL, *retrieved = NIL;
    for (AttrNumber attnum : plan.address)
        address = lappend_int(address, attnum);
    for (AttrNumber attnum : plan.retrieved)
        retrieved = lappend_int(retrieved, attnum);
    return list_make4(makeInteger(static_cast<int>(plan.kind)), address, makeInteger(plan.is_array ? 1 : 0), retrieved);
}

ScanPlan scan_plan_of(const List *list) {
    ScanPlan plan;
    plan.kind = static_cast<ScanPlan::Kind>(intVal(linitial(list)));
    ListCell *cell;
    foreach (cell, static_cast<List *>(lsecond(list)))
        plan.address.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    plan.is_array = intVal(lthird(list)) != 0;
    foreach (cell, static_cast<List *>(lfourth(list)))
        plan.retrieved.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    return plan;
}

} // namespace reverse_etl
