#pragma once

#include "engine/requests/reactions.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// The look-up of the object that takes these fields, and how it can name a row by them; nullptr if there is none.
const OperationSpec *lookup_by(const Object &object, const std::vector<std::string> &fields);

/// The number of the column that names a row alone; -1 where none does, as of a key of several fields.
int position_of(const std::vector<StatementColumn> &columns, const std::vector<std::string> &fields);

/// A look-up that finds the ids of rows by these fields, which are among the statement's columns. It is compiled for
/// all of these, and so reads a statement's rows as they come. `wanted`: a field whose value is to be found in place of
/// the id. Throws SettingError where the object has none.
CompiledOperation compile_lookup(const Object &object, std::vector<StatementColumn> columns,
                                 const std::vector<std::string> &fields, const std::string &wanted = "");

/// What follows on a look-up. The operations know the statement's columns by their numbers; behind them, the first has
/// the id.
struct AfterLookup {
    CompiledOperation found; ///< for rows that are there
    NullAs null_as_found = NullAs::null;
    std::optional<CompiledOperation> missing; ///< for the others; none: they are absent
    NullAs null_as_missing = NullAs::null;
    Reactions of_found = {}, of_missing = {}; ///< what their rules try
};

/// An update or a delete of rows that are named by their key, where the destination wants its id. The last is for rows
/// that are created in reaction to an answer.
AfterLookup by_found_id(const Object &object, const OperationSpec &spec, std::vector<StatementColumn> columns,
                        NullAs null_as, NullAs null_as_created);

/// An upsert of an API that has none. The columns are those that the statement writes.
AfterLookup update_or_create(const Object &object, const std::vector<StatementColumn> &columns, NullAs null_as_found,
                             NullAs null_as_missing);

/// How many rows go in a request that follows on a look-up. Of those that must not be made twice, but for a key that
/// they carry, each is of one row: rows that are looked up again may come together in another way, and would make a
/// request of another key.
std::size_t most_rows_after_lookup(const CompiledOperation &operation);

} // namespace reverse_etl
