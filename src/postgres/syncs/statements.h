#pragma once

#include "postgres/syncs/sightings.h"

#include <cstdint>
#include <string>
#include <vector>

namespace reverse_etl {

/// The columns that these statements add to those of the model.
namespace sync_columns {
constexpr const char *hash = "#hash";          ///< of the row, as the state keeps it
constexpr const char *is_new = "#new";         ///< the state does not know the key
constexpr const char *attempts = "#attempts";  ///< that failed; null for none
constexpr const char *in_doubt = "#doubt";     ///< it was created, and nobody knows whether the destination has it
constexpr const char *is_pending = "#pending"; ///< a change of the key is on its way
constexpr const char *key_hash = "#key";       ///< of the key, where the state does not have it; null without one
} // namespace sync_columns

/// The queries that find what is new, changed or gone: the model, joined with what the sync has kept. They run as the
/// sync's owner, and under one snapshot.
class SyncStatements {
  public:
    /// Of the query they read what is sent, the key and the cursor. What it yields besides, since a column was added to
    /// a table, is left alone.
    explicit SyncStatements(const SyncDefinition &sync);

    /// From here on only rows are looked at whose keys are among those shown as `keys`. `state_tells`: whether the
    /// state and the rows on their way tell all that the destination is about to have. Where they do not, every row
    /// and every absence is to be sent.
    void look_only_at_keys(bool state_tells) {
        only_keys_ = true;
        state_tells_ = state_tells;
    }

    /// From here on the model is what is shown as `source`, with its hashes: it was read at its source.
    void take_shown_model() { is_shown_ = true; }

    /// One row: how many keys are known.
    std::string known() const;
    /// One row where rows are on their way, or did not get through before.
    std::string any_kept() const;
    /// The rows of the model that sightings let through, with the columns of touched(), key_hash and their fate: as if
    /// nothing were kept.
    std::string seen(const Sightings &sightings) const;
    /// The rows shown as `seen` but those that were undecided and that sightings do not let through after all.
    std::string decided(const Sightings &sightings) const;
    /// The same where no key is known, without a fate.
    std::string all_new() const;
    /// The rows shown as `seen` that are not on their way already, with the columns of touched() as they are.
    std::string seen_but_pending() const;
    /// The rows of the model beyond the cursor, with the columns hash, is_new, attempts and in_doubt.
    std::string changes_by_cursor() const;
    /// Of the keys that are looked at: the rows of the model that the mode has to send after those that are on their
    /// way already, with the columns of changes_by_cursor().
    std::string touched() const;
    /// Likewise those that are no longer in the model, with the columns attempts and is_pending.
    std::string touched_and_gone() const;
    /// The keys that are known and that sightings did not meet in the model, with the columns of touched_and_gone().
    std::string gone(const Sightings &sightings) const;
    /// The same for rows of the state, s, of which a condition holds.
    std::string gone_where(const std::string &condition) const;
    /// The rows of the model whose key another row has, too.
    std::string duplicates() const;
    /// Whether the rows shown as `changes` have a key twice: one row if so.
    std::string duplicates_among_changes() const;
    /// The rows shown as `changes` whose key is not among those shown as `duplicates`.
    std::string changes_but_duplicates() const;
    /// One row for each table that feeds the sync.
    std::string streams() const;
    /// The numbers of rows that streams have sent, and that are on their way.
    std::string streamed() const;
    /// The rows shown under a name but those whose keys a stream has sent after the snapshot. Rows that are on their
    /// way were sent before it if they are shown as `streamed`: a snapshot does not tell of subtransactions.
    std::string all_but_streamed(const std::string &shown, const std::string &snapshot) const;
    /// One row: how far the cursor has come in the rows shown as `changes`, in a text that reads the same everywhere.
    std::string cursor_of_changes() const;

    /// Writes the rows shown under a name into the state: keys, as they are spelled there, and hashes.
    std::string keep(const char *shown) const;
    /// The same for those whose keys it has. It takes a third of the time and of the log, since nothing is locked
    /// first.
    std::string renew(const char *shown) const;
    /// Takes the keys shown under a name out of the state.
    std::string forget(const char *shown) const;
    /// Failures of a run, or of all others, but what is in doubt.
    std::string forget_failures(std::int64_t run, bool of_others) const;

    /// The columns of the key, quoted, with a prefix such as "m.".
    std::string key(const char *prefix) const;
    /// What they are to the destination, as in GROUP BY or ON CONFLICT.
    std::string key_forms(const char *prefix) const;
    std::string same_key(const char *one, const char *other) const;
    /// The model as an entry of FROM, with the name m.
    std::string model() const;
    /// What is sent of its rows, the key and the cursor, with a prefix.
    std::string names(const char *prefix) const;
    /// The hash of a row of it.
    std::string hash() const;
    /// The columns of the key in the types of the state, by commas, with a prefix.
    std::string typed_key(const char *prefix) const;

    static std::string state_table(int32 sync);
    static std::string rows_table(int32 sync);

  private:
    std::string key_value(std::size_t column, const char *prefix) const;
    std::string key_form(std::size_t column, const char *prefix) const;
    std::string differs_from_last() const;
    std::string last_on_their_way() const;
    std::string attempts(const std::string &hash) const;
    std::string doubt() const;
    std::string is_not_pending(const std::string &hash) const;
    std::string attempts_to_remove() const;
    std::string failed() const;
    std::string in_doubt() const;
    std::string beyond_cursor() const;
    std::string no_key() const;
    std::string key_hash() const;
    std::string among_keys(const char *prefix) const;

    const SyncDefinition &sync_;
    std::vector<std::string> model_columns_;
    std::vector<std::string> key_types_; ///< as SQL has them
    std::string state_, rows_;
    bool only_keys_ = false, state_tells_ = true, is_shown_ = false;
};

} // namespace reverse_etl
