#pragma once

#include "postgres/syncs/definition.h"

#include <cstdint>
#include <string>

extern "C" {
#include "storage/dsm.h"
}

namespace reverse_etl {

/// What one pass over the model has seen beside the state: it lets through the rows that are to be looked at, counts
/// all of them, and marks which keys of the state were met. The pass may go parallel: all its processes count in one
/// place, which lives as long as this. It has a bit for each place of a row in the state's table.
class Sightings {
  public:
    /// Under the snapshot of the pass that follows.
    explicit Sightings(const SyncDefinition &sync);
    ~Sightings();
    Sightings(const Sightings &) = delete;
    Sightings &operator=(const Sightings &) = delete;

    /// What a row of the model is to the run: one of these numbers. Undecided ones came in another order than the
    /// state, and are to be joined with it.
    enum Fate : std::int32_t { passed_over, is_new, is_known, is_undecided };
    /// It, as an expression that is to be asked for once for each row. `key` and `forms` are expressions, by commas:
    /// the columns of the key in the types of the state, and what the destination compares of them.
    std::string fate(const std::string &hash, const std::string &key, const std::string &forms) const;
    /// The condition under which a row that was undecided is to be looked at; for it there must be the columns s.ctid,
    /// which is null for new keys, and s."#hash".
    std::string condition(const std::string &hash) const;
    /// The condition for rows of the state, named s, whose keys were not met.
    std::string is_gone() const;

    std::int64_t rows() const;      ///< of the model
    std::int64_t known() const;     ///< of these, whose key the state has
    std::int64_t unchanged() const; ///< of these, whose hash is the same
    bool any_undecided() const;
    bool any_twice() const; ///< whether a known key was met more than once

    struct Shared;

  private:
    std::string arguments() const;

    dsm_segment *segment_;
    Shared *shared_;
};

} // namespace reverse_etl
