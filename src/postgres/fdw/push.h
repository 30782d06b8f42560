#pragma once

#include "engine/requests/looked_up_delivery.h"
#include "engine/requests/reacting_delivery.h"
#include "postgres/audit_log/entry.h"
#include "postgres/audit_log/rejected_rows.h"
#include "postgres/destinations/preview.h"
#include "postgres/destinations/push_plan.h"
#include "postgres/destinations/record_encoder.h"
#include "postgres/destinations/row_encoder.h"
#include "postgres/fdw/key_turns.h"
#include "postgres/fdw/progress_notices.h"
#include "postgres/shared/activity.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// Delivers the rows of one statement. Rows are encoded as they come and leave in bursts, several requests at a time.
/// While the statement makes its rows fast, some may be in flight between two calls of add(). Rejected rows are kept,
/// one WARNING at the end counts them.
class Push : private OutcomeSink, private RowSource {
  public:
    /// Accepted rows are added to *counter, if there is one, as they are known.
    Push(const Destination &destination, const PushPlan &plan, const char *statement, Oid user, EState *estate,
         uint64 *counter);
    ~Push() override;

    /// Adds a row: the written columns' values come from the slot (null if none are written), the address columns'
    /// from the arrays.
    void add(TupleTableSlot *slot, const Datum *address, const bool *address_nulls);

    /// Delivers the row at once. Whether it was accepted, and the destination's id of it.
    bool deliver_one(TupleTableSlot *slot, const Datum *address, const bool *address_nulls, std::string &id);

    /// Delivers what is left and reports. More rows may come: an INSERT in a WITH that the query does not read runs
    /// when the query has ended.
    void finish();

    /// Finishes the pushes of a query.
    static void finish_all(EState *estate);

    /// Whether the session has a push.
    static bool any();
    /// An error is on its way that may end the session's pushes: for what the audit log must know of before the abort.
    static void note_error(int sqlstate) noexcept;

  private:
    void accepted(std::uint64_t row, const std::string &id) override;
    void rejected(std::uint64_t row, const std::string &reason, long status) override;
    void absent(std::uint64_t row) override;
    void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) override;

    HeapTuple take_apart(std::uint64_t number);
    void encode(TupleTableSlot *slot, const Datum *address, const bool *address_nulls);
    std::vector<Batch> &batches_of(std::size_t turn);
    void add_to(std::vector<Batch> &batches);
    void keep_tuple();
    bool may_send_ahead();
    bool is_repeatable() const;
    void await_in_flight();
    /// Delivers; what goes wrong becomes an error that says what was accepted before.
    template <class Step>
    void step(Step &&step);
    void deliver();
    void keep_rejections();
    /// Puts the outcomes on record. The statement may have more rows, and then it is called once more.
    void settle();
    PushResult result(PushOutcome outcome) const;
    std::string progress() const;
    std::string hint(const char *own) const;

    const Destination &destination_;
    PushPlan plan_;
    std::vector<const DestinationColumn *> columns_;
    CompiledOperation operation_;      ///< the first, or only one
    std::optional<AfterLookup> after_; ///< where that is a look-up: what follows
    Reactions reactions_;              ///< else, what its rules try
    ColumnEncoders values_of_;
    RowEncoder encoder_;
    RecordEncoder records_;
    std::shared_ptr<Authenticator> authenticator_;
    Policy policy_;
    std::unique_ptr<PreviewedDestination> preview_; ///< if the rows are only to be shown
    Activity activity_;
    ProgressNotices notices_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<RowDelivery> delivery_;
    TupleDesc descriptor_; ///< of the columns
    EState *estate_;
    uint64 *counter_;
    MemoryContext scratch_, burst_context_;

    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;

    /// The batches of the burst that are not yet sent, of which the last is being filled. Those of each turn leave
    /// together, when those of the turn before have their outcomes.
    std::vector<std::vector<Batch>> turns_{1};
    KeyTurns key_turns_;
    Clock::time_point last_full_batch_ = Clock::now();
    std::size_t burst_bytes_ = 0;
    std::uint64_t burst_begin_ = 1; ///< number of the burst's first row
    std::vector<MinimalTuple> tuples_;
    std::vector<RejectedRow> rejections_; ///< of the burst
    RejectionReport report_;

    std::uint64_t rows_ = 0, accepted_ = 0, rejected_ = 0, absent_ = 0;
    std::uint64_t counted_ = 0; ///< accepted rows that the counter has
    std::string last_id_;

    audit_log::Entry entry_;
    std::uint64_t settled_ = 0; ///< rows whose outcomes are on record
    bool is_stepping_ = false;  ///< also behind an error that a step has ended with
    int sqlstate_ = 0;          ///< of the error that ends the push
    std::string fault_;         ///< what ends it, in words that quote no row
};

} // namespace reverse_etl
