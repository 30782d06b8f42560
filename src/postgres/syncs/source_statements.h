#pragma once

#include "postgres/syncs/statements.h"

#include <cstdint>
#include <string>

namespace reverse_etl {

/// The queries that compare the state of a sync with what the source of its model tells of its rows. Those are shown
/// by these names:
///
///   #buckets    as SourceModel::buckets() has them
///   #compared   as compared() has them
///   #all        keys and numbers of all rows, where there are too many buckets to name
///   #there      keys and numbers of rows, as SourceModel::keys() has them, of all buckets that differ
///   #wanted     as wanted() has them
///   #fetched    rows, as SourceModel::rows() has them
///   #source     those of them that are wanted: the model
class SourceStatements {
  public:
    SourceStatements(const SyncDefinition &sync, std::uint64_t buckets);

    /// For each bucket that is there or here: its number, how many rows it has there, and whether it is the same here.
    std::string compared() const;
    /// The rows shown as `all` whose buckets differ.
    std::string keys_of_differing() const;
    /// For each row of those shown as `there`: its place, whether it is to be looked at, and the place of the row of
    /// the state that has the same key.
    std::string judged() const;
    /// The places of rows that are to be fetched, each once, of what is shown as `judged`. A key that is spelled in
    /// another way may be there twice, once in a bucket that is the same: hence the other place.
    std::string wanted() const;
    /// The rows shown as `fetched` that are wanted.
    std::string fetched_and_wanted() const;
    /// The rows shown as `source` that the mode has to send, with the columns of SyncStatements::seen() but their fate.
    std::string changes() const;
    /// The keys of the state that no row shown as `there` has, with the columns of SyncStatements::gone().
    std::string gone() const;

    /// The number of a key of the state, as an expression.
    std::string place(const char *prefix) const;

  private:
    std::string differs(const char *row) const;
    std::string is_in_differing(const std::string &place) const;

    const SyncDefinition &sync_;
    SyncStatements statements_;
    std::string state_;
    std::string modulus_;
};

} // namespace reverse_etl
