#include "postgres/destinations/push_plan.h"

#include "postgres/border/border.h"

#include <algorithm>

namespace reverse_etl {

NullAs null_as(const Destination &destination, OperationKind operation) {
    bool omits = destination.null_as == NullAs::omit;
    return operation == OperationKind::update && omits ? NullAs::clear : destination.null_as;
}

NullForms null_forms(const Destination &destination, OperationKind operation) {
    return {null_as(destination, operation), null_as(destination, OperationKind::create),
            null_as(destination, OperationKind::update)};
}

std::vector<const DestinationColumn *> columns_of(const Destination &destination, const PushPlan &plan) {
    std::vector<const DestinationColumn *> columns;
    for (AttrNumber attnum : plan.written)
        columns.push_back(destination.column(attnum));
    for (AttrNumber attnum : plan.address)
        columns.push_back(destination.column(attnum));
    return columns;
}

std::vector<std::size_t> positions_of_key(const Destination &destination,
                                          const std::vector<const DestinationColumn *> &columns) {
    std::vector<std::size_t> positions;
    for (const std::string &field : destination.object.key) {
        auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const DestinationColumn *candidate) { return candidate->field == field; });
        if (column == columns.end())
            return {};
        positions.push_back(static_cast<std::size_t>(column - columns.begin()));
    }
    return positions;
}

void gather_row(const PushPlan &plan, TupleTableSlot *slot, const Datum *address, const bool *address_nulls,
                Datum *values, bool *nulls) {
    if (!plan.written.empty())
        pg_call([&] { slot_getallattrs(slot); });
    for (AttrNumber attnum : plan.written) {
        *values++ = slot->tts_values[attnum - 1];
        *nulls++ = slot->tts_isnull[attnum - 1];
    }
    std::copy_n(address, plan.address.size(), values);
    std::copy_n(address_nulls, plan.address.size(), nulls);
}

std::vector<StatementColumn> statement_columns(const Destination &destination, const PushPlan &plan) {
    std::vector<StatementColumn> columns;
    for (AttrNumber attnum : plan.written)
        columns.push_back({destination.column(attnum)->field, true, destination.column(attnum)->compare});
    for (AttrNumber attnum : plan.address)
        columns.push_back({destination.column(attnum)->field, false, destination.column(attnum)->compare});
    return columns;
}

std::optional<AfterLookup> compile_what_follows(const Destination &destination, const PushPlan &plan, NullAs null_as) {
    if (!destination.operation(plan.operation).by_lookup)
        return std::nullopt;
    return update_or_create(destination.object, statement_columns(destination, plan), null_as,
                            reverse_etl::null_as(destination, OperationKind::create));
}

CompiledOperation compile(const Destination &destination, const PushPlan &plan) {
    const OperationSpec &spec = destination.operation(plan.operation);
    std::vector<StatementColumn> columns = statement_columns(destination, plan);

    for (auto one = columns.begin(); one != columns.end(); one++)
        if (std::any_of(columns.begin(), one, [&](const auto &other) { return other.field == one->field; }) &&
            one->written)
            throw Error(ERRCODE_DUPLICATE_COLUMN,
                        "two columns of \"" + destination.name + "\" are for field \"" + one->field + "\"",
                        "The destination would take one of their values.", "Write one of them only.");

    int key = -1;
    if (plan.address.size() == 1)
        key = static_cast<int>(plan.written.size());
    if (plan.address.empty() && destination.object.key.size() == 1)
        for (std::size_t i = 0; i < columns.size(); i++)
            if (columns[i].field == destination.object.key.front())
                key = static_cast<int>(i);
    auto is_missing = [&](const std::string &field) {
        return std::none_of(columns.begin(), columns.end(),
                            [&](const StatementColumn &column) { return column.field == field; });
    };
    const std::vector<std::string> &fields = destination.object.key;
    auto missing = std::find_if(fields.begin(), fields.end(), is_missing);
    if (plan.operation == OperationKind::upsert && (fields.empty() || missing != fields.end())) {
        std::string field = fields.empty() ? "" : *missing;
        const DestinationColumn *column = destination.column_of_field(field);
        if (column == nullptr)
            throw Error(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                        "destination \"" + destination.name + "\" has no column that names its rows", "",
                        "Set the table option \"key\" to the field that does, or \"insert_as\" to create.");
        throw Error(ERRCODE_NOT_NULL_VIOLATION,
                    "INSERT into \"" + destination.name + "\" must give a value for column \"" + column->name + "\"",
                    "The destination finds the row by it.",
                    "Add the column, or set the table option \"insert_as\" to create.");
    }
    if (spec.by_lookup)
        return compile_lookup(destination.object, std::move(columns), fields);
    return CompiledOperation(destination.object, spec, std::move(columns), key, {});
}

} // namespace reverse_etl
