#include "engine/requests/lookup_operations.h"

#include "engine/manifest/by_reader.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

/// A key of several fields may have to stand in the request field by field.
bool can_name(const Object &object, const OperationSpec &lookup, const std::vector<std::string> &fields) {
    if (fields.size() == 1)
        return true;
    std::vector<StatementColumn> columns;
    for (const std::string &field : fields)
        columns.push_back({field, false, object.form_of(field)});
    try {
        const CompiledOperation compiled(object, lookup, std::move(columns), -1, {});
        return true;
    } catch (const SettingError &) {
        return false;
    }
}

std::vector<StatementColumn> written_by(const Object &object, std::vector<StatementColumn> columns,
                                        OperationKind operation) {
    for (StatementColumn &column : columns)
        if (const ColumnSpec *spec = object.column_of_field(column.field))
            column.written &= spec->is_written_by(operation);
    return columns;
}

} // namespace

int position_of(const std::vector<StatementColumn> &columns, const std::vector<std::string> &fields) {
    auto found = std::find_if(columns.begin(), columns.end(),
                              [&](const StatementColumn &column) { return column.field == fields.front(); });
    return fields.size() == 1 && found != columns.end() ? static_cast<int>(found - columns.begin()) : -1;
}

const OperationSpec *lookup_by(const Object &object, const std::vector<std::string> &fields) {
    const bool are_id = !object.id.empty() && fields == std::vector<std::string>{object.id};
    const bool are_key = !fields.empty() && are_same_fields(fields, object.key);
    for (const OperationSpec *lookup : object.lookups()) {
        const bool takes = (lookup->by_id && are_id) || (lookup->by_key && are_key) ||
                           (!fields.empty() && are_same_fields(fields, lookup->by_fields));
        if (takes && can_name(object, *lookup, fields))
            return lookup;
    }
    return nullptr;
}

CompiledOperation compile_lookup(const Object &object, std::vector<StatementColumn> columns,
                                 const std::vector<std::string> &fields, const std::string &wanted) {
    std::string names;
    for (const std::string &field : fields)
        names += (names.empty() ? "\"" : ", \"") + field + "\"";
    const OperationSpec *lookup = lookup_by(object, fields);
    if (lookup == nullptr)
        throw SettingError("object \"" + object.name + "\" of connector \"" + object.connector +
                               "\" has no look-up by " + names,
                           "Set the table option \"key\" to a field by which it looks rows up.");
    for (auto column = columns.begin(); column != columns.end(); column++) {
        column->written = false;
        // An UPDATE may set what names the row: it is looked up by what it was, which stands behind.
        if (std::any_of(column + 1, columns.end(), [&](const auto &other) { return other.field == column->field; }))
            column->field.clear();
    }
    std::vector<std::string> asked_for = fields;
    const std::string &value = wanted.empty() ? object.id : wanted;
    if (std::find(fields.begin(), fields.end(), value) == fields.end())
        asked_for.insert(asked_for.begin(), value);
    const int key = position_of(columns, fields);
    return CompiledOperation(object, *lookup, std::move(columns), key, asked_for);
}

AfterLookup by_found_id(const Object &object, const OperationSpec &spec, std::vector<StatementColumn> columns,
                        NullAs null_as, NullAs null_as_created) {
    columns.push_back({object.id, false});
    const int id = static_cast<int>(columns.size()) - 1;
    AfterLookup after{CompiledOperation(object, spec, std::move(columns), id, {}), null_as, std::nullopt};
    after.of_found = compile_reactions(after.found, {null_as, null_as_created});
    return after;
}

AfterLookup update_or_create(const Object &object, const std::vector<StatementColumn> &columns, NullAs null_as_found,
                             NullAs null_as_missing) {
    const auto spec_of = [&](OperationKind kind) -> const OperationSpec & { return object.operations.at(kind); };
    AfterLookup after = by_found_id(object, spec_of(OperationKind::update),
                                    written_by(object, columns, OperationKind::update), null_as_found, null_as_missing);
    after.missing.emplace(object, spec_of(OperationKind::create), written_by(object, columns, OperationKind::create),
                          position_of(columns, object.key), std::vector<std::string>());
    after.null_as_missing = null_as_missing;
    after.of_missing = compile_reactions(*after.missing, {null_as_missing, null_as_missing, null_as_found});
    return after;
}

std::size_t most_rows_after_lookup(const CompiledOperation &operation) {
    const OperationSpec &spec = operation.spec();
    return spec.has_idempotency_key() && !spec.idempotent ? 1 : operation.rows_per_batch();
}

} // namespace reverse_etl
