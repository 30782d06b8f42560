#include "postgres/streams/stream_trigger.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/fdw/delivery_mode.h"
#include "postgres/streams/changed_rows.h"

extern "C" {
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// A plan made for one row may suit a hundred thousand badly.
constexpr int64 many_rows = 1000;

/// One connection to SPI, as the role that a trigger runs as.
class Connection {
  public:
    explicit Connection(const StreamDefinition &stream) : role_(stream.owner, stream.search_path) {
        pg_call([] { SPI_connect(); });
    }
    void finish() {
        pg_call([] { SPI_finish(); });
    }

  private:
    QueueEverything queue_;
    ActAs role_;
};

} // namespace

StreamTrigger::StreamTrigger(StreamDefinition definition)
    : definition_(std::move(definition)), memory_(pg_call([] {
          return AllocSetContextCreate(TopMemoryContext, "reverse_etl stream", ALLOCSET_SMALL_SIZES);
      })) {}

StreamTrigger::~StreamTrigger() {
    for (SPIPlanPtr plan : plans_)
        if (plan != nullptr)
            SPI_freeplan(plan);
    MemoryContextDelete(memory_);
}

void StreamTrigger::push(TriggerData *trigger) {
    ChangedRows changed_rows = reverse_etl::changed_rows(trigger);
    int64 count = tuplestore_tuple_count(changed_rows.rows);
    if (count == 0)
        return;
    Oid table = RelationGetRelid(trigger->tg_relation);
    Connection connection(definition_);
    pg_call([&] { show_rows(changed, table, changed_rows.rows); });
    analyse_once();

    // A stream knows what its UPDATEs changed. A trigger written by hand sends the rows that it was fired for.
    bool is_stream = !definition_.name.empty();
    bool moved = false;
    if (is_stream && changed_rows.before != nullptr) {
        Tuplestorestate *all = changed_rows.rows;
        moved = leave_out_unchanged(changed_rows, RelationGetDescr(trigger->tg_relation), analysed_->mapping.used,
                                    analysed_->mapping.deciding);
        count = tuplestore_tuple_count(changed_rows.rows);
        pg_call([&] {
            if (changed_rows.rows != all) {
                SPI_unregister_relation(changed);
                show_rows(changed, table, changed_rows.rows);
            }
            show_rows(changed_before, table, changed_rows.before);
        });
    }
    if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) {
        execute(remove, count);
    } else if (count > 0) {
        if (moved && definition_.deletes())
            execute(remove_moved, count);
        execute(insert, count);
    }
    connection.finish();
    pg_call([&] { close(changed_rows); });
}

void StreamTrigger::push_all_as_deleted() {
    Connection connection(definition_);
    pg_call([&] { show_rows(changed, definition_.source, nullptr); });
    analyse_once();
    execute(remove_all, many_rows);
    connection.finish();
}

void StreamTrigger::analyse_once() {
    if (analysed_ != nullptr)
        return;
    auto analysed = std::make_unique<AnalysedStream>(analyse(definition_));
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(memory_);
        analysed->mapping.used = bms_copy(analysed->mapping.used);
        analysed->mapping.deciding = bms_copy(analysed->mapping.deciding);
        MemoryContextSwitchTo(caller);
    });
    analysed_ = std::move(analysed);
}

std::string StreamTrigger::text(Statement statement) const {
    const StreamStatements &statements = analysed_->statements;
    switch (statement) {
    case insert:
        return statements.insert();
    case remove:
        return statements.remove();
    case remove_moved:
        return statements.remove_moved();
    case remove_all:
        return statements.remove_all(definition_.source);
    }
    return {};
}

void StreamTrigger::execute(Statement statement, int64 rows) {
    SPIPlanPtr &plan = plans_[2 * statement + (rows >= many_rows ? 1 : 0)];
    if (plan == nullptr) {
        std::string query = text(statement);
        plan = pg_call([&] {
            SPIPlanPtr prepared = sql::prepare(query);
            if (SPI_keepplan(prepared) != 0)
                elog(ERROR, "could not keep a plan of stream \"%s\"", definition_.name);
            return prepared;
        });
    }
    pg_call([&] {
        int result = SPI_execute_plan(plan, nullptr, nullptr, false, 0);
        if (result < 0)
            elog(ERROR, "could not push: %s", ServerText(SPI_result_code_string(result)));
    });
}

} // namespace reverse_etl
