#include "engine/requests/key_lookup.h"

#include <optional>
#include <unordered_map>
#include <utility>

namespace reverse_etl {

namespace {

/// What an answer tells of one row.
struct Match {
    std::string id; ///< as JSON; "" for none
    std::string refusal;
};

/// Pairs the records of an answer with the rows whose keys they have. Destinations may spell a key in their own way,
/// e-mails in lower case for instance; what they do not compare so is not taken for the row's, since a wrong row would
/// be changed or deleted.
class Matches : public RecordSink {
  public:
    Matches(const CompiledOperation &operation, const std::string &field, const Batch &batch, const Words &words)
        : words_(words), field_(field), id_(operation.object().pointer_to(field)), of_row_(batch.rows().size()) {
        for (const CompiledOperation::NameColumn &name : operation.names()) {
            const StatementColumn &column = operation.columns()[name.column];
            names_.push_back({operation.object().pointer_to(column.field), column.compare});
        }
        for (std::size_t i = 0; i < of_row_.size(); i++) {
            std::string key;
            for (std::size_t j = 0; j < names_.size(); j++)
                add_to(key, names_[j].form, batch.kept(i, operation.names()[j].kept));
            auto [known, added] = rows_.emplace(std::move(key), i);
            if (!added)
                known->second = several;
        }
    }

    void record(simdjson::dom::element record) override {
        if (record.is_null())
            return; // in the place of one that is not there
        std::string key, words;
        for (const Name &name : names_) {
            auto value = at(record, name.pointer);
            if (!value || value->is_null())
                return unnamed(record);
            add_to(key, name.form, text_of(*value));
            words += (words.empty() ? "" : ", ") + text_of(*value);
        }
        auto row = rows_.find(key);
        bool is_alone = of_row_.size() == 1;
        if (row != rows_.end() && row->second != several)
            add(of_row_[row->second], record);
        else if (!is_alone)
            has_unpaired_ = true;
        else
            other_ = words_.of(words);
    }

    /// Why a row that was asked for is not taken for any that was found; "" where there is one, or none.
    std::string refusal_of(std::size_t row) const {
        const Match &match = of_row_[row];
        if (!match.refusal.empty() || !match.id.empty() || other_.empty())
            return match.refusal;
        return "the destination finds a row by this key that has another: " + other_;
    }
    const std::string &id_of(std::size_t row) const { return of_row_[row].id; }
    /// Whether a record was not paired that may belong to one of the rows that have none.
    bool has_unpaired() const { return has_unpaired_; }

  private:
    static constexpr std::size_t several = static_cast<std::size_t>(-1);

    /// Adds a part of a key, with its length: no two keys read alike.
    static void add_to(std::string &key, KeyForm form, std::string_view text) {
        const std::string part = in_form(form, text);
        key += std::to_string(part.size()) + ":" + part;
    }

    void unnamed(simdjson::dom::element record) {
        if (of_row_.size() == 1)
            add(of_row_.front(), record);
        else
            has_unpaired_ = true;
    }

    void add(Match &match, simdjson::dom::element record) const {
        auto found = at(record, id_);
        if (!found || found->is_null()) {
            match.refusal = "the destination finds the row, but does not tell its \"" + field_ + "\"";
            return;
        }
        std::string id = json_of(*found);
        if (!match.id.empty() && match.id != id)
            match.refusal = "the destination has several rows with this key";
        match.id = std::move(id);
    }

    struct Name {
        std::string pointer;
        KeyForm form; ///< how the destination compares it
    };

    const Words &words_;
    const std::string &field_; ///< whose value is wanted
    const std::string id_;     ///< pointer to it
    std::vector<Name> names_;
    std::vector<Match> of_row_;
    std::unordered_map<std::string, std::size_t> rows_; ///< by key, as the destination compares it
    std::string other_;                                 ///< the key of a record that is not the only row's
    bool has_unpaired_ = false;
};

} // namespace

KeyLookup::KeyLookup(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink, IdReceiver found,
                     std::string field)
    : SinkHandler(operation, dispatcher, sink), found_(std::move(found)),
      field_(field.empty() ? operation.object().id : std::move(field)) {}

void KeyLookup::submit(std::vector<Batch> batches) {
    for (Batch &batch : batches) {
        for (const BatchRow &row : operation_.take_unreachable(batch))
            sink_.rejected(row.number, names_no_row, 0);
        if (!batch.rows().empty())
            dispatcher_.submit(std::make_unique<Job>(std::move(batch)));
    }
}

void KeyLookup::settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) {
    const Batch &batch = job->batch;
    bool is_alone = batch.rows().size() == 1;
    bool is_refused = verdict.action == Action::reject;
    if (!is_alone && (is_refused || verdict.action == Action::absent)) {
        for (Batch &half : batch.halves())
            dispatcher_.submit(std::make_unique<Job>(std::move(half)));
        return;
    }
    long status = answer.response().status;
    if (is_refused) {
        sink_.rejected(batch.rows().front().number, verdict.reason, status);
        return;
    }
    Matches matches(operation_, field_, batch, answer.words());
    std::optional<DestinationError> fault;
    try {
        read_records(operation_, verdict, answer, matches);
    } catch (const DestinationError &error) {
        fault.emplace(error);
    }
    if (fault) {
        sink_.failed(batch, *fault);
        return;
    }
    for (std::size_t i = 0; i < batch.rows().size(); i++) {
        std::uint64_t row = batch.rows()[i].number;
        if (const std::string refusal = matches.refusal_of(i); !refusal.empty())
            sink_.rejected(row, refusal, status);
        else if (!matches.id_of(i).empty())
            found_(row, matches.id_of(i));
        else if (matches.has_unpaired())
            dispatcher_.submit(std::make_unique<Job>(batch.subset({i}))); // whose record it is shows when asked alone
        else
            sink_.absent(row);
    }
}

} // namespace reverse_etl
