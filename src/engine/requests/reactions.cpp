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
    Compiler(const CompiledOperation &operation, const NullForms &nulls)
        : operation_(operation), object_(operation.object()), nulls_(nulls) {}

    CompiledReaction compile(const ErrorRule &rule) {
        CompiledReaction reaction{&rule, "", std::nullopt, nulls_.own, std::nullopt, nulls_.own};
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
        const Columns columns = with_kept(operation_.columns(), spec);
        kept_id_ = position_behind(columns, operation_.columns().size(), object_.id);
        if (spec.next == ReactionSpec::again)
            compile_again(columns, reaction);
        else if (!spec.next.empty()) {
            reaction.next.emplace(compile_operation(object_.operations.at(OperationKind::update), columns));
            reaction.null_as_next = nulls_.changed;
        }
        if (auto own = object_.reactions.find(spec.name); own != object_.reactions.end()) {
            reaction.tried.emplace(object_, own->second, columns, kept_id_ >= 0 ? kept_id_ : operation_.key(),
                                   Fields());
            return;
        }
        for (const auto &[name, kind] : operation_names)
            if (name == spec.name && kind == OperationKind::lookup)
                reaction.tried.emplace(lookup_of(spec.with));
            else if (name == spec.name) {
                reaction.tried.emplace(compile_operation(object_.operations.at(kind), columns));
                if (inserts(kind))
                    reaction.null_as = nulls_.created;
            }
    }

    /// What goes with the row stands behind the columns, and in the place of what is called so among them.
    Columns with_value(Columns columns, const std::string &field, bool written) const {
        // Whoever says it means it: another value would be against the will of the statement.
        if (is_written(columns, field))
            throw SettingError("the statement gives a value for field \"" + field + "\"", "");
        for (StatementColumn &column : columns)
            if (column.field == field && (!written || &column - columns.data() != operation_.key()))
                column.field.clear();
        columns.push_back({field, written, object_.form_of(field)});
        return columns;
    }

    /// It names rows, and is none of the values that are sent.
    Columns with_kept(Columns columns, const ReactionSpec &spec) const {
        for (const KeptField &kept : spec.keep)
            columns = with_value(std::move(columns), kept.field, false);
        return columns;
    }

    static int position_behind(const Columns &columns, std::size_t begin, const std::string &field) {
        for (std::size_t i = begin; i < columns.size() && !field.empty(); i++)
            if (columns[i].field == field)
                return static_cast<int>(i);
        return -1;
    }

    void compile_again(const Columns &columns, CompiledReaction &reaction) {
        const std::string &with = reaction.spec().with;
        const bool by_kept = kept_id_ >= 0 && operation_.spec().by_id && !inserts(operation_.spec().kind);
        reaction.next.emplace(object_, operation_.spec(), with.empty() ? columns : with_value(columns, with, true),
                              by_kept ? kept_id_ : operation_.key(), Fields());
    }

    CompiledOperation lookup_of(const std::string &with) {
        Fields names = object_.key;
        if (const int key = operation_.key(); key >= 0)
            if (const std::string &field = operation_.columns()[key].field; lookup_by(object_, {field}) != nullptr)
                names = {field};
        return compile_lookup(object_, operation_.columns(), names, with);
    }

    CompiledOperation compile_operation(const OperationSpec &spec, Columns columns) const {
        if (inserts(spec.kind))
            // What names a row that was to be updated is a value of the row that is made.
            for (StatementColumn &column : columns)
                if (!column.written && !is_written(columns, column.field))
                    column.written = true;
        for (StatementColumn &column : columns)
            column.written &= is_written_by(object_, column.field, spec.kind);
        if (inserts(spec.kind) && !names_row(columns))
            throw SettingError(
                "\"" + std::string(operation_name(spec.kind)) + "\" does not write what the row is named by", "");
        const int key = key_for(spec, columns);
        return CompiledOperation(object_, spec, std::move(columns), key, Fields());
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
        if (kept_id_ >= 0 && spec.by_id)
            return kept_id_;
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
    const NullForms nulls_;
    int kept_id_ = -1; ///< the column of the id that the refusal told; -1 for none
};

} // namespace

Reactions compile_reactions(const CompiledOperation &operation, const NullForms &nulls) {
    Reactions reactions;
    for (const ErrorRule &rule : operation.spec().errors)
        if (rule.then == Action::react)
            reactions.push_back(Compiler(operation, nulls).compile(rule));
    return reactions;
}

} // namespace reverse_etl
