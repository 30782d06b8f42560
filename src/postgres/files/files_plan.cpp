#include "postgres/files/files_plan.h"

#include "postgres/border/border.h"

#include <algorithm>

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Where other plans have a number that is none of theirs.
constexpr int mark = -2;

} // namespace

List *to_list(const FilesPlan &plan) {
    List *retrieved = NIL;
    for (AttrNumber attnum : plan.retrieved)
        retrieved = lappend_int(retrieved, attnum);
    return list_make2(makeInteger(mark), retrieved);
}

std::optional<FilesPlan> files_plan_of(const List *list) {
    if (intVal(linitial(list)) != mark)
        return std::nullopt;
    FilesPlan plan;
    ListCell *cell;
    foreach (cell, static_cast<List *>(lsecond(list)))
        plan.retrieved.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    return plan;
}

int value_of_name(const Destination &destination, const DestinationColumn &column) {
    const std::vector<std::string> &names = destination.files.pattern->names();
    const auto found = std::find(names.begin(), names.end(), column.field);
    return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

FileRowsSpec files_spec(const Destination &destination, const std::vector<AttrNumber> &retrieved) {
    FileRowsSpec spec{*destination.files.pattern, destination.files.format, 0, {}};
    std::map<AttrNumber, std::size_t> positions;
    for (const DestinationColumn &column : destination.columns)
        if (value_of_name(destination, column) < 0)
            positions[column.attnum] = spec.columns_of_file++;
    for (AttrNumber attnum : retrieved) {
        const DestinationColumn &column = *destination.column(attnum);
        const Oid type = pg_call([&] { return getBaseType(column.type); });
        const int value = value_of_name(destination, column);
        spec.columns.push_back(
            {column.field, value, value < 0 ? positions.at(attnum) : 0, type == JSONOID || type == JSONBOID});
    }
    return spec;
}

} // namespace reverse_etl
