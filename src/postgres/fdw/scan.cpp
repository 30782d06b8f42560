#include "postgres/fdw/fdw.h"

#include "engine/requests/fetch.h"
#include "engine/text/value_refused.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/injection_point.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/preview.h"
#include "postgres/destinations/row_encoder.h"
#include "postgres/destinations/session.h"
#include "postgres/fdw/pushed_filter.h"
#include "postgres/fdw/scan_plan.h"
#include "postgres/files/files_scan.h"
#include "postgres/shared/statistics.h"
#include "postgres/sources/source_scan.h"
#include "postgres/values/decoder.h"

#include <algorithm>
#include <set>
#include <unordered_map>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// A scan of a foreign table by its API's requests. What was read and not yet returned is held in a memory
/// context of its own, a page or the rows of a look-up at a time.
class Scan : public TableScan, private RecordSink {
  public:
    Scan(const Destination &destination, ScanPlan plan, Oid user, ForeignScanState *node)
        : destination_(destination), plan_(std::move(plan)), node_(node),
          descriptor_(RelationGetDescr(node->ss.ss_currentRelation)) {
        pg_call([&] {
            MemoryContext query = node->ss.ps.state->es_query_cxt;
            page_context_ = AllocSetContextCreate(query, "reverse_etl page", ALLOCSET_DEFAULT_SIZES);
            scratch_ = AllocSetContextCreate(query, "reverse_etl key", ALLOCSET_SMALL_SIZES);
            auto *scan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
            value_types_ = static_cast<Oid *>(palloc(sizeof(Oid) * (list_length(scan->fdw_exprs) + 1)));
            for (int i = 0; i < list_length(scan->fdw_exprs); i++)
                value_types_[i] = exprType(static_cast<Node *>(list_nth(scan->fdw_exprs, i)));
            value_expressions_ = ExecInitExprList(scan->fdw_exprs, &node->ss.ps);
        });
        values_.resize(descriptor_->natts);
        nulls_ = std::make_unique<bool[]>(descriptor_->natts);
        if (plan_.kind == ScanPlan::Kind::none)
            return;

        preview_ = PreviewedDestination::of(destination.name, operation_kind());
        if (preview_ == nullptr)
            identity::refuse_copy();
        policy_ = destination.policy;
        policy_.rehearsal = preview_.get();
        policy_.account = destination.account(user);
        authenticator_ = destination.authenticator(user);
        compile();
        dispatcher_ = std::make_unique<Dispatcher>(*operation_, session::transport(), session::waiter(),
                                                   session::rate_limiter(), *authenticator_, policy_);
        statistics_ = std::make_unique<Statistics>(destination.relation);
        dispatcher_->report_to(*statistics_);
        for (AttrNumber attnum : plan_.retrieved)
            decoders_.emplace_back(attnum, decoder_of(*destination_.column(attnum), node->ss.ps.state->es_query_cxt));
    }

    void next(TupleTableSlot *slot) override {
        HeapTuple tuple = next_tuple();
        pg_call([&] {
            if (tuple == nullptr)
                ExecClearTuple(slot);
            else
                ExecStoreHeapTuple(tuple, slot, false);
        });
    }

    void restart(bool) override {
        fetch_.reset();
        done_ = false;
        tuples_.clear();
        returned_ = 0;
    }

  private:
    /// The next row, or nullptr.
    HeapTuple next_tuple() {
        while (returned_ == tuples_.size()) {
            if (done_)
                return nullptr;
            tuples_.clear();
            returned_ = 0;
            MemoryContextReset(page_context_);
            read_more();
        }
        return tuples_[returned_++];
    }

    ValueDecoder decoder_of(const DestinationColumn &column, MemoryContext context) const {
        return {{column.name, column.type, column.typmod, column.encoding}, authenticator_->words(), context};
    }

    OperationKind operation_kind() const {
        return plan_.kind == ScanPlan::Kind::lookup ? OperationKind::lookup : OperationKind::list;
    }

    void compile() {
        std::vector<std::string> fields;
        for (AttrNumber attnum : plan_.retrieved)
            fields.push_back(destination_.column(attnum)->field);
        // An API wants to be asked for something, even where a query only counts rows.
        if (fields.empty() && !destination_.columns.empty())
            fields.push_back(destination_.object.id.empty() ? destination_.columns.front().field
                                                            : destination_.object.id);
        std::vector<StatementColumn> columns;
        std::vector<const DestinationColumn *> keys;
        for (AttrNumber attnum : plan_.address) {
            const DestinationColumn *column = destination_.column(attnum);
            columns.push_back({column->field, false, column->compare});
            keys.push_back(column);
        }
        int key = columns.size() == 1 ? 0 : -1;
        const OperationSpec &spec = plan_.kind == ScanPlan::Kind::lookup ? destination_.lookup_by(plan_.address)
                                                                         : destination_.operation(OperationKind::list);
        operation_ = std::make_unique<CompiledOperation>(destination_.object, spec, std::move(columns), key, fields);
        key_values_ = std::make_unique<ColumnEncoders>(destination_, keys);
        encoder_ = std::make_unique<RowEncoder>(*operation_, *key_values_, NullAs::null);
    }

    void read_more() {
        switch (plan_.kind) {
        case ScanPlan::Kind::none:
            done_ = true;
            name_rows();
            break;
        case ScanPlan::Kind::lookup: {
            done_ = true;
            look_up();
            break;
        }
        case ScanPlan::Kind::list:
            if (fetch_ != nullptr || start_list())
                read([&](Fetch &fetch) { done_ = !fetch.next_page(); });
            else
                done_ = true;
            break;
        }
    }

    void look_up() {
        try {
            std::vector<Batch> batches = key_batches();
            if (!batches.empty())
                read([&](Fetch &fetch) { fetch.lookup(std::move(batches)); });
        } catch (const ValueRefused &refusal) {
            // That there is no such row is not known. Whoever asks may see the key, the server log may not.
            const bool has_list = destination_.object.operation(OperationKind::list) != nullptr;
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "destination \"" + destination_.name + "\" cannot look up a row",
                        refusal.what(),
                        has_list ? "To list all rows, put a subquery with OFFSET 0 around the table." : "", "",
                        "The row's key cannot be asked for.");
        }
    }

    /// Whether there may be rows: a comparison with NULL is true of none.
    bool start_list() {
        auto filter = list_filter(destination_, plan_, value_expressions_, node_->ss.ps.ps_ExprContext, scratch_);
        if (!filter)
            return false;
        fetch_ =
            std::make_unique<Fetch>(*operation_, *dispatcher_, static_cast<RecordSink &>(*this), std::move(*filter));
        return true;
    }

    template <class How>
    void read(How &&how) {
        if (fetch_ == nullptr)
            fetch_ = std::make_unique<Fetch>(*operation_, *dispatcher_, static_cast<RecordSink &>(*this));
        try {
            how(*fetch_);
        } catch (const DestinationError &error) {
            throw Error(sqlstate_of(error.fault), "could not read \"" + destination_.name + "\": " + error.what(), "",
                        error.hint, error.detail);
        }
    }

    struct Keys {
        Datum *values;
        bool *nulls;
        int count;
    };

    /// The values that the query gives for the address columns: one each, or an array of them for the only one.
    Keys keys() {
        return pg_call([&] {
            ExprContext *context = node_->ss.ps.ps_ExprContext;
            MemoryContext caller = MemoryContextSwitchTo(page_context_);
            int count = list_length(value_expressions_);
            Keys keys = {static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1))),
                         static_cast<bool *>(palloc(sizeof(bool) * (count + 1))), count};
            for (int i = 0; i < count; i++)
                keys.values[i] =
                    ExecEvalExpr(static_cast<ExprState *>(list_nth(value_expressions_, i)), context, &keys.nulls[i]);
            if (!plan_.is_array) {
                for (int i = 0; i < count; i++)
                    as_column(keys, i, i, value_types_[i]);
            } else if (keys.nulls[0]) {
                keys.count = 0;
            } else {
                ArrayType *array = DatumGetArrayTypeP(keys.values[0]);
                int16 length;
                bool by_value;
                char alignment;
                get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
                deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &keys.values, &keys.nulls,
                                  &keys.count);
                for (int i = 0; i < keys.count; i++)
                    as_column(keys, i, 0, ARR_ELEMTYPE(array));
            }
            MemoryContextSwitchTo(caller);
            return keys;
        });
    }

    /// Makes a value of the query one of the column's type, where both are integers. One that is too large names no
    /// row.
    void as_column(const Keys &keys, int value, int column, Oid type) const {
        Oid wanted = getBaseType(destination_.column(plan_.address[column])->type);
        if (keys.nulls[value] || type == wanted || (type != INT2OID && type != INT4OID && type != INT8OID))
            return;
        Datum &datum = keys.values[value];
        int64 number = type == INT2OID   ? DatumGetInt16(datum)
                       : type == INT4OID ? DatumGetInt32(datum)
                                         : DatumGetInt64(datum);
        if (wanted == INT8OID)
            datum = Int64GetDatum(number);
        else if (wanted == INT4OID ? number == static_cast<int32>(number) : number == static_cast<int16>(number))
            datum = wanted == INT4OID ? Int32GetDatum(static_cast<int32>(number))
                                      : Int16GetDatum(static_cast<int16>(number));
        else
            keys.nulls[value] = true;
    }

    /// Rows that hold nothing but what WHERE says of them.
    void name_rows() {
        Keys keys = this->keys();
        if (!plan_.is_array) {
            add_named(keys.values, keys.nulls);
            return;
        }
        // ANY ('{a,a}') names one row.
        pg_call([&] { keys.count = distinct(keys); });
        for (int i = 0; i < keys.count; i++)
            add_named(keys.values + i, keys.nulls + i);
    }

    /// Moves the distinct values to the front; their number.
    int distinct(const Keys &keys) {
        const DestinationColumn *column = destination_.column(plan_.address.front());
        int16 length;
        bool by_value;
        get_typlenbyval(column->type, &length, &by_value);
        int count = 0;
        for (int i = 0; i < keys.count; i++) {
            bool known = keys.nulls[i];
            for (int j = 0; j < count && !known; j++)
                known = datum_image_eq(keys.values[i], keys.values[j], by_value, length);
            if (!known) {
                keys.values[count] = keys.values[i];
                keys.nulls[count++] = false;
            }
        }
        return count;
    }

    void add_named(const Datum *values, const bool *nulls) {
        std::fill_n(nulls_.get(), descriptor_->natts, true);
        for (std::size_t i = 0; i < plan_.address.size(); i++) {
            if (nulls[i])
                return;
            values_[plan_.address[i] - 1] = values[i];
            nulls_[plan_.address[i] - 1] = false;
        }
        add_tuple();
    }

    std::vector<Batch> key_batches() {
        Keys keys = this->keys();
        std::vector<Batch> batches;
        spellings_.assign(plan_.address.size(), {});
        int columns = plan_.is_array ? 1 : keys.count, rows = plan_.is_array ? keys.count : 1;
        for (int i = 0; i < rows; i++) {
            if (std::any_of(keys.nulls + i, keys.nulls + i + columns, [](bool is_null) { return is_null; }))
                continue;
            if (batches.empty() || batches.back().rows().size() >= operation_->rows_per_batch())
                batches.emplace_back(operation_->frame());
            Batch &batch = batches.back();
            encoder_->encode(keys.values + i, keys.nulls + i, i + 1, batch, scratch_);
            if (!note_spellings(keys.values + i)) {
                Batch repeated = batch.split_last();
                if (batch.rows().empty())
                    batches.pop_back();
            }
        }
        return batches;
    }

    /// How the query spells the keys that it asks for. Whether the destination would take none of them for one that was
    /// noted before.
    bool note_spellings(const Datum *values) {
        bool is_new = false;
        for (std::size_t i = 0; i < plan_.address.size(); i++) {
            std::string text;
            pg_call([&] {
                MemoryContext caller = MemoryContextSwitchTo(scratch_);
                key_values_->text(static_cast<int>(i), text);
                MemoryContextSwitchTo(caller);
                MemoryContextReset(scratch_);
            });
            Spellings &of_column = spellings_[i];
            of_column.texts.insert(text);
            KeyForm form = destination_.column(plan_.address[i])->compare;
            is_new |= of_column.first.emplace(in_form(form, text), values[i]).second;
        }
        return is_new;
    }

    /// The row is the one that was asked for, so its key reads as the query spells it: else WHERE would not find it.
    void spell_as_asked(simdjson::dom::element record) {
        for (std::size_t i = 0; i < spellings_.size(); i++) {
            const DestinationColumn *column = destination_.column(plan_.address[i]);
            auto value = column->compare.is_exact() ? std::nullopt : at(record, column->read);
            if (!value || nulls_[column->attnum - 1] || spellings_[i].texts.contains(text_of(*value)))
                continue;
            auto asked = spellings_[i].first.find(in_form(column->compare, text_of(*value)));
            if (asked != spellings_[i].first.end())
                values_[column->attnum - 1] = asked->second;
        }
    }

    void record(simdjson::dom::element record) override {
        statistics_->read();
        std::fill_n(nulls_.get(), descriptor_->natts, true);
        MemoryContext caller = MemoryContextSwitchTo(page_context_);
        for (auto &[attnum, decoder] : decoders_)
            if (auto value = at(record, destination_.column(attnum)->read))
                values_[attnum - 1] = decoder.decode(*value, nulls_[attnum - 1]);
        MemoryContextSwitchTo(caller);
        spell_as_asked(record);
        add_tuple();
    }

    void add_tuple() {
        tuples_.push_back(pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(page_context_);
            HeapTuple tuple = heap_form_tuple(descriptor_, values_.data(), nulls_.get());
            MemoryContextSwitchTo(caller);
            return tuple;
        }));
    }

    const Destination &destination_;
    const ScanPlan plan_;
    ForeignScanState *node_;
    TupleDesc descriptor_;
    MemoryContext page_context_, scratch_;
    List *value_expressions_ = NIL;
    Oid *value_types_ = nullptr;
    std::unique_ptr<PreviewedDestination> preview_; ///< if what is read is only to be shown
    Policy policy_;
    std::shared_ptr<Authenticator> authenticator_;
    std::unique_ptr<CompiledOperation> operation_;
    std::unique_ptr<ColumnEncoders> key_values_;
    std::unique_ptr<RowEncoder> encoder_;
    std::unique_ptr<Statistics> statistics_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<Fetch> fetch_;
    std::vector<std::pair<AttrNumber, ValueDecoder>> decoders_;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
    struct Spellings {
        std::unordered_map<std::string, Datum> first; ///< by what they are to the destination
        std::set<std::string> texts;
    };
    std::vector<Spellings> spellings_; ///< of the keys that are looked up, by address column
    std::vector<HeapTuple> tuples_;
    std::size_t returned_ = 0;
    bool done_ = false;
};

} // namespace

void begin_scan(ForeignScanState *node, int flags) {
    guard([&] {
        INJECTION_POINT("begin_scan");
        if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0)
            return;
        MemoryContext query = node->ss.ps.state->es_query_cxt;
        auto *plan = reinterpret_cast<ForeignScan *>(node->ss.ps.plan);
        Oid user = pg_call([&] { return compat::scan_user(node); });
        std::unique_ptr<TableScan> scan;
        if (auto of_source = source_plan_of(plan->fdw_private)) {
            const bool keeps = (flags & EXEC_FLAG_REWIND) != 0;
            const Destination &destination = *open_destination(of_source->relation, query);
            scan = make_source_scan(destination, std::move(*of_source), user, node, keeps);
        } else if (auto of_files = files_plan_of(plan->fdw_private)) {
            const Destination &destination = *open_destination(RelationGetRelid(node->ss.ss_currentRelation), query);
            scan = make_files_scan(destination, std::move(*of_files), user, node);
        } else {
            Destination *destination = open_destination(RelationGetRelid(node->ss.ss_currentRelation), query);
            scan = std::make_unique<Scan>(*destination, scan_plan_of(plan->fdw_private), user, node);
        }
        node->fdw_state = make_in<std::unique_ptr<TableScan>>(query, std::move(scan))->get();
    });
}

TupleTableSlot *iterate_scan(ForeignScanState *node) {
    return guard([&] {
        INJECTION_POINT("iterate_scan");
        TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
        static_cast<TableScan *>(node->fdw_state)->next(slot);
        return slot;
    });
}

void rescan(ForeignScanState *node) {
    guard([&] {
        INJECTION_POINT("rescan");
        static_cast<TableScan *>(node->fdw_state)->restart(node->ss.ps.chgParam != nullptr);
    });
}

void end_scan(ForeignScanState *node) {
    guard([&] {
        INJECTION_POINT("end_scan");
        if (node->fdw_state != nullptr)
            static_cast<TableScan *>(node->fdw_state)->end();
    });
}

} // namespace reverse_etl
