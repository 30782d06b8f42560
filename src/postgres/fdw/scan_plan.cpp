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
    List *filters = NIL;
    for (const auto &[attnum, comparison] : plan.filters)
        filters = lappend_int(lappend_int(filters, attnum), static_cast<int>(comparison));
    return list_make5(makeInteger(static_cast<int>(plan.kind)), address, makeInteger(plan.is_array ? 1 : 0), retrieved,
                      filters);
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
    const auto *filters = static_cast<List *>(list_nth(list, 4));
    for (int i = 0; i + 1 < list_length(filters); i += 2)
        plan.filters.emplace_back(static_cast<AttrNumber>(list_nth_int(filters, i)),
                                  static_cast<Comparison>(list_nth_int(filters, i + 1)));
    return plan;
}

} // namespace reverse_etl
