#include "postgres/syncs/source_model.h"

#include "engine/text/hash_stream.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/sources/cell_reader.h"
#include "postgres/sources/table_scan.h"

#include <algorithm>
#include <charconv>
#include <cstring>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// The column that an output of the scan is; nullptr for what is computed here.
const Var *column_of(Expr *expression) {
    while (IsA(expression, RelabelType))
        expression = reinterpret_cast<RelabelType *>(expression)->arg;
    const auto *column = reinterpret_cast<const Var *>(expression);
    return IsA(expression, Var) && column->varattno > 0 ? column : nullptr;
}

/// The type as a source would name it: what is a text here is one there.
std::string name_of_type(Oid type) {
    const Oid base = pg_call([&] { return getBaseType(type); });
    return source_type_name(base == VARCHAROID ? TEXTOID : base);
}

/// Types whose values have one text, the same here and at every source.
bool has_one_text(const std::string &type) {
    return type == "text" || type == "smallint" || type == "integer" || type == "bigint" || type == "numeric" ||
           type == "uuid";
}

/// The first part of a condition that leaves something to be evaluated here; nullptr where the source looks at bytes
/// and all values can be told to it.
const ShippedCondition *left_here(const Destination &table, const ShippedCondition &condition) {
    for (const ShippedCondition &part : condition.parts)
        if (const ShippedCondition *left = left_here(table, part))
            return left;
    if (condition.is_exact || condition.is_apart || condition.join != SqlCondition::Join::none)
        return nullptr;
    const bool is_text = type_at_source(table, condition.column) == "text";
    return is_text && condition.comparison == SqlComparison::equal ? nullptr : &condition;
}

Datum number_of(const ResultPage &page, std::size_t row, std::size_t column, bool &is_null) {
    const char *text = page.cell(row, column);
    std::int64_t number = 0;
    is_null = text == nullptr;
    if (text == nullptr)
        return 0;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
    // A decimal may have a fraction of zeros.
    if (error != std::errc() || std::strspn(end, ".0") != std::strlen(end))
        throw Error(ERRCODE_FDW_INVALID_DATA_TYPE, "the source gives no number where it was asked for one", text);
    return Int64GetDatum(number);
}

struct NewColumn {
    std::string name;
    Oid type;
    int32 typmod = -1;
    Oid collation = InvalidOid;
};

ResultRows rows_of(const std::vector<NewColumn> &columns) {
    TupleDesc descriptor = pg_call([&] { return CreateTemplateTupleDesc(static_cast<int>(columns.size())); });
    for (std::size_t i = 0; i < columns.size(); i++) {
        const ServerText name = to_server(columns[i].name);
        pg_call([&] {
            const auto number = static_cast<AttrNumber>(i + 1);
            TupleDescInitEntry(descriptor, number, name.c_str(), columns[i].type, columns[i].typmod, 0);
            if (OidIsValid(columns[i].collation))
                TupleDescInitEntryCollation(descriptor, number, columns[i].collation);
        });
    }
    return ResultRows::made_of(descriptor);
}

/// Memory of one row at a time.
class RowMemory {
  public:
    RowMemory()
        : context_(pg_call([] {
              return AllocSetContextCreate(CurrentMemoryContext, "reverse_etl row of a source", ALLOCSET_SMALL_SIZES);
          })) {}
    template <class Body>
    void with_row(Body &&body) {
        MemoryContext caller = MemoryContextSwitchTo(context_);
        body();
        MemoryContextSwitchTo(caller);
        MemoryContextReset(context_);
    }

  private:
    MemoryContext context_; ///< goes with the one that it was made in
};

} // namespace

Error not_at_source(const std::string &obstacle) {
    return {
        ERRCODE_FEATURE_NOT_SUPPORTED, "the difference cannot be found at the source of the query", obstacle,
        "Select columns of one table of the source as they are, with conditions that it evaluates; a table with the "
        "option \"query\" has all of its SQL. Or use change_detection => 'difference', which compares here."};
}

SourceModel::SourceModel(const std::string &query, const std::vector<std::string> &key,
                         const std::vector<std::string> &columns) {
    const ExactPlans exactly;
    const PlannedStmt *planned = pg_call([&] {
        SPIPlanPtr prepared = sql::prepare(query);
        plan_ = SPI_plan_get_cached_plan(prepared);
        return plan_ == nullptr || list_length(plan_->stmt_list) != 1 ? nullptr
                                                                      : linitial_node(PlannedStmt, plan_->stmt_list);
    });
    if (planned == nullptr || planned->planTree == nullptr || !IsA(planned->planTree, ForeignScan)) {
        obstacle_ = "The query does more than to read columns of one table of a source.";
        return;
    }
    const auto &scan = *reinterpret_cast<const ForeignScan *>(planned->planTree);
    if (obstacle_ = obstacle_of_plan(scan); !obstacle_.empty())
        return;
    pg_call([&] {
        query_ = CreateQueryDesc(const_cast<PlannedStmt *>(planned), "", GetActiveSnapshot(), InvalidSnapshot,
                                 None_Receiver, nullptr, nullptr, 0);
        ExecutorStart(query_, 0);
    });
    auto *node = reinterpret_cast<ForeignScanState *>(query_->planstate);
    source_ = static_cast<TableScan *>(node->fdw_state)->source();
    obstacle_ = find_obstacle(key, columns);
    if (!obstacle_.empty())
        return;
    bool is_whole = true;
    const std::optional<SourceQuery> rows = source_->query(is_whole);
    if (!is_whole)
        obstacle_ = "The source cannot be told a value of WHERE.";
    if (!is_whole || !rows)
        return;
    HashStream head;
    head.start();
    for (const Column &one : columns_) {
        const std::string said = one.name + '\0' + type_name(one.column->type) + '\0';
        head.add(said.data(), said.size());
    }
    hashed_ = std::make_unique<HashedRows>(source_->table().source.statement->spec.dialect, *rows, hashed(key_),
                                           hashed(columns_), head.finish());
}

void SourceModel::close() {
    pg_call([&] {
        if (query_ != nullptr) {
            ExecutorFinish(query_);
            ExecutorEnd(query_);
            FreeQueryDesc(query_);
        }
        if (plan_ != nullptr)
            ReleaseCachedPlan(plan_, nullptr);
    });
    query_ = nullptr;
    plan_ = nullptr;
    source_ = nullptr;
}

std::string SourceModel::obstacle_of_plan(const ForeignScan &scan) const {
    const bool is_ours = scan.scan.scanrelid > 0 && pg_call([&] {
                             RangeTblEntry *entry =
                                 rt_fetch(scan.scan.scanrelid, linitial_node(PlannedStmt, plan_->stmt_list)->rtable);
                             return is_destination(entry->relid);
                         });
    const std::optional<SourcePlan> plan = is_ours ? source_plan_of(scan.fdw_private) : std::nullopt;
    if (!plan)
        return "The query reads no table of a source that runs SQL.";
    if (plan->limit >= 0)
        return "The query has a LIMIT.";
    return "";
}

std::string SourceModel::find_obstacle(const std::vector<std::string> &key, const std::vector<std::string> &columns) {
    const auto &scan = *reinterpret_cast<const ForeignScan *>(query_->plannedstmt->planTree);
    const Destination &table = source_->table();
    if (!table.source.statement->spec.dialect.hash)
        return "Connector \"" + table.object.connector + "\" does not say how rows are told apart at the source.";
    std::string obstacle = obstacle_of_conditions(scan);
    if (obstacle.empty())
        obstacle = find_columns(scan, columns, columns_);
    if (obstacle.empty())
        obstacle = find_columns(scan, key, key_);
    return obstacle.empty() ? obstacle_of_key() : obstacle;
}

std::string SourceModel::obstacle_of_conditions(const ForeignScan &scan) const {
    int evaluated_again = 0;
    for (const ShippedCondition &one : source_->plan().conditions) {
        evaluated_again += one.is_exact ? 0 : 1;
        if (const ShippedCondition *left = left_here(source_->table(), one))
            return "A condition on column \"" + source_->table().column(left->column)->name + "\" of type " +
                   type_at_source(source_->table(), left->column) +
                   " is evaluated here once more: it may hold of more rows at the source.";
    }
    if (list_length(scan.scan.plan.qual) != evaluated_again)
        return "A condition of WHERE is evaluated here; EXPLAIN (VERBOSE) shows it as Filter.";
    return "";
}

std::string SourceModel::find_columns(const ForeignScan &scan, const std::vector<std::string> &names,
                                      std::vector<Column> &columns) const {
    const Destination &table = source_->table();
    const std::map<std::string, std::string> &texts = table.source.statement->spec.dialect.hash->texts;
    for (const std::string &name : names) {
        Column found{name, nullptr};
        ListCell *cell;
        foreach (cell, scan.scan.plan.targetlist) {
            const auto *target = lfirst_node(TargetEntry, cell);
            if (target->resname == nullptr || ServerText(target->resname).utf8() != name)
                continue;
            if (const Var *column = column_of(target->expr))
                found.column = table.column(column->varattno);
        }
        if (found.column == nullptr)
            return "Column \"" + name + "\" of the query is computed here.";
        const std::string type = type_at_source(table, found.column->attnum);
        if (type.empty())
            return "Of what type column \"" + found.column->name + "\" of \"" + table.name +
                   "\" is at the source is not known: it has no option \"source_type\".";
        if (!texts.contains(type))
            return "The source cannot tell apart values of column \"" + found.column->name +
                   "\", which has there type " + type + ".";
        columns.push_back(std::move(found));
    }
    return "";
}

/// The number of a key is computed here as well.
std::string SourceModel::obstacle_of_key() const {
    for (const Column &one : key_) {
        const std::string type = type_at_source(source_->table(), one.column->attnum);
        const bool is_the_same = type == name_of_type(one.column->type) && has_one_text(type) &&
                                 (type != "numeric" || one.column->typmod < 0);
        if (!is_the_same)
            return "Column \"" + one.name +
                   "\" of the key must be text, a whole number, numeric or uuid, here and at the "
                   "source.";
    }
    return "";
}

std::vector<HashedColumn> SourceModel::hashed(const std::vector<Column> &columns) const {
    std::vector<HashedColumn> all;
    for (const Column &one : columns)
        all.push_back({one.column->field, type_at_source(source_->table(), one.column->attnum)});
    return all;
}

ResultRows SourceModel::buckets(std::uint64_t buckets, bool of_keys) const {
    ResultRows rows = rows_of(
        {{source_columns::bucket, INT8OID}, {source_columns::rows, INT8OID}, {source_columns::sum, NUMERICOID}});
    if (hashed_ == nullptr)
        return rows;
    RowMemory memory;
    source_->run(hashed_->buckets(buckets, of_keys), 3, [&](const ResultPage &page, std::size_t row) {
        memory.with_row([&] {
            Datum values[3] = {};
            bool nulls[3] = {};
            for (int i = 0; i < 2; i++)
                values[i] = number_of(page, row, i, nulls[i]);
            const char *sum = page.cell(row, 2);
            nulls[2] = sum == nullptr;
            if (sum != nullptr)
                values[2] = pg_call([&] {
                    return DirectFunctionCall3(numeric_in, CStringGetDatum(sum), ObjectIdGetDatum(InvalidOid),
                                               Int32GetDatum(-1));
                });
            rows.put(values, nulls);
        });
    });
    return rows;
}

ResultRows SourceModel::keys(std::uint64_t modulus, const std::vector<std::uint64_t> &numbers) const {
    return read(key_, modulus, numbers);
}

ResultRows SourceModel::rows(std::uint64_t modulus, const std::vector<std::uint64_t> &numbers) const {
    return read(columns_, modulus, numbers);
}

std::size_t SourceModel::statements(std::uint64_t modulus, std::size_t numbers) const {
    return hashed_ == nullptr ? 0 : hashed_->statements(modulus, numbers);
}

ResultRows SourceModel::no_keys() const {
    return rows_with(key_);
}

ResultRows SourceModel::rows_with(const std::vector<Column> &columns) {
    std::vector<NewColumn> described;
    for (const Column &one : columns)
        described.push_back({one.name, one.column->type, one.column->typmod, one.column->collation});
    described.push_back({source_columns::place, INT8OID});
    described.push_back({source_columns::hash, INT8OID});
    return rows_of(described);
}

ResultRows SourceModel::read(const std::vector<Column> &columns, std::uint64_t modulus,
                             const std::vector<std::uint64_t> &numbers) const {
    std::vector<CellTarget> places;
    std::vector<SelectedColumn> asked;
    for (const Column &one : columns) {
        const auto place = static_cast<int>(places.size());
        places.push_back({one.column->name, place, one.column->type, one.column->typmod});
        asked.push_back({one.column->field, source_type_name(pg_call([&] { return getBaseType(one.column->type); }))});
    }
    ResultRows rows = rows_with(columns);
    if (hashed_ == nullptr)
        return rows;
    TupleTableSlot *slot = pg_call([&] { return MakeSingleTupleTableSlot(rows.descriptor(), &TTSOpsVirtual); });
    CellReader cells(source_->table().name, places, source_->words(), CurrentMemoryContext);
    RowMemory memory;
    const std::size_t width = columns.size();
    for (const SqlText &statement : hashed_->rows(asked, modulus, numbers))
        source_->run(statement, width + 2, [&](const ResultPage &page, std::size_t row) {
            memory.with_row([&] {
                cells.read(page, row, slot);
                for (const std::size_t at : {width, width + 1})
                    slot->tts_values[at] = number_of(page, row, at, slot->tts_isnull[at]);
                rows.put(slot->tts_values, slot->tts_isnull);
            });
        });
    pg_call([&] { ExecDropSingleTupleTableSlot(slot); });
    return rows;
}

} // namespace reverse_etl
