#include "engine/requests/reactions.h"

#include "engine/requests/lookup_operations.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

using Columns = std::vector<StatementColumn>;

bool is_written(const Columns &columns, const std::string &field) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const StatementColumn &column) { return column.written && column.field == field; });
}

bool is_written_by(const Object &object, const std::string &field, OperationKind kind) {
    const ColumnSpec *spec = object.column_of_field(field);
    return spec == nullptr || spec->is_written_by(kind);
}

bool inserts(OperationKind kind) {
    return kind == OperationKind::create || kind == OperationKind::upsert;
}

/// Compiles what the rules of one operation try.
class Compiler {
  public:
    Compiler(const CompiledOperation &operation, NullAs null_as, NullAs null_as_created)
        : operation_(operation), object_(operation.object()), null_as_(null_as), null_as_created_(null_as_created) {}

    CompiledReaction compile(const ErrorRule &rule) {
        CompiledReaction reaction{&rule, "", std::nullopt, null_as_, std::nullopt};
        try {
            fill_in(reaction);
        } catch (const SettingError &error) {
            reaction.obstacle = error.what();
            reaction.tried.reset();
        }
        return reaction;
    }

  private:
    void fill_in(CompiledReaction &reaction) {
        const ReactionSpec &spec = reaction.spec();
        if (spec.again)
            compile_again(reaction);
        if (auto own = object_.reactions.find(spec.name); own != object_.reactions.end()) {
            reaction.tried.emplace(object_, own->second, operation_.columns(), operation_.key(), Fields());
            return;
        }
        for (const auto &[name, kind] : operation_names)
            if (name == spec.name && kind == OperationKind::lookup)
                reaction.tried.emplace(lookup_of(spec.with));
            else if (name == spec.name)
                compile_operation(object_.operations.at(kind), reaction);
    }

    void compile_again(CompiledReaction &reaction) {
        Columns columns = operation_.columns();
        if (const std::string &with = reaction.spec().with; !with.empty()) {
            // Whoever says it means it: another value would be against the will of the statement.
            if (is_written(columns, with))
                throw SettingError("the statement gives a value for field \"" + with + "\"", "");
            for (StatementColumn &column : columns)
                if (column.field == with && static_cast<int>(&column - columns.data()) != operation_.key())
                    column.field.clear();
            columns.push_back({with, true, object_.form_of(with)});
        }
        reaction.again.emplace(object_, operation_.spec(), std::move(columns), operation_.key(), Fields());
    }

    CompiledOperation lookup_of(const std::string &with) {
        Fields names = object_.key;
        if (const int key = operation_.key(); key >= 0)
            if (const std::string &field = operation_.columns()[key].field; lookup_by(object_, {field}) != nullptr)
                names = {field};
        return compile_lookup(object_, operation_.columns(), names, with);
    }

    void compile_operation(const OperationSpec &spec, CompiledReaction &reaction) {
        Columns columns = operation_.columns();
        if (inserts(spec.kind)) {
            // What names a row that was to be updated is a value of the row that is made.
            for (StatementColumn &column : columns)
                if (!column.written && !is_written(columns, column.field))
                    column.written = true;
            reaction.null_as = null_as_created_;
        }
        for (StatementColumn &column : columns)
            column.written &= is_written_by(object_, column.field, spec.kind);
        if (inserts(spec.kind) && !names_row(columns))
            throw SettingError(
                "\"" + std::string(operation_name(spec.kind)) + "\" does not write what the row is named by", "");
        const int key = key_for(spec, columns);
        reaction.tried.emplace(object_, spec, std::move(columns), key, Fields());
    }

    /// Whether a row that is made of the columns is the one that the statement names; what makes rows names none.
    bool names_row(const Columns &columns) const {
        const auto is_there = [&](const std::string &field) { return is_written(columns, field); };
        const int key = operation_.key();
        return inserts(operation_.spec().kind) || (key >= 0 && is_there(operation_.columns()[key].field)) ||
               (!object_.key.empty() && std::all_of(object_.key.begin(), object_.key.end(), is_there));
    }

    int key_for(const OperationSpec &spec, const Columns &columns) const {
        const int by_key = object_.key.empty() ? -1 : position_of(columns, object_.key);
        if (inserts(spec.kind))
            return by_key;
        const int own = operation_.key();
        if (own >= 0 && (columns[own].field == object_.id ? spec.by_id : spec.by_key))
            return own;
        if (!spec.by_key)
            throw SettingError("\"" + std::string(operation_name(spec.kind)) +
                                   "\" wants the destination's id of the row, which is not known",
                               "");
        return by_key;
    }

    using Fields = std::vector<std::string>;
    const CompiledOperation &operation_;
    const Object &object_;
    const NullAs null_as_, null_as_created_;
};

} // namespace

Reactions compile_reactions(const CompiledOperation &operation, NullAs null_as, NullAs null_as_created) {
    Reactions reactions;
    for (const ErrorRule &rule : operation.spec().errors)
        if (rule.then == Action::react)
            reactions.push_back(Compiler(operation, null_as, null_as_created).compile(rule));
    return reactions;
}

} // namespace reverse_etl
