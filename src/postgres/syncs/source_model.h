#pragma once

#include "engine/sources/hash_text.h"
#include "postgres/border/border.h"
#include "postgres/border/result_rows.h"
#include "postgres/sources/source_access.h"
#include "postgres/syncs/definition.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "executor/execdesc.h"
#include "utils/plancache.h"
}

namespace reverse_etl {

/// The columns that come with rows of a model that were asked for at its source.
namespace source_columns {
constexpr const char *bucket = "#bucket"; ///< of a key: its number modulo that of the buckets
constexpr const char *rows = "#rows";     ///< of a bucket
constexpr const char *sum = "#sum";       ///< of the numbers in a bucket, a numeric
constexpr const char *place = "#place";   ///< the number of a row's key, as the source has it
constexpr const char *hash = "#hash";     ///< the number of the row
} // namespace source_columns

/// The model of a sync as its source can be asked for it: where it is columns of one table there, with conditions that
/// the source evaluates, so that rows can be grouped and told apart without being sent. Lives in one connection to SPI,
/// under one ActAs of the sync's owner and one snapshot.
class SourceModel {
  public:
    /// `columns`: those of the query that count; `key`: those of the key.
    SourceModel(const std::string &query, const std::vector<std::string> &key, const std::vector<std::string> &columns);
    SourceModel(const SourceModel &) = delete;
    SourceModel &operator=(const SourceModel &) = delete;

    /// Why the source cannot be asked; "" where it can.
    const std::string &obstacle() const { return obstacle_; }
    /// Gives back what the executor holds. Not where an exception is on its way: then the transaction's end does.
    void close();

    // What the source is asked for. Each has at least as many rows as it takes; they belong to the moment at which it
    // is asked.

    /// Columns bucket, rows, sum. `of_keys`: the sum is that of the keys' numbers.
    ResultRows buckets(std::uint64_t buckets, bool of_keys) const;
    /// Columns of the key, place, hash: of rows whose keys have one of the numbers; without numbers, of all rows.
    ResultRows keys(std::uint64_t modulus, const std::vector<std::uint64_t> &numbers) const;
    /// The same of no row, without asking.
    ResultRows no_keys() const;
    /// The same with all columns that count.
    ResultRows rows(std::uint64_t modulus, const std::vector<std::uint64_t> &numbers) const;
    /// How many statements those take.
    std::size_t statements(std::uint64_t modulus, std::size_t numbers) const;

  private:
    struct Column {
        std::string name; ///< in the model
        const DestinationColumn *column = nullptr;
    };

    std::string find_obstacle(const std::vector<std::string> &key, const std::vector<std::string> &columns);
    std::string obstacle_of_plan(const ForeignScan &scan) const;
    std::string obstacle_of_conditions(const ForeignScan &scan) const;
    std::string find_columns(const ForeignScan &scan, const std::vector<std::string> &names,
                             std::vector<Column> &columns) const;
    std::string obstacle_of_key() const;
    std::vector<HashedColumn> hashed(const std::vector<Column> &columns) const;
    static ResultRows rows_with(const std::vector<Column> &columns);
    ResultRows read(const std::vector<Column> &columns, std::uint64_t modulus,
                    const std::vector<std::uint64_t> &numbers) const;

    CachedPlan *plan_ = nullptr;
    QueryDesc *query_ = nullptr;
    SourceAccess *source_ = nullptr;
    std::vector<Column> key_, columns_;
    std::unique_ptr<HashedRows> hashed_; ///< none where WHERE holds of no row
    std::string obstacle_;
};

/// The Error that tells why the difference cannot be found at the source.
Error not_at_source(const std::string &obstacle);

} // namespace reverse_etl
