#pragma once

#include "engine/requests/answer.h"
#include "engine/requests/batch.h"
#include "engine/requests/compiled_operation.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// What the destination said of one row of a batch.
struct RowOutcome {
    enum class Kind {
        unmentioned, ///< the answer does not speak of the row
        accepted,
        rejected,
        absent, ///< there is no such row
        wait,   ///< the destination asks to come back with this row
        retry,  ///< a fault that passes, and what was asked for this row may have been done
    } kind = Kind::unmentioned;
    std::string text; ///< the destination's id for an accepted row, the reason for any other
};

/// Reads from an answer what became of each row of its batch. Keeps its buffers from answer to answer.
class OutcomeReader {
  public:
    explicit OutcomeReader(const CompiledOperation &operation);

    /// One outcome a row, in the batch's order; valid until the next call. `with_ids`: whether the destination's ids
    /// are wanted.
    const std::vector<RowOutcome> &read(const Batch &batch, Answer &answer, bool with_ids);

    /// The reason of a failure in the last answer that names no row; "" if there was none.
    const std::string &unpaired_reason() const { return unpaired_reason_; }
    /// Whether the last answer spoke of another number of rows than were sent, so that none of its words can be paired.
    bool is_miscounted() const { return is_miscounted_; }

    /// Whether it is known of which rows the last answer spoke, and what it said of them.
    bool is_clear() const { return !is_miscounted_ && !names_others_ && !is_unclear_; }

    /// From now on all answers are about the same batch: its keys are gone through once.
    void stay_with_batch() { stays_with_batch_ = true; }

    /// Whether the last answer spoke of its batch as a whole, not of each row.
    bool of_whole() const { return of_whole_; }

  private:
    /// A part of an answer that speaks of a row.
    struct Entry {
        simdjson::dom::element value;
        std::string_view name; ///< in its map
        std::size_t position = 0;
    };

    void read_entries(const ResultSpec &spec, Answer &answer, simdjson::dom::element entries);
    void read_entry(const ResultSpec &spec, Answer &answer, const Entry &entry);
    RowOutcome meaning_of(const ResultSpec &spec, Answer &answer, const Entry &entry) const;
    void pair_with_rows(const ResultSpec &spec, const Entry &entry, const RowOutcome &outcome);
    bool pair(const Pairing &pairing, simdjson::dom::element value, const RowOutcome &outcome);
    bool pair_with(std::size_t row, const Pairing &pairing, const RowOutcome &outcome);
    std::size_t row_of(Pairing::By by, simdjson::dom::element value);
    std::size_t row_of(Pairing::By by, std::string_view text);
    std::size_t row_of(Pairing::By by, std::uint64_t number) const;
    std::size_t row_of_key(std::string_view key);
    void accept_unnamed();
    void settle_others(Answer &answer);

    const CompiledOperation &operation_;
    std::vector<ResultSpec> specs_; ///< the operation's, with {key_field} filled in
    const Batch *batch_ = nullptr;
    bool with_ids_ = false;
    std::vector<RowOutcome> outcomes_;
    std::unordered_map<std::string, std::size_t> rows_by_key_; ///< as the destination compares it
    bool repeats_keys_ = false;
    bool stays_with_batch_ = false;
    std::string unpaired_reason_;
    std::size_t entries_accepted_ = 0; ///< that name no row
    bool of_whole_ = false, is_miscounted_ = false;
    bool is_unclear_ =
        false; ///< a failure names no row, nobody knows what an entry means, or what should be entries is none
    bool names_others_ = false; ///< an entry names a row of another request
    bool has_failures_ = false; ///< of rows that are known
    bool has_strays_ = false;   ///< a row was accepted, and nobody knows which
};

} // namespace reverse_etl
