#pragma once

#include "engine/sources/sql_text.h"

#include <cstdint>
#include <string>
#include <vector>

namespace reverse_etl {

/// A column of the source whose values count for a hash.
struct HashedColumn {
    std::string field;
    std::string type; ///< the Postgres type that it is there
};

/// Rows of a source that are told apart by numbers. That of a key is computed here as well, so that the source need
/// not say it: the last 15 hexadecimal digits of the MD5 of a text, of the columns one after the other. In it stands a
/// value as "value~1" with "~0" for each "~" in it, and "~2" for NULL. That of a row is made in the same way of all
/// columns, behind a number that tells their names and types.
class HashedRows {
  public:
    /// The dialect must have a hash, with a text for the types of all columns; `head` is a number of the caller's.
    HashedRows(const DialectSpec &dialect, const SourceQuery &query, const std::vector<HashedColumn> &key,
               const std::vector<HashedColumn> &columns, std::uint64_t head);

    /// A row for each bucket that is not empty: its number, how many rows it has, and the sum of their numbers; those
    /// of their keys where `of_keys`. A row's bucket is the number of its key modulo `buckets`.
    SqlText buckets(std::uint64_t buckets, bool of_keys) const;
    /// For each row whose key has, modulo `modulus`, one of the numbers: the columns of the query, and the numbers of
    /// key and row. Without numbers all rows. With more than one statement can hold, several: each row is in one.
    std::vector<SqlText> rows(const std::vector<SelectedColumn> &columns, std::uint64_t modulus,
                              const std::vector<std::uint64_t> &numbers) const;
    /// How many statements that would take.
    std::size_t statements(std::uint64_t modulus, std::size_t numbers) const;

  private:
    std::string hash_of(const std::string &head, const std::vector<HashedColumn> &columns) const;
    std::size_t numbers_of_statement(std::uint64_t modulus) const;

    const DialectSpec &dialect_;
    SourceQuery query_;
    std::string key_, row_; ///< the expressions
};

} // namespace reverse_etl
