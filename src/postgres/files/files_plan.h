#pragma once

#include "engine/files/file_rows.h"
#include "postgres/destinations/destination.h"

#include <optional>
#include <vector>

extern "C" {
#include "nodes/pg_list.h"
}

namespace reverse_etl {

/// How a table of files is read. The conditions that only concern what files' names say are ForeignScan::fdw_exprs.
struct FilesPlan {
    std::vector<AttrNumber> retrieved; ///< columns that the query needs
};

/// A plan as Postgres can copy and keep it. Call inside pg_call.
List *to_list(const FilesPlan &plan);
/// Nothing where the list is that of another scan.
std::optional<FilesPlan> files_plan_of(const List *list);

/// The position of a column's value among the pattern's; -1 where it stands in the files.
int value_of_name(const Destination &destination, const DestinationColumn &column);

/// What is read for these columns, in their order.
FileRowsSpec files_spec(const Destination &destination, const std::vector<AttrNumber> &retrieved);

} // namespace reverse_etl
