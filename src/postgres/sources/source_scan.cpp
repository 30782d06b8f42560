#include "postgres/sources/source_scan.h"

#include "postgres/border/border.h"
#include "postgres/sources/source_access.h"
#include "postgres/sources/source_condition.h"
#include "postgres/sources/source_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

extern "C" {
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

class SourceScan : public TableScan, private SourceAccess {
  public:
    SourceScan(const Destination &destination, SourcePlan plan, Oid user, ForeignScanState *node, bool keeps)
        : destination_(destination), plan_(std::move(plan)), user_(user), node_(node),
          context_(node->ss.ps.state->es_query_cxt), descriptor_(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor),
          keeps_(keeps) {
        auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
        pg_call([&] { expressions_ = ExecInitExprList(scan->fdw_exprs, &node->ss.ps); });
        scans().push_back(this);
    }

    ~SourceScan() override { scans().erase(std::remove(scans().begin(), scans().end(), this), scans().end()); }

    void next(TupleTableSlot *slot) override {
        pg_call([&] { ExecClearTuple(slot); });
        if (!is_begun_)
            begin();
        if (rows_ != nullptr)
            rows_->next(reader_, slot);
        else if (is_one_row() && !std::exchange(has_given_one_, true))
            give_none(slot);
    }

    void restart(bool has_new_parameters) override {
        if (!is_begun_)
            return;
        const bool may_be_kept = rows_ == nullptr || rows_->are_kept();
        if (may_be_kept && !(has_new_parameters && has_other_text())) {
            reader_.rewind();
            has_given_one_ = false;
            return;
        }
        end();
        is_begun_ = has_given_one_ = false;
        keeps_ = true; // what was read once may be asked for a third time
    }

    void end() override {
        // Whoever reads them last closes them.
        if (rows_ != nullptr && rows_.use_count() == 1)
            rows_->close();
        rows_.reset();
        reader_ = {};
    }

    SourceAccess *source() override { return this; }

  private:
    const Destination &table() const override { return destination_; }
    const SourcePlan &plan() const override { return plan_; }
    const Words &words() override { return caller().words(); }

    void run(const SqlText &sql, std::size_t columns, const TakeRow &take) override {
        SourceResult result(caller(), sql, columns);
        while (result.next())
            take(result.page(), result.row());
    }

    SourceCaller &caller() {
        if (caller_ == nullptr)
            caller_ = std::make_unique<SourceCaller>(destination_, user_);
        return *caller_;
    }

    /// All that this process has begun: they are of the executor's memory, and so leave before it goes.
    static std::vector<SourceScan *> &scans() {
        static std::vector<SourceScan *> all;
        return all;
    }

    /// Whether the other one reads the same table for the same statement by an equal plan: with one snapshot, and so
    /// once, where its parameters are the same.
    bool is_like(const SourceScan &other) const {
        const auto *own = reinterpret_cast<ForeignScan *>(node_->ss.ps.plan);
        const auto *of_other = reinterpret_cast<ForeignScan *>(other.node_->ss.ps.plan);
        return &other != this && other.node_->ss.ps.state == node_->ss.ps.state && other.user_ == user_ && pg_call([&] {
            return equal(own->fdw_private, of_other->fdw_private) && equal(own->fdw_exprs, of_other->fdw_exprs);
        });
    }

    void begin() {
        is_begun_ = true;
        std::optional<SqlText> sql = text();
        if (!sql)
            return; // WHERE cannot hold of any row
        bool is_shared = false;
        for (const SourceScan *other : scans()) {
            if (!is_like(*other))
                continue;
            is_shared = true;
            if (other->rows_ != nullptr && other->rows_->are_kept() && other->rows_->sql() == *sql) {
                rows_ = other->rows_;
                return;
            }
        }
        rows_ = std::make_shared<SourceRows>(destination_, plan_, user_, std::move(*sql), descriptor_, context_,
                                             keeps_ || is_shared);
    }

    /// What is sent now; nothing where no row can be what WHERE asks for, or no row is wanted.
    std::optional<SqlText> text() {
        bool is_whole = true;
        const std::optional<SourceQuery> query = this->query(is_whole);
        if (!query || plan_.limit == 0)
            return std::nullopt;
        return select_text(destination_.source.statement->spec.dialect, *query);
    }

    std::optional<SourceQuery> query(bool &is_whole) override {
        SourceQuery query = source_query(destination_, plan_);
        const GivenDatums given = [this](int position) { return this->given(position); };
        return add_conditions(destination_, plan_, given, query, is_whole) ? std::optional(std::move(query))
                                                                           : std::nullopt;
    }

    bool is_one_row() const { return plan_.is_grouped && plan_.groups.empty(); }

    /// Of no rows there is a count all the same.
    void give_none(TupleTableSlot *slot) const {
        for (std::size_t i = 0; i < plan_.outputs.size(); i++) {
            const SqlFunction function = plan_.outputs[i].function;
            slot->tts_isnull[i] = function != SqlFunction::count_rows && function != SqlFunction::count;
            slot->tts_values[i] = Int64GetDatum(0);
        }
        pg_call([&] { ExecStoreVirtualTuple(slot); });
    }

    bool has_other_text() {
        const std::optional<SqlText> now = text();
        return now.has_value() != (rows_ != nullptr) || (now && *now != rows_->sql());
    }

    GivenDatum given(int position) {
        auto *state = static_cast<ExprState *>(list_nth(expressions_, position));
        GivenDatum found;
        pg_call([&] {
            found.type = exprType(reinterpret_cast<Node *>(state->expr));
            found.value = ExecEvalExpr(state, node_->ss.ps.ps_ExprContext, &found.is_null);
        });
        return found;
    }

    const Destination &destination_;
    const SourcePlan plan_;
    const Oid user_;
    ForeignScanState *node_;
    MemoryContext context_;
    TupleDesc descriptor_;
    bool keeps_, is_begun_ = false, has_given_one_ = false;
    List *expressions_ = NIL;
    std::unique_ptr<SourceCaller> caller_; ///< of what is asked for besides rows
    std::shared_ptr<SourceRows> rows_;     ///< nullptr: none can be what is asked for
    SourceRows::Reader reader_;
};

} // namespace

std::unique_ptr<TableScan> make_source_scan(const Destination &destination, SourcePlan plan, Oid user,
                                            ForeignScanState *node, bool keeps) {
    return std::make_unique<SourceScan>(destination, std::move(plan), user, node, keeps);
}

} // namespace reverse_etl
