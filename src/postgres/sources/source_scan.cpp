#include "postgres/sources/source_scan.h"

#include "postgres/border/border.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/preview.h"
#include "postgres/shared/statistics.h"
#include "postgres/sources/cell_reader.h"
#include "postgres/sources/source_access.h"
#include "postgres/sources/source_line.h"

#include <algorithm>
#include <optional>
#include <utility>

extern "C" {
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

namespace {

/// So many rows are read between two looks at the next page, which is on its way.
constexpr std::uint64_t rows_between_looks = 256;

/// Rows that were read once, for a scan that may begin anew: in memory, and in a file beyond work_mem.
class KeptRows {
  public:
    KeptRows(TupleDesc descriptor, MemoryContext context) : context_(context) {
        pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(context);
            store_ = tuplestore_begin_heap(false, false, work_mem);
            tuplestore_set_eflags(store_, EXEC_FLAG_REWIND);
            slot_ = MakeSingleTupleTableSlot(CreateTupleDescCopy(descriptor), &TTSOpsMinimalTuple);
            MemoryContextSwitchTo(caller);
        });
    }

    void add(TupleTableSlot *slot) {
        // Where it is read moves along only if all that was there has been read.
        pg_call([&] { tuplestore_puttupleslot(store_, slot); });
    }

    void rewind() {
        pg_call([&] { tuplestore_rescan(store_); });
    }

    /// False behind the last.
    bool next(TupleTableSlot *slot) {
        return pg_call([&] {
            // The slot frees what comes from a file when it takes the next: not where each row's memory is reset.
            MemoryContext caller = MemoryContextSwitchTo(context_);
            const bool is_there = tuplestore_gettupleslot(store_, true, false, slot_);
            MemoryContextSwitchTo(caller);
            if (!is_there)
                return false;
            slot_getallattrs(slot_);
            for (int i = 0; i < slot_->tts_tupleDescriptor->natts; i++) {
                slot->tts_values[i] = slot_->tts_values[i];
                slot->tts_isnull[i] = slot_->tts_isnull[i];
            }
            return true;
        });
    }

    /// Before it goes, but where the transaction is rolled back: then its file goes with that.
    void close() {
        pg_call([&] {
            ExecDropSingleTupleTableSlot(slot_);
            tuplestore_end(store_);
        });
    }

  private:
    MemoryContext context_; ///< of the scan, whose memory all this is
    Tuplestorestate *store_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
};

class SourceScan : public TableScan, private SourceAccess {
  public:
    SourceScan(const Destination &destination, SourcePlan plan, Oid user, ForeignScanState *node, bool keeps)
        : destination_(destination), plan_(std::move(plan)), user_(user), node_(node),
          context_(node->ss.ps.state->es_query_cxt), descriptor_(RelationGetDescr(node->ss.ss_currentRelation)),
          preview_(PreviewedDestination::of(destination.name, OperationKind::list)), policy_(destination.policy),
          line_(source_line(policy_)) {
        if (preview_ == nullptr)
            identity::refuse_copy();
        policy_.rehearsal = preview_.get();
        policy_.account = destination.account(user);
        authenticator_ = destination.authenticator(user);
        statistics_ = std::make_unique<Statistics>(destination.relation);
        cells_ = std::make_unique<CellReader>(destination_.name, columns_of(destination_, plan_.retrieved),
                                              authenticator_->words(), context_);
        if (keeps)
            kept_ = std::make_unique<KeptRows>(descriptor_, context_);
        auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
        pg_call([&] { expressions_ = ExecInitExprList(scan->fdw_exprs, &node->ss.ps); });
    }

    void next(TupleTableSlot *slot) override {
        pg_call([&] { ExecClearTuple(slot); });
        if (replays_ && kept_->next(slot)) {
            pg_call([&] { ExecStoreVirtualTuple(slot); });
            return;
        }
        replays_ = false;
        if (!read(slot))
            return;
        pg_call([&] { ExecStoreVirtualTuple(slot); });
        if (kept_ != nullptr)
            kept_->add(slot);
    }

    void restart(bool has_new_parameters) override {
        if (!is_begun_)
            return;
        if (kept_ != nullptr && !(has_new_parameters && has_other_text())) {
            kept_->rewind();
            replays_ = true;
            return;
        }
        end();
        is_begun_ = is_over_ = replays_ = false;
        page_.clear(0);
        row_ = 0;
        // What was read once may be asked for a third time.
        kept_ = std::make_unique<KeptRows>(descriptor_, context_);
    }

    void end() override {
        statement_.reset();
        if (kept_ != nullptr)
            kept_->close();
        kept_.reset();
    }

    SourceAccess *source() override { return this; }

  private:
    const Destination &table() const override { return destination_; }
    const SourcePlan &plan() const override { return plan_; }
    const Words &words() const override { return authenticator_->words(); }

    void run(const SqlText &sql, std::size_t columns, const TakeRow &take) override {
        RecordedStatement statement(*destination_.source.statement, *authenticator_, line_, sql, settings(),
                                    destination_.server, destination_.relation, user_);
        statement.run().report_to(*statistics_);
        ResultPage page;
        std::uint64_t read = 0;
        const auto next_page = [&] {
            bool is_there = false;
            in_words(sql, [&] {
                is_there = statement.next_page(page);
                if (is_there)
                    check_columns(statement, columns);
            });
            return is_there;
        };
        while (next_page())
            for (std::size_t row = 0; row < page.rows(); row++) {
                take(page, row);
                if (++read % rows_between_looks == 0)
                    in_words(sql, [&] { statement.run().go_on(); });
            }
    }

    static void check_columns(RecordedStatement &statement, std::size_t expected) {
        if (statement.run().columns().size() != expected)
            throw DestinationError(Fault::unintelligible,
                                   "the result has " + std::to_string(statement.run().columns().size()) +
                                       " columns, and was asked for " + std::to_string(expected));
    }

    /// A row of the result into the slot's arrays; false behind the last.
    bool read(TupleTableSlot *slot) {
        if (!is_begun_)
            begin();
        while (row_ == page_.rows()) {
            row_ = 0;
            page_.clear(0);
            if (is_over_ || !next_page()) {
                is_over_ = true;
                return false;
            }
        }
        if (++read_ % rows_between_looks == 0)
            in_words(*text_, [&] { statement_->run().go_on(); });
        std::fill_n(slot->tts_isnull, descriptor_->natts, true);
        cells_->read(page_, row_++, slot);
        statistics_->read();
        return true;
    }

    bool next_page() {
        bool is_there = false;
        in_words(*text_, [&] {
            is_there = statement_->next_page(page_);
            if (is_there)
                check_columns(*statement_, std::max<std::size_t>(plan_.retrieved.size(), 1));
        });
        return is_there;
    }

    void begin() {
        is_begun_ = true;
        text_ = text();
        if (!text_) {
            is_over_ = true; // WHERE cannot hold of any row
            return;
        }
        statement_ = std::make_unique<RecordedStatement>(
            *destination_.source.statement, *authenticator_, line_, *text_, settings(),
            preview_ == nullptr ? destination_.server : InvalidOid, destination_.relation, user_);
        statement_->run().report_to(*statistics_);
    }

    StatementSettings settings() const {
        // The session ends it, too; where nobody can tell the source, it ends it by itself.
        std::chrono::seconds longest = destination_.source.longest;
        if (StatementTimeout > 0)
            longest = std::min(longest, std::chrono::ceil<std::chrono::seconds>(Milliseconds(StatementTimeout)));
        return {destination_.source.schema, StatementTag::of(destination_.name), longest};
    }

    template <class How>
    void in_words(const SqlText &sql, How &&how) {
        try {
            how();
        } catch (const DestinationError &error) {
            throw source_error(error, "could not read \"" + destination_.name + "\"", sql.text);
        }
    }

    /// What is sent now; nothing where no row can be what WHERE asks for.
    std::optional<SqlText> text() {
        bool is_whole = true;
        const std::optional<SourceQuery> query = this->query(is_whole);
        return query ? std::optional(select_text(destination_.source.statement->spec.dialect, *query)) : std::nullopt;
    }

    std::optional<SourceQuery> query(bool &is_whole) override {
        SourceQuery query = source_query(destination_, plan_);
        for (const ShippedCondition &one : plan_.conditions) {
            ConditionValues values = this->values(one);
            if (!values)
                return std::nullopt;
            if (auto condition = source_condition(destination_, one, std::move(*values)))
                query.conditions.push_back(std::move(*condition));
            else
                is_whole = false;
        }
        if (!is_whole)
            query.limit = -1;
        return query;
    }

    bool has_other_text() {
        const std::optional<SqlText> now = text();
        const auto same = [](const StatementParameter &one, const StatementParameter &other) {
            return one.type == other.type && one.value == other.value;
        };
        return now.has_value() != text_.has_value() ||
               (now &&
                (now->text != text_->text || !std::equal(now->parameters.begin(), now->parameters.end(),
                                                         text_->parameters.begin(), text_->parameters.end(), same)));
    }

    ConditionValues values(const ShippedCondition &condition) {
        std::vector<std::string> values;
        if (condition.value < 0)
            return values;
        auto *state = static_cast<ExprState *>(list_nth(expressions_, condition.value));
        Oid type = exprType(reinterpret_cast<Node *>(state->expr));
        bool is_null = false;
        Datum *elements = nullptr;
        bool *nulls = nullptr;
        int count = 0;
        const Datum value = pg_call([&] {
            Datum found = ExecEvalExpr(state, node_->ss.ps.ps_ExprContext, &is_null);
            if (is_null || !condition.is_array)
                return found;
            ArrayType *array = DatumGetArrayTypeP(found);
            int16 length;
            bool by_value;
            char alignment;
            type = ARR_ELEMTYPE(array);
            get_typlenbyvalalign(type, &length, &by_value, &alignment);
            deconstruct_array(array, type, length, by_value, alignment, &elements, &nulls, &count);
            return found;
        });
        if (is_null)
            return std::nullopt;
        const auto add = [&](Datum one) {
            // What the source has no value for is not one of a parameter, either, and left to be evaluated here.
            values.push_back(source_value(type, one).value_or(""));
        };
        if (!condition.is_array)
            add(value);
        for (int i = 0; i < count; i++)
            if (!nulls[i])
                add(elements[i]);
        return values.empty() ? std::nullopt : ConditionValues(std::move(values));
    }

    const Destination &destination_;
    const SourcePlan plan_;
    const Oid user_;
    ForeignScanState *node_;
    MemoryContext context_;
    TupleDesc descriptor_;
    const std::unique_ptr<PreviewedDestination> preview_; ///< if what would be sent is only to be shown
    Policy policy_;
    const AccountLine line_;
    std::shared_ptr<Authenticator> authenticator_;
    List *expressions_ = NIL;
    std::unique_ptr<Statistics> statistics_;
    std::unique_ptr<CellReader> cells_;
    std::unique_ptr<KeptRows> kept_;
    std::optional<SqlText> text_;
    std::unique_ptr<RecordedStatement> statement_;
    ResultPage page_;
    std::size_t row_ = 0;
    std::uint64_t read_ = 0;
    bool is_begun_ = false, is_over_ = false, replays_ = false;
};

} // namespace

std::unique_ptr<TableScan> make_source_scan(const Destination &destination, SourcePlan plan, Oid user,
                                            ForeignScanState *node, bool keeps) {
    return std::make_unique<SourceScan>(destination, std::move(plan), user, node, keeps);
}

} // namespace reverse_etl
