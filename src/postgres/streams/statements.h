#pragma once

#include <string>
#include <vector>

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// The name under which an UPDATE's rows as they were are read.
constexpr const char *changed_before = "changed_before";

/// The statements that bring the changed rows of a source to a destination. Each reads `changed`, and is planned by
/// Postgres like any other.
class StreamStatements {
  public:
    /// A column of the destination that names a row, with its type as SQL writes it, and key_form_in_sql().
    struct KeyColumn {
        std::string name, type, form;
    };

    StreamStatements(Oid destination, std::string mapping, std::vector<std::string> columns,
                     std::vector<KeyColumn> key);

    const std::string &mapping() const { return mapping_; }
    std::string insert() const; ///< of all rows
    std::string remove() const; ///< of the rows by key
    /// Of what an UPDATE took away: the keys that its rows had before and have no more.
    std::string remove_moved() const;
    std::string remove_all(Oid source) const; ///< of every row that the source has

  private:
    std::string remove(const std::string &keys) const;
    std::string keys_of(const std::string &rows) const;
    std::string mapped() const;
    std::string mapped(const std::string &changed_rows) const;

    std::string destination_, mapping_;
    std::vector<std::string> columns_;
    std::vector<KeyColumn> key_;
};

} // namespace reverse_etl
