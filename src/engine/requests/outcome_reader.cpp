#include "engine/requests/outcome_reader.h"

#include "engine/text/json_pointer.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <charconv>

namespace reverse_etl {

using simdjson::dom::element;

namespace {

using Kind = RowOutcome::Kind;

constexpr std::size_t no_row = static_cast<std::size_t>(-1);

/// "" if there is none.
std::string id_in(const Response &response, const IdHeader &id) {
    const std::string *text = response.header(id.name);
    std::size_t begin = text == nullptr ? std::string::npos : id.after.empty() ? 0 : text->rfind(id.after);
    if (begin == std::string::npos)
        return "";
    begin += id.after.size();
    const std::size_t end = id.before.empty() ? std::string::npos : text->find(id.before, begin);
    return text->substr(begin, end == std::string::npos ? end : end - begin);
}

Kind kind_of(Action action) {
    switch (action) {
    case Action::accept:
        return Kind::accepted;
    case Action::absent:
        return Kind::absent;
    case Action::wait:
        return Kind::wait;
    case Action::retry:
        return Kind::retry;
    default:
        return Kind::rejected;
    }
}

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
    if (!stays_with_batch_) {
        rows_by_key_.clear();
        repeats_keys_ = false;
    }
    unpaired_reason_.clear();
    of_whole_ = is_miscounted_ = names_others_ = is_unclear_ = has_failures_ = has_strays_ = false;
    entries_accepted_ = 0;
    const bool needs_none =
        answer.says_nothing() ? !operation_.spec().needs_content() : !operation_.spec().needs_json();
    if (specs_.empty() || needs_none) {
        for (RowOutcome &outcome : outcomes_)
            outcome.kind = Kind::accepted;
        // An id cannot be that of each row.
        if (with_ids && outcomes_.size() == 1 && !specs_.empty() && specs_.front().id_header)
            outcomes_.front().text = id_in(answer.response(), *specs_.front().id_header);
        return outcomes_;
    }
    if (!answer.is_json())
        return outcomes_;
    for (const ResultSpec &spec : specs_) {
        const auto found = answer.at(spec.pointer);
        if (!spec.has_entries())
            read_entry(spec, answer, {*found, "", 0});
        else if (found && !found->is_null())
            read_entries(spec, answer, *found);
    }
    accept_unnamed();
    settle_others(answer);
    return outcomes_;
}

void OutcomeReader::read_entries(const ResultSpec &spec, Answer &answer, element entries) {
    simdjson::dom::array elements;
    simdjson::dom::object members;
    if (spec.in == ResultSpec::In::object) {
        is_unclear_ |= entries.get(members) != simdjson::SUCCESS;
        if (entries.is_object())
            for (const auto member : members)
                read_entry(spec, answer, {member.value, member.key, 0});
        return;
    }
    if (entries.get(elements) != simdjson::SUCCESS) {
        is_unclear_ = true;
        return;
    }
    if (spec.by_position && elements.size() != outcomes_.size()) {
        // Which of them speaks of which row cannot be told.
        is_miscounted_ = true;
        unpaired_reason_ = "the destination's answer speaks of " + std::to_string(elements.size()) + " rows, where " +
                           std::to_string(outcomes_.size()) + " were sent";
        return;
    }
    std::size_t position = 0;
    for (element one : elements)
        read_entry(spec, answer, {one, "", position++});
}

void OutcomeReader::read_entry(const ResultSpec &spec, Answer &answer, const Entry &entry) {
    const bool counts = spec.only_when.empty() || holds(spec.only_when, entry.value);
    // Where it does not say what it is about it may be about any row.
    if (!counts && !lacks_what_is_asked(spec.only_when, entry.value))
        return;
    RowOutcome outcome = meaning_of(spec, answer, entry);
    is_unclear_ |= outcome.kind == Kind::unmentioned;
    if (!spec.has_entries()) {
        of_whole_ = true;
        if (outcomes_.size() > 1 && outcome.kind == Kind::accepted)
            outcome.text.clear(); // an id cannot be that of each row
        std::fill(outcomes_.begin(), outcomes_.end(), outcome);
    } else if (spec.by_position) {
        has_failures_ |= outcome.kind != Kind::accepted;
        outcomes_[entry.position] = std::move(outcome);
    } else if (counts) {
        pair_with_rows(spec, entry, outcome);
    } else if (outcome.kind != Kind::accepted) {
        is_unclear_ = true;
        unpaired_reason_ = std::move(outcome.text);
    }
}

RowOutcome OutcomeReader::meaning_of(const ResultSpec &spec, Answer &answer, const Entry &entry) const {
    RowOutcome outcome;
    const auto rule = std::find_if(spec.entries.begin(), spec.entries.end(),
                                   [&](const EntryRule &one) { return holds(one.when, entry.value); });
    if (rule == spec.entries.end())
        return outcome;
    outcome.kind = kind_of(rule->then);
    if (outcome.kind == Kind::accepted) {
        if (with_ids_ && spec.id)
            outcome.text = first_text(entry.value, {*spec.id});
        if (with_ids_ && spec.id_header)
            outcome.text = id_in(answer.response(), *spec.id_header);
        return outcome;
    }
    const ReasonSpec &reason = rule->reason.empty() ? spec.reason : rule->reason;
    outcome.text = reason.empty() ? answer.words_at(entry.value, operation_.spec().reason)
                                  : answer.reason_at(entry.value, reason, entry.name);
    if (outcome.text.empty())
        outcome.text = answer.words_at(entry.value, {""});
    return outcome;
}

void OutcomeReader::pair_with_rows(const ResultSpec &spec, const Entry &entry, const RowOutcome &outcome) {
    bool names_a_row = false;
    for (const Pairing &pairing : spec.pairings) {
        const auto value = pairing.by_name ? std::nullopt : at(entry.value, pairing.pointer);
        if (!pairing.by_name && (!value || value->is_null()))
            continue;
        // A key may be spelled otherwise, or be the destination's own; a number that is not ours is another row's.
        names_a_row |= pairing.by != Pairing::By::key;
        if (pairing.by_name ? pair_with(row_of(pairing.by, entry.name), pairing, outcome)
                            : pair(pairing, *value, outcome))
            return;
    }
    if (names_a_row)
        names_others_ = true;
    else if (outcome.kind != Kind::accepted) {
        is_unclear_ = true;
        unpaired_reason_ = outcome.text;
    } else {
        has_strays_ = true;
        entries_accepted_ += entry.value.is_object() ? 1 : 0;
    }
}

bool OutcomeReader::pair(const Pairing &pairing, element value, const RowOutcome &outcome) {
    simdjson::dom::array values;
    if (value.get(values) != simdjson::SUCCESS)
        return pair_with(row_of(pairing.by, value), pairing, outcome);
    bool is_paired = false, is_in_part = false;
    for (element one : values) {
        const bool is_ours = pair_with(row_of(pairing.by, one), pairing, outcome);
        is_paired |= is_ours;
        is_in_part |= !is_ours;
    }
    // A failure of rows of which only some are known.
    is_unclear_ |= is_paired && is_in_part && outcome.kind != Kind::accepted;
    return is_paired;
}

bool OutcomeReader::pair_with(std::size_t row, const Pairing &pairing, const RowOutcome &outcome) {
    if (row == no_row)
        return false;
    const bool is_failure = outcome.kind != Kind::accepted;
    has_failures_ |= is_failure;
    // What one part of an answer says against a row, another does not take back.
    const Kind before = outcomes_[row].kind;
    if (is_failure || before == Kind::unmentioned || before == Kind::accepted)
        outcomes_[row] = outcome;
    // Which of the rows of one key failed nobody knows.
    is_unclear_ |= pairing.by == Pairing::By::key && repeats_keys_ && is_failure;
    return true;
}

std::size_t OutcomeReader::row_of(Pairing::By by, element value) {
    std::uint64_t number = 0;
    if (by == Pairing::By::key)
        return row_of_key(text_of(value));
    if (std::string_view text; value.get(text) == simdjson::SUCCESS)
        return row_of(by, text);
    return value.get(number) == simdjson::SUCCESS ? row_of(by, number) : no_row;
}

std::size_t OutcomeReader::row_of(Pairing::By by, std::string_view text) {
    if (by == Pairing::By::key)
        return row_of_key(text);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? row_of(by, number) : no_row;
}

std::size_t OutcomeReader::row_of(Pairing::By by, std::uint64_t number) const {
    const std::vector<BatchRow> &rows = batch_->rows();
    if (by == Pairing::By::index)
        return number < rows.size() ? number : no_row;
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

std::size_t OutcomeReader::row_of_key(std::string_view key) {
    if (operation_.kept_key() < 0)
        return no_row;
    if (rows_by_key_.empty())
        for (std::size_t row = 0; row < batch_->rows().size(); row++)
            repeats_keys_ |=
                !rows_by_key_.emplace(in_form(operation_.key_form(), batch_->kept(row, operation_.kept_key())), row)
                     .second;
    auto found = rows_by_key_.find(in_form(operation_.key_form(), std::string(key)));
    return found == rows_by_key_.end() ? no_row : found->second;
}

/// Entries that name no row still count them: as many as were sent, and no failure, are all of them.
void OutcomeReader::accept_unnamed() {
    const bool all_unmentioned = std::all_of(outcomes_.begin(), outcomes_.end(), [](const RowOutcome &outcome) {
        return outcome.kind == Kind::unmentioned;
    });
    if (!all_unmentioned || names_others_ || !unpaired_reason_.empty() || entries_accepted_ != outcomes_.size())
        return;
    for (RowOutcome &outcome : outcomes_)
        outcome.kind = Kind::accepted;
}

/// What the others are is said only where it is known which rows are not among them. An answer that is an error and
/// names no row that failed means something else.
void OutcomeReader::settle_others(Answer &answer) {
    const Others others = operation_.spec().others;
    const element root = *answer.at("");
    if (others == Others::unknown || is_miscounted_ || names_others_ || is_unclear_ ||
        !(root.is_object() || root.is_array()) || !(answer.is_success() || has_failures_))
        return;
    // An entry that is paired with no row may be that of any: nobody would hear of one that is taken for absent.
    if (others == Others::absent && has_strays_)
        return;
    for (RowOutcome &outcome : outcomes_)
        if (outcome.kind != Kind::unmentioned)
            continue;
        else if (others == Others::rejected)
            outcome = {Kind::rejected, "the destination does not name the row among those that it took"};
        else
            outcome.kind = others == Others::accepted ? Kind::accepted : Kind::absent;
}

} // namespace reverse_etl
