#include "postgres/sources/source_condition.h"

#include "engine/sources/cell_text.h"
#include "postgres/border/border.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// A statement with more parameters is none that a source takes.
constexpr std::size_t most_values = 1000;
constexpr std::int64_t days_between_epochs = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

bool is_moment_type(Oid type) {
    return type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/// ISO 8601 in UTC.
std::string moment_text(Timestamp moment, bool has_zone) {
    std::string text;
    append_cell(text, CellForm::micros, std::to_string(moment + days_between_epochs * USECS_PER_DAY));
    if (const std::size_t zone = text.find("+00"); !has_zone && zone != text.npos)
        text.erase(zone, 3); // behind it may stand that it is before the year 1
    return text;
}

std::optional<std::string> day_text(std::int64_t day) {
    std::string text;
    append_cell(text, CellForm::days, std::to_string(day + days_between_epochs));
    return text;
}

/// The days that a value stands for; nothing where that depends on the calendar or the time zone.
std::optional<std::int64_t> days_of(const GivenDatum &given) {
    if (given.type == INT2OID)
        return DatumGetInt16(given.value);
    if (given.type == INT4OID)
        return DatumGetInt32(given.value);
    if (given.type != INTERVALOID)
        return std::nullopt;
    const Interval *interval = DatumGetIntervalP(given.value);
    return interval->month == 0 && interval->time == 0 ? std::optional<std::int64_t>(interval->day) : std::nullopt;
}

/// The day of a date or a moment, moved by so many days; nothing for what has none.
std::optional<std::int64_t> day_of(Oid type, Datum value, std::int64_t shift) {
    if (type == DATEOID)
        return DATE_NOT_FINITE(DatumGetDateADT(value)) ? std::nullopt : std::optional(DatumGetDateADT(value) + shift);
    if (type != TIMESTAMPOID || TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
        return std::nullopt;
    const Timestamp moment = DatumGetTimestamp(value);
    return moment / USECS_PER_DAY - (moment % USECS_PER_DAY < 0 ? 1 : 0) + shift;
}

/// A moment, or the beginning of a day, that is so much later; nothing for one that is not finite, or none.
std::optional<std::string> later_moment(Oid type, Datum value, std::int64_t days, std::int64_t microseconds) {
    Timestamp moment = 0;
    if (type == DATEOID) {
        const auto day = day_of(type, value, 0);
        if (!day)
            return std::nullopt;
        days += *day;
    } else {
        moment = DatumGetTimestamp(value);
        if (TIMESTAMP_NOT_FINITE(moment))
            return std::nullopt;
    }
    std::int64_t shift = 0;
    if (__builtin_mul_overflow(days, USECS_PER_DAY, &shift) || __builtin_add_overflow(moment, shift, &moment) ||
        __builtin_add_overflow(moment, microseconds, &moment) || !IS_VALID_TIMESTAMP(moment))
        return std::nullopt;
    return moment_text(moment, type == TIMESTAMPTZOID);
}

/// The values of an array but NULLs.
std::vector<std::pair<Oid, Datum>> elements_of(const GivenDatum &given) {
    struct {
        Datum *values;
        bool *nulls;
        int count;
        Oid type;
    } found{};
    pg_call([&] {
        ArrayType *array = DatumGetArrayTypeP(given.value);
        int16 length;
        bool by_value;
        char alignment;
        found.type = ARR_ELEMTYPE(array);
        get_typlenbyvalalign(found.type, &length, &by_value, &alignment);
        deconstruct_array(array, found.type, length, by_value, alignment, &found.values, &found.nulls, &found.count);
    });
    std::vector<std::pair<Oid, Datum>> elements;
    for (int i = 0; i < found.count; i++)
        if (!found.nulls[i])
            elements.emplace_back(found.type, found.values[i]);
    return elements;
}

bool has_null(const GivenDatum &given) {
    return pg_call([&] { return array_contains_nulls(DatumGetArrayTypeP(given.value)); });
}

/// What is compared with a column, said with the values that the plan's expressions have.
class SaidComparison {
  public:
    SaidComparison(const Destination &destination, const ShippedCondition &condition, const GivenDatums &given)
        : dialect_(destination.source.statement->spec.dialect), condition_(condition),
          given_(given), said_{destination.column(condition.column)->field, source_type_name(condition.type),
                               condition.comparison} {
        said_.is_exact = condition.is_apart && dialect_.exact.contains(said_.type);
    }

    SaidCondition said() {
        using Kind = SaidCondition::Kind;
        if (condition_.value < 0)
            return {Kind::said, said_};
        const GivenDatum value = given_(condition_.value);
        const GivenDatum shift = condition_.shift < 0 ? GivenDatum{} : given_(condition_.shift);
        if (!value.later.empty() || !shift.later.empty()) {
            said_.values = {(value.later.empty() ? "..." : value.later) +
                            (condition_.shift < 0 ? ""
                                                  : std::string(condition_.is_back ? " - " : " + ") +
                                                        (shift.later.empty() ? "days" : shift.later))};
            return {Kind::said, said_};
        }
        if (value.is_null || shift.is_null)
            return {Kind::never};
        const std::optional<std::int64_t> days = condition_.shift < 0 ? 0 : days_of(shift);
        if (!days)
            return {};
        const bool has_order = is_moment_type(condition_.type) && !condition_.is_apart;
        if (!condition_.is_array)
            return has_order ? near(value.type, value.value, days_later(*days)) : with({one(value, days_later(*days))});
        const auto elements = elements_of(value);
        if (condition_.comparison == SqlComparison::not_equal && has_null(value))
            return {Kind::never}; // nothing is surely none of them
        if (elements.empty())
            return {condition_.comparison == SqlComparison::not_equal ? Kind::unsaid : Kind::never};
        return has_order ? near_any(elements) : with_all(elements);
    }

  private:
    std::int64_t days_later(std::int64_t days) const { return condition_.is_back ? -days : days; }

    /// A value as a parameter.
    std::optional<std::string> one(const GivenDatum &given, std::int64_t days) const {
        if (condition_.comparison == SqlComparison::like)
            return broader_pattern(source_value(given.type, given.value).value_or(""));
        if (condition_.type == DATEOID) {
            const auto day = day_of(given.type, given.value, days);
            return day ? day_text(*day) : std::nullopt;
        }
        return is_moment_type(condition_.type) ? later_moment(given.type, given.value, days, 0)
                                               : source_value(given.type, given.value);
    }

    SaidCondition with_all(const std::vector<std::pair<Oid, Datum>> &elements) {
        std::vector<std::optional<std::string>> values;
        for (const auto &[type, value] : elements)
            values.push_back(one({type, value}, 0));
        return with(values);
    }

    SaidCondition with(const std::vector<std::optional<std::string>> &values) {
        if (values.size() > most_values)
            return {};
        for (const std::optional<std::string> &value : values) {
            if (!value || !can_be_parameter(dialect_, said_.type, *value))
                return {};
            said_.values.push_back(*value);
        }
        // A day that stands for all its moments.
        if (condition_.is_moment && said_.comparison == SqlComparison::less)
            said_.comparison = SqlComparison::less_equal;
        if (condition_.is_moment && said_.comparison == SqlComparison::greater)
            said_.comparison = SqlComparison::greater_equal;
        return {SaidCondition::Kind::said, said_};
    }

    /// The source may know parts of a microsecond, which are rounded when they are read: what is asked for is what may
    /// be meant.
    SaidCondition near(Oid type, Datum value, std::int64_t days) const {
        const auto bound = [&](SqlComparison comparison, std::int64_t microseconds) {
            SqlCondition one = said_;
            one.comparison = comparison;
            if (const auto text = later_moment(type, value, days, microseconds))
                one.values = {*text};
            return one;
        };
        const SqlCondition from = bound(SqlComparison::greater_equal, -1), to = bound(SqlComparison::less_equal, 1);
        for (const SqlCondition &one : {from, to})
            if (one.values.empty() || !can_be_parameter(dialect_, said_.type, one.values.front()))
                return {};
        switch (said_.comparison) {
        case SqlComparison::less:
        case SqlComparison::less_equal:
            return {SaidCondition::Kind::said, to};
        case SqlComparison::greater:
        case SqlComparison::greater_equal:
            return {SaidCondition::Kind::said, from};
        default:
            break;
        }
        SqlCondition both;
        both.join = SqlCondition::Join::all;
        both.parts = {from, to};
        return {SaidCondition::Kind::said, both};
    }

    SaidCondition near_any(const std::vector<std::pair<Oid, Datum>> &elements) const {
        SqlCondition any;
        any.join = SqlCondition::Join::any;
        for (const auto &[type, value] : elements) {
            SaidCondition one = near(type, value, 0);
            if (one.kind != SaidCondition::Kind::said || any.parts.size() * 2 >= most_values)
                return {};
            any.parts.push_back(std::move(one.condition));
        }
        return {SaidCondition::Kind::said, std::move(any)};
    }

    const DialectSpec &dialect_;
    const ShippedCondition &condition_;
    const GivenDatums &given_;
    SqlCondition said_;
};

} // namespace

SaidCondition said_condition(const Destination &destination, const ShippedCondition &condition,
                             const GivenDatums &given) {
    using Join = SqlCondition::Join;
    using Kind = SaidCondition::Kind;
    if (condition.join == Join::none)
        return SaidComparison(destination, condition, given).said();
    SqlCondition joined;
    joined.join = condition.join;
    bool is_whole = true;
    for (const ShippedCondition &part : condition.parts) {
        SaidCondition said = said_condition(destination, part, given);
        is_whole &= said.kind != Kind::unsaid && said.is_whole;
        if (said.kind == Kind::said)
            joined.parts.push_back(std::move(said.condition));
        else if ((said.kind == Kind::never) == (condition.join == Join::all))
            return {said.kind}; // no row of all, or any of one
    }
    if (joined.parts.empty())
        return {condition.join == Join::all ? Kind::unsaid : Kind::never};
    return {Kind::said, joined.parts.size() == 1 ? SqlCondition(joined.parts.front()) : std::move(joined), is_whole};
}

bool add_conditions(const Destination &destination, const SourcePlan &plan, const GivenDatums &given,
                    SourceQuery &query, bool &is_whole) {
    for (const ShippedCondition &one : plan.conditions) {
        SaidCondition said = said_condition(destination, one, given);
        if (said.kind == SaidCondition::Kind::never)
            return false;
        is_whole &= said.kind == SaidCondition::Kind::said && said.is_whole;
        if (said.kind == SaidCondition::Kind::said)
            query.conditions.push_back(std::move(said.condition));
        else if (one.is_exact)
            throw Error(ERRCODE_FDW_ERROR, "the source of \"" + destination.name + "\" cannot be told of a condition",
                        "The plan was made when its connector said that it can.", "Plan the query anew.");
    }
    return true;
}

std::optional<std::string> source_value(Oid type, Datum value) {
    switch (type) {
    case DATEOID: {
        const auto day = day_of(type, value, 0);
        return day ? day_text(*day) : std::nullopt;
    }
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return later_moment(type, value, 0, 0);
    case BOOLOID:
        return DatumGetBool(value) ? "true" : "false";
    default:
        // Integers, decimals and texts, whose output no setting changes.
        return pg_call([&] { return printed_value(type, value); }).utf8();
    }
}

} // namespace reverse_etl
