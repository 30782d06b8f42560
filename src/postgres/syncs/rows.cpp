#include "postgres/syncs/rows.h"

#include "postgres/border/border.h"
#include "postgres/syncs/row_contract.h"

#include <memory>

extern "C" {
#include "executor/spi.h"
}

namespace reverse_etl {

namespace {

using Change = SyncRow::Change;

AttrNumber column_of(TupleDesc descriptor, const std::string &name) {
    int number = pg_call([&] { return SPI_fnumber(descriptor, to_server(name).c_str()); });
    if (number <= 0)
        throw Error(ERRCODE_UNDEFINED_COLUMN, "the query does not yield column \"" + name + "\" any more",
                    "The sync needs it.");
    return static_cast<AttrNumber>(number);
}

/// The key of each row, wherever its columns stand.
class KeyReader {
  public:
    KeyReader(TupleDesc descriptor, const std::vector<std::string> &key)
        : values_(key.size()), nulls_(std::make_unique<bool[]>(key.size())) {
        for (const std::string &name : key)
            columns_.push_back(column_of(descriptor, name));
    }

    /// The slot's values must have been taken apart.
    void read(TupleTableSlot *slot, SyncRow &row) {
        for (std::size_t i = 0; i < columns_.size(); i++) {
            values_[i] = slot->tts_values[columns_[i] - 1];
            nulls_[i] = slot->tts_isnull[columns_[i] - 1];
        }
        row.found = slot;
        row.key = values_.data();
        row.key_nulls = nulls_.get();
    }

    /// Which column of the key is NULL; -1 for none.
    int null_column() const {
        for (std::size_t i = 0; i < columns_.size(); i++)
            if (nulls_[i])
                return static_cast<int>(i);
        return -1;
    }

  private:
    std::vector<AttrNumber> columns_;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
};

class DiffReader {
  public:
    DiffReader(const SyncDefinition &sync, const Destination &destination, SyncSink &sink, MemoryContext context)
        : sync_(sync), destination_(destination), sink_(sink), context_(context) {}

    SyncCounts counts;

    void take_changes(const ResultRows &changes) {
        if (changes.is_empty())
            return;
        KeyReader key(changes.descriptor(), sync_.key);
        RowContract contract(destination_, changes.descriptor(), sync_.columns, true, context_);
        AttrNumber hash = column_of(changes.descriptor(), sync_columns::hash),
                   is_new = column_of(changes.descriptor(), sync_columns::is_new),
                   attempts = column_of(changes.descriptor(), sync_columns::attempts),
                   in_doubt = column_of(changes.descriptor(), sync_columns::in_doubt);
        changes.for_each([&](TupleTableSlot *slot) {
            pg_call([&] { slot_getallattrs(slot); });
            auto value = [&](AttrNumber column) { return slot->tts_values[column - 1]; };
            auto is_null = [&](AttrNumber column) { return slot->tts_isnull[column - 1]; };
            SyncRow row;
            row.change = DatumGetBool(value(is_new)) ? Change::added : Change::changed;
            key.read(slot, row);
            row.hash = value(hash);
            if (!is_null(attempts))
                row.attempts = DatumGetInt32(value(attempts));
            if (int column = key.null_column(); column >= 0)
                refuse(row, false, "null value in column \"" + sync_.key[column] + "\" of the key");
            else if (DatumGetBool(value(in_doubt)))
                refuse(row, false, "outcome unknown: the destination may have the row; resync sends it again",
                       Refusal::in_doubt);
            else if (stays_unsent(row))
                sink_.note(row);
            else
                take(row, contract);
        });
        contract.close();
    }

    void take_duplicates(const ResultRows &duplicates) {
        if (duplicates.is_empty())
            return;
        KeyReader key(duplicates.descriptor(), sync_.key);
        duplicates.for_each([&](TupleTableSlot *slot) {
            pg_call([&] { slot_getallattrs(slot); });
            SyncRow row;
            key.read(slot, row);
            refuse(row, false, "another row of the query has the same key");
        });
    }

    void take_gone(const ResultRows &gone) {
        if (gone.is_empty())
            return;
        KeyReader key(gone.descriptor(), sync_.key);
        RowContract contract(destination_, gone.descriptor(), sync_.key, false, context_);
        AttrNumber attempts = column_of(gone.descriptor(), sync_columns::attempts),
                   is_pending = column_of(gone.descriptor(), sync_columns::is_pending);
        gone.for_each([&](TupleTableSlot *slot) {
            pg_call([&] { slot_getallattrs(slot); });
            if (DatumGetBool(slot->tts_values[is_pending - 1]))
                return;
            counts.queried++;
            SyncRow row;
            row.change = Change::removed;
            key.read(slot, row);
            if (!slot->tts_isnull[attempts - 1])
                row.attempts = DatumGetInt32(slot->tts_values[attempts - 1]);
            take(row, contract);
        });
        contract.close();
    }

  private:
    /// An update sends no rows that are new, and a sync that only looks forward none of those that it begins with, but
    /// for those that adopt() has found to differ.
    bool stays_unsent(const SyncRow &row) const {
        return row.change == Change::added && (!sends_new(sync_.mode) || (!sync_.has_run && !sync_.backfill));
    }

    void take(const SyncRow &row, RowContract &contract) {
        if (row.attempts >= sync_.max_attempts) {
            counts.quarantined++;
            counts.invalid++;
            std::string times = row.attempts == 1 ? "once" : std::to_string(row.attempts) + " times";
            sink_.refuse(row, true, "refused " + times + "; it waits until it changes", Refusal::quarantined);
            return;
        }
        TupleTableSlot *made = contract.apply(row.found);
        std::string reason = made == nullptr ? contract.reason() : sink_.send(row, made);
        if (!reason.empty())
            refuse(row, true, reason);
        else
            (row.change == Change::added     ? counts.added
             : row.change == Change::changed ? counts.changed
                                             : counts.removed)++;
    }

    void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind = Refusal::invalid) {
        counts.invalid++;
        sink_.refuse(row, has_key, reason, kind);
    }

    const SyncDefinition &sync_;
    const Destination &destination_;
    SyncSink &sink_;
    MemoryContext context_;
};

} // namespace

SyncCounts take_apart(const SyncDefinition &sync, const SyncDiff &diff, const Destination &destination, SyncSink &sink,
                      MemoryContext context) {
    DiffReader reader(sync, destination, sink, context);
    reader.counts.queried = diff.model_rows;
    reader.take_duplicates(diff.duplicates);
    if (sync.removes() && sync.may_remove)
        reader.take_gone(diff.gone);
    reader.take_changes(diff.changes);
    return reader.counts;
}

} // namespace reverse_etl
