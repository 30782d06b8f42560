#include "engine/requests/outcome_reader.h"

#include "engine/text/json_pointer.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <charconv>

namespace reverse_etl {

using simdjson::dom::element;

namespace {

constexpr std::size_t no_row = static_cast<std::size_t>(-1);

} // namespace

OutcomeReader::OutcomeReader(const CompiledOperation &operation)
    : operation_(operation), specs_(operation.spec().results) {
    for (ResultSpec &spec : specs_)
        for (Pairing &pairing : spec.pairings)
            pairing.pointer = substitute(pairing.pointer, [&](const std::string &name) {
                return name == "key_field" ? std::optional(pointer_token(operation.key_field())) : std::nullopt;
            });
}

const std::vector<RowOutcome> &OutcomeReader::read(const Batch &batch, Answer &answer, bool with_ids) {
    batch_ = &batch;
    with_ids_ = with_ids;
    outcomes_.assign(batch.rows().size(), {});
    rows_by_key_.clear();
    repeats_keys_ = false;
    unpaired_reason_.clear();
    of_whole_ = is_miscounted_ = names_others_ = is_unclear_ = false;
    entries_accepted_ = 0;
    if (specs_.empty() || (answer.says_nothing() && !operation_.spec().needs_content())) {
        for (RowOutcome &outcome : outcomes_)
            outcome.kind = RowOutcome::Kind::accepted;
        return outcomes_;
    }
    if (!answer.is_json())
        return outcomes_;
    for (const ResultSpec &spec : specs_) {
        auto found = answer.at(spec.each.value_or(""));
        if (!found || (spec.each && found->is_null()))
            continue;
        if (!spec.each) {
            read_entry(spec, answer, *found, 0);
            continue;
        }
        simdjson::dom::array entries;
        if (found->get(entries) != simdjson::SUCCESS) {
            is_unclear_ = true;
            continue;
        }
        if (spec.by_position && entries.size() != outcomes_.size()) {
            // Which of them speaks of which row cannot be told.
            is_miscounted_ = true;
            unpaired_reason_ = "the destination's answer speaks of " + std::to_string(entries.size()) +
                               " rows, where " + std::to_string(outcomes_.size()) + " were sent";
            continue;
        }
        std::size_t position = 0;
        for (element entry : entries)
            read_entry(spec, answer, entry, position++);
    }
    accept_unnamed();
    settle_others(*answer.at(""));
    return outcomes_;
}

/// What the others are is said only where it is known which rows are not among them.
void OutcomeReader::settle_others(element root) {
    const Others others = operation_.spec().others;
    if (others == Others::unknown || is_miscounted_ || names_others_ || is_unclear_ ||
        !(root.is_object() || root.is_array()))
        return;
    for (RowOutcome &outcome : outcomes_)
        if (outcome.kind == RowOutcome::Kind::unmentioned && others == Others::accepted)
            outcome.kind = RowOutcome::Kind::accepted;
        else if (outcome.kind == RowOutcome::Kind::unmentioned)
            outcome = {RowOutcome::Kind::rejected, "the destination does not name the row among those that it took"};
}

/// Entries that name no row still count them: as many as were sent, and no failure, are all of them.
void OutcomeReader::accept_unnamed() {
    const bool all_unmentioned = std::all_of(outcomes_.begin(), outcomes_.end(), [](const RowOutcome &outcome) {
        return outcome.kind == RowOutcome::Kind::unmentioned;
    });
    if (!all_unmentioned || names_others_ || !unpaired_reason_.empty() || entries_accepted_ != outcomes_.size())
        return;
    for (RowOutcome &outcome : outcomes_)
        outcome.kind = RowOutcome::Kind::accepted;
}

void OutcomeReader::read_entry(const ResultSpec &spec, Answer &answer, element entry, std::size_t position) {
    RowOutcome outcome;
    bool accepted = spec.accepted_when.empty() ? !spec.rejected : holds(spec.accepted_when, entry);
    if (accepted) {
        outcome.kind = RowOutcome::Kind::accepted;
        if (with_ids_ && spec.id)
            outcome.text = first_text(entry, {*spec.id});
    } else {
        outcome.kind = RowOutcome::Kind::rejected;
        if (!spec.wait_when.empty() && holds(spec.wait_when, entry))
            outcome.kind = RowOutcome::Kind::wait;
        else if (!spec.absent_when.empty() && holds(spec.absent_when, entry))
            outcome.kind = RowOutcome::Kind::absent;
        outcome.text = answer.words_at(entry, spec.reason.empty() ? operation_.spec().reason : spec.reason);
        if (outcome.text.empty())
            outcome.text = answer.words_at(entry, {""});
    }

    if (!spec.each) {
        of_whole_ = true;
        if (outcomes_.size() > 1 && accepted)
            outcome.text.clear(); // an id cannot be that of each row
        std::fill(outcomes_.begin(), outcomes_.end(), outcome);
        return;
    }
    if (spec.by_position) {
        if (position < outcomes_.size())
            outcomes_[position] = std::move(outcome);
        return;
    }
    bool names_a_row = false;
    for (const Pairing &pairing : spec.pairings)
        if (auto value = at(entry, pairing.pointer); value && !value->is_null()) {
            // A key may be spelled otherwise, or be the destination's own; a number that is not ours is another row's.
            names_a_row |= pairing.by == Pairing::By::number;
            if (pair(pairing, *value, outcome))
                return;
        }
    if (names_a_row)
        names_others_ = true;
    else if (!accepted) {
        is_unclear_ = true;
        unpaired_reason_ = std::move(outcome.text);
    } else if (entry.is_object())
        entries_accepted_++;
}

bool OutcomeReader::pair(const Pairing &pairing, element value, const RowOutcome &outcome) {
    simdjson::dom::array values;
    if (value.get(values) != simdjson::SUCCESS)
        return pair_one(pairing, value, outcome);
    bool paired = false;
    for (element one : values)
        paired |= pair_one(pairing, one, outcome);
    return paired;
}

bool OutcomeReader::pair_one(const Pairing &pairing, element value, const RowOutcome &outcome) {
    std::size_t row = pairing.by == Pairing::By::number ? row_of_number(value) : row_of_key(value);
    if (row == no_row)
        return false;
    outcomes_[row] = outcome;
    // Which of the rows of one key failed nobody knows.
    is_unclear_ |= pairing.by == Pairing::By::key && repeats_keys_ && outcome.kind != RowOutcome::Kind::accepted;
    return true;
}

std::size_t OutcomeReader::row_of_number(element value) const {
    std::uint64_t number = 0;
    std::string_view digits;
    if (value.get(digits) == simdjson::SUCCESS) {
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc() || end != digits.data() + digits.size())
            return no_row;
    } else if (value.get(number) != simdjson::SUCCESS) {
        return no_row;
    }
    const std::vector<BatchRow> &rows = batch_->rows();
    if (number < rows.front().number)
        return no_row;
    // A batch as it was cut holds consecutive numbers; what is left of one after halving is still in order.
    std::size_t guess = number - rows.front().number;
    if (guess < rows.size() && rows[guess].number == number)
        return guess;
    auto found = std::lower_bound(rows.begin(), rows.end(), number,
                                  [](const BatchRow &row, std::uint64_t wanted) { return row.number < wanted; });
    return found != rows.end() && found->number == number ? found - rows.begin() : no_row;
}

std::size_t OutcomeReader::row_of_key(element value) {
    if (operation_.kept_key() < 0)
        return no_row;
    if (rows_by_key_.empty())
        for (std::size_t row = 0; row < batch_->rows().size(); row++)
            repeats_keys_ |=
                !rows_by_key_.emplace(in_form(operation_.key_form(), batch_->kept(row, operation_.kept_key())), row)
                     .second;
    auto found = rows_by_key_.find(in_form(operation_.key_form(), text_of(value)));
    return found == rows_by_key_.end() ? no_row : found->second;
}

} // namespace reverse_etl
