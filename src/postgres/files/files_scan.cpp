#include "postgres/files/files_scan.h"

#include "engine/files/folder_files.h"
#include "engine/files/remote_files.h"
#include "postgres/border/border.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/preview.h"
#include "postgres/shared/statistics.h"
#include "postgres/sources/cell_reader.h"
#include "postgres/sources/source_line.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "access/sysattr.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// The conditions on what files' names say, evaluated by Postgres itself.
class NameConditions {
  public:
    NameConditions(const Destination &destination, ForeignScanState *node, List *conditions)
        : destination_(destination), concerns_(destination.files.pattern->names().size()) {
        if (conditions == NIL)
            return;
        for (const DestinationColumn &column : destination.columns) {
            const int position = value_of_name(destination, column);
            if (position < 0)
                continue;
            Value one{&column, static_cast<std::size_t>(position), {}, InvalidOid};
            pg_call([&] {
                Oid input;
                getTypeInputInfo(column.type, &input, &one.io_parameter);
                fmgr_info_cxt(input, &one.input, node->ss.ps.state->es_query_cxt);
            });
            values_.push_back(one);
        }
        ListCell *cell;
        foreach (cell, conditions) {
            auto *condition = static_cast<Expr *>(lfirst(cell));
            Bitmapset *used = nullptr;
            Condition one;
            one.state = pg_call([&] {
                pull_varattnos(reinterpret_cast<Node *>(condition),
                               reinterpret_cast<Scan *>(node->ss.ps.plan)->scanrelid, &used);
                return ExecInitQual(list_make1(condition), &node->ss.ps);
            });
            for (const Value &value : values_) {
                if (!bms_is_member(value.column->attnum - FirstLowInvalidHeapAttributeNumber, used))
                    continue;
                one.values.push_back(value.position);
                concerns_[value.position] = true;
            }
            conditions_.push_back(std::move(one));
        }
        pg_call([&] {
            context_ = CreateExprContext(node->ss.ps.state);
            slot_ = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(node->ss.ss_currentRelation)),
                                             &TTSOpsVirtual);
        });
    }

    /// What the engine asks. It must not outlive this.
    PathFilter filter() {
        if (conditions_.empty())
            return {};
        return {concerns_,
                [this](const PathValues &values, const std::vector<bool> &known) { return holds(values, known); }};
    }

  private:
    struct Condition {
        ExprState *state = nullptr;
        std::vector<std::size_t> values;
    };

    bool holds(const PathValues &values, const std::vector<bool> &known) {
        fill(values, known);
        const bool may_hold = pg_call([&] {
            context_->ecxt_scantuple = slot_;
            for (const Condition &condition : conditions_) {
                bool is_known = true;
                for (const std::size_t value : condition.values)
                    is_known = is_known && known[value];
                if (is_known && !ExecQual(condition.state, context_))
                    return false;
            }
            return true;
        });
        ResetExprContext(context_);
        return may_hold;
    }

    /// Puts what is known into the slot, in the memory that is reset behind the question.
    void fill(const PathValues &values, const std::vector<bool> &known) {
        pg_call([&] { ExecClearTuple(slot_); });
        std::fill_n(slot_->tts_isnull, slot_->tts_tupleDescriptor->natts, true);
        for (Value &one : values_) {
            if (!known[one.position] || !values[one.position])
                continue;
            const std::string &text = *values[one.position];
            const int attribute = one.column->attnum - 1;
            try {
                pg_call([&] {
                    MemoryContext caller = MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
                    slot_->tts_values[attribute] =
                        input_value(&one.input, to_server(text), one.io_parameter, one.column->typmod);
                    slot_->tts_isnull[attribute] = false;
                    MemoryContextSwitchTo(caller);
                });
            } catch (const PostgresError &error) {
                throw Error(ERRCODE_FDW_INVALID_DATA_TYPE,
                            "\"" + text + "\", which stands in the name of a file of \"" + destination_.name +
                                "\", is no value of column \"" + one.column->name + "\"",
                            error.what(),
                            "Give the column the type text, or take other files by the option \"files\".");
            }
        }
        pg_call([&] { ExecStoreVirtualTuple(slot_); });
    }

    /// A column whose value stands in names.
    struct Value {
        const DestinationColumn *column;
        std::size_t position; ///< among the pattern's names
        FmgrInfo input;
        Oid io_parameter;
    };

    const Destination &destination_;
    std::vector<Value> values_;
    std::vector<bool> concerns_;
    std::vector<Condition> conditions_;
    ExprContext *context_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
};

class FilesScan : public TableScan {
  public:
    FilesScan(const Destination &destination, FilesPlan plan, Oid user, ForeignScanState *node)
        : destination_(destination), plan_(std::move(plan)),
          conditions_(destination, node, reinterpret_cast<ForeignScan *>(node->ss.ps.plan)->fdw_exprs),
          filter_(conditions_.filter()), spec_(files_spec(destination, plan_.retrieved)),
          natts_(RelationGetDescr(node->ss.ss_currentRelation)->natts),
          preview_(PreviewedDestination::of(destination.name, OperationKind::list)), policy_(destination.policy),
          statistics_(std::make_unique<Statistics>(destination.relation)) {
        if (preview_ == nullptr)
            identity::refuse_copy();
        policy_.rehearsal = preview_.get();
        policy_.account = destination.account(user);
        const std::shared_ptr<Authenticator> authenticator = destination.authenticator(user);
        cells_ = std::make_unique<CellReader>(destination_.name, cells_of(destination_, plan_.retrieved),
                                              authenticator->words(), node->ss.ps.state->es_query_cxt);
        files_ = std::make_unique<OpenFiles>(destination.files.how, destination.files.folder, authenticator, policy_,
                                             statistics_.get());
    }

    void next(TupleTableSlot *slot) override {
        pg_call([&] { ExecClearTuple(slot); });
        if (rows_ == nullptr && !is_over_)
            rows_ = std::make_unique<FileRows>(files_->store(), spec_, filter_, serve_interrupts);
        while (row_ == page_.lines.size()) {
            row_ = 0;
            page_.lines.clear();
            if (is_over_ || !next_page()) {
                is_over_ = true;
                rows_.reset();
                return;
            }
        }
        std::fill_n(slot->tts_isnull, natts_, true);
        read(slot);
        row_++;
        statistics_->read();
        pg_call([&] { ExecStoreVirtualTuple(slot); });
    }

    void restart(bool) override {
        rows_.reset();
        page_.lines.clear();
        row_ = 0;
        is_over_ = false;
    }

    void end() override { rows_.reset(); }

  private:
    bool next_page() {
        try {
            return rows_->next_page(page_);
        } catch (const DestinationError &error) {
            throw Error(sqlstate_of(error.fault), "could not read \"" + destination_.name + "\": " + error.what(),
                        error.detail, error.hint);
        }
    }

    void read(TupleTableSlot *slot) {
        try {
            cells_->read(page_.cells, row_, slot);
        } catch (const Error &error) {
            throw Error(error.sqlstate, error.what(), error.detail, error.hint,
                        page_.file + ", line " + std::to_string(page_.lines[row_]));
        }
    }

    const Destination &destination_;
    const FilesPlan plan_;
    NameConditions conditions_;
    const PathFilter filter_;
    const FileRowsSpec spec_;
    const int natts_;
    const std::unique_ptr<PreviewedDestination> preview_; ///< if what would be sent is only to be shown
    Policy policy_;
    std::unique_ptr<Statistics> statistics_;
    std::unique_ptr<CellReader> cells_;
    std::unique_ptr<OpenFiles> files_;
    std::unique_ptr<FileRows> rows_;
    FilePage page_;
    std::size_t row_ = 0;
    bool is_over_ = false;
};

} // namespace

OpenFiles::OpenFiles(std::shared_ptr<const ConnectorFiles> how, const std::string &folder,
                     std::shared_ptr<Authenticator> authenticator, const Policy &policy, RequestObserver *observer)
    : how_(std::move(how)), authenticator_(std::move(authenticator)), line_(source_line(policy)) {
    if (how_->spec.is_folder)
        store_ = std::make_unique<FolderFiles>(folder);
    else
        store_ = std::make_unique<RemoteFiles>(*how_, *authenticator_, line_, observer);
}

void serve_interrupts() {
    pg_call([] { CHECK_FOR_INTERRUPTS(); });
}

std::unique_ptr<TableScan> make_files_scan(const Destination &destination, FilesPlan plan, Oid user,
                                           ForeignScanState *node) {
    return std::make_unique<FilesScan>(destination, std::move(plan), user, node);
}

} // namespace reverse_etl
