#include "postgres/sources/source_plan.h"

#include "engine/text/one_query.h"
#include "postgres/border/border.h"

#include <utility>

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Where the other plans have a number that is none of theirs.
constexpr int mark = -1;

/// Numbers, one behind the other, as a list that Postgres copies.
class Writer {
  public:
    void add(int number) { numbers = lappend_int(numbers, number); }
    void add(const ShippedCondition &one) {
        for (const int number : {static_cast<int>(one.join), static_cast<int>(one.column),
                                 static_cast<int>(one.comparison), static_cast<int>(one.type), one.value, one.shift,
                                 (one.is_array ? 1 : 0) + (one.is_exact ? 2 : 0) + (one.is_back ? 4 : 0) +
                                     (one.is_moment ? 8 : 0) + (one.is_apart ? 16 : 0),
                                 static_cast<int>(one.parts.size())})
            add(number);
        for (const ShippedCondition &part : one.parts)
            add(part);
    }

    List *numbers = NIL;
};

class Reader {
  public:
    explicit Reader(const List *numbers) : numbers_(numbers) {}
    int number() { return list_nth_int(numbers_, at_++); }
    AttrNumber column() { return static_cast<AttrNumber>(number()); }
    ShippedCondition condition() {
        ShippedCondition one;
        one.join = static_cast<SqlCondition::Join>(number());
        one.column = column();
        one.comparison = static_cast<SqlComparison>(number());
        one.type = static_cast<Oid>(number());
        one.value = number();
        one.shift = number();
        const int flags = number();
        one.is_array = (flags & 1) != 0;
        one.is_exact = (flags & 2) != 0;
        one.is_back = (flags & 4) != 0;
        one.is_moment = (flags & 8) != 0;
        one.is_apart = (flags & 16) != 0;
        for (int parts = number(); parts > 0; parts--)
            one.parts.push_back(condition());
        return one;
    }

  private:
    const List *numbers_;
    int at_ = 0;
};

} // namespace

int &ExactPlans::count() {
    static int count = 0;
    return count;
}

List *to_list(const SourcePlan &plan) {
    Writer writer;
    for (const int number : {static_cast<int>(plan.relation), plan.is_grouped ? 1 : 0, plan.limit})
        writer.add(number);
    writer.add(static_cast<int>(plan.retrieved.size()));
    for (const AttrNumber column : plan.retrieved)
        writer.add(column);
    writer.add(static_cast<int>(plan.outputs.size()));
    for (const SourceOutput &output : plan.outputs) {
        writer.add(output.column);
        writer.add(static_cast<int>(output.function));
    }
    writer.add(static_cast<int>(plan.groups.size()));
    for (const AttrNumber column : plan.groups)
        writer.add(column);
    writer.add(static_cast<int>(plan.order.size()));
    for (const SourceOrder &order : plan.order)
        for (const int number :
             {static_cast<int>(order.column), order.is_descending ? 1 : 0, order.nulls_first ? 1 : 0})
            writer.add(number);
    writer.add(static_cast<int>(plan.conditions.size()));
    for (const ShippedCondition &one : plan.conditions)
        writer.add(one);
    return list_make2(makeInteger(mark), writer.numbers);
}

std::optional<SourcePlan> source_plan_of(const List *list) {
    if (intVal(linitial(list)) != mark)
        return std::nullopt;
    Reader reader(static_cast<List *>(lsecond(list)));
    SourcePlan plan;
    plan.relation = static_cast<Oid>(reader.number());
    plan.is_grouped = reader.number() != 0;
    plan.limit = reader.number();
    for (int left = reader.number(); left > 0; left--)
        plan.retrieved.push_back(reader.column());
    for (int left = reader.number(); left > 0; left--) {
        const AttrNumber column = reader.column();
        plan.outputs.push_back({column, static_cast<SqlFunction>(reader.number())});
    }
    for (int left = reader.number(); left > 0; left--)
        plan.groups.push_back(reader.column());
    for (int left = reader.number(); left > 0; left--) {
        SourceOrder order{reader.column()};
        order.is_descending = reader.number() != 0;
        order.nulls_first = reader.number() != 0;
        plan.order.push_back(order);
    }
    for (int left = reader.number(); left > 0; left--)
        plan.conditions.push_back(reader.condition());
    return plan;
}

std::string source_type_name(Oid type) {
    static constexpr std::pair<Oid, const char *> names[] = {{TEXTOID, "text"},
                                                             {VARCHAROID, "text"},
                                                             {BOOLOID, "boolean"},
                                                             {INT2OID, "smallint"},
                                                             {INT4OID, "integer"},
                                                             {INT8OID, "bigint"},
                                                             {NUMERICOID, "numeric"},
                                                             {FLOAT4OID, "real"},
                                                             {FLOAT8OID, "double precision"},
                                                             {DATEOID, "date"},
                                                             {TIMEOID, "time"},
                                                             {TIMESTAMPOID, "timestamp"},
                                                             {INTERVALOID, "interval"},
                                                             {TIMESTAMPTZOID, "timestamptz"},
                                                             {BYTEAOID, "bytea"},
                                                             {UUIDOID, "uuid"},
                                                             {JSONOID, "json"},
                                                             {JSONBOID, "jsonb"},
                                                             {TEXTARRAYOID, "text[]"}};
    for (const auto &[oid, name] : names)
        if (oid == type)
            return name;
    return "";
}

std::string type_at_source(const Destination &destination, AttrNumber column) {
    const auto found = destination.source.types.find(column);
    return found == destination.source.types.end() ? "" : found->second;
}

SourceQuery source_query(const Destination &destination, const SourcePlan &plan) {
    const DialectSpec &dialect = destination.source.statement->spec.dialect;
    const auto selected = [&](AttrNumber attnum, SqlFunction function) -> SelectedColumn {
        if (attnum == 0)
            return {"", "", function};
        const DestinationColumn *column = destination.column(attnum);
        const Oid type = pg_call([&] { return getBaseType(column->type); });
        return {column->field, source_type_name(type), function};
    };
    SourceQuery query;
    if (destination.source.query.empty())
        query.relation = relation_name(dialect, dialect.relation, destination.object.name, destination.source.schema);
    else
        query.query = one_query(destination.source.query);
    for (const AttrNumber attnum : plan.retrieved)
        query.columns.push_back(selected(attnum, SqlFunction::none));
    for (const SourceOutput &output : plan.outputs)
        query.columns.push_back(selected(output.column, output.function));
    for (const AttrNumber attnum : plan.groups)
        query.groups.push_back(selected(attnum, SqlFunction::none));
    for (const SourceOrder &order : plan.order)
        query.order.push_back({destination.column(order.column)->field, order.is_descending, order.nulls_first});
    query.limit = plan.limit;
    return query;
}

} // namespace reverse_etl
