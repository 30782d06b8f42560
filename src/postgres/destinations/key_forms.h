#pragma once

#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// By what a key in SQL is the same as another to the destination: an expression in which "%s" stands for the value.
/// Plain "%s" where the type's own equality says it. Coarser ones, as of citext or of 1.0 and 1.00 where numbers are
/// sent as texts, are not what the destination sees; its own may be coarser than SQL's. `column` takes the key; nullptr
/// if it is not sent. It can stand as an element of an index, and so of ON CONFLICT.
std::string key_form_in_sql(Oid type, Oid collation, const DestinationColumn *column);

/// The same for each column of a key, by the names of the destination's columns.
std::vector<std::string> key_forms_in_sql(const std::vector<std::string> &key, const std::vector<Oid> &types,
                                          const std::vector<Oid> &collations, const Destination &destination);

/// The expression for a value.
std::string in_sql_form(const std::string &form, const std::string &value);

} // namespace reverse_etl
