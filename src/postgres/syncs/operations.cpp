#include "postgres/syncs/operations.h"

#include "engine/requests/lookup_operations.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/destinations/write_rights.h"

#include <algorithm>

extern "C" {
#include "miscadmin.h"
#include "utils/acl.h"
}

namespace reverse_etl {

namespace {

std::vector<AttrNumber> attnums_of(const Destination &destination, const std::vector<std::string> &names) {
    std::vector<AttrNumber> attnums;
    for (const std::string &name : names)
        if (const DestinationColumn *column = destination.column_named(name))
            attnums.push_back(column->attnum);
    return attnums;
}

std::string listed(const std::vector<const DestinationColumn *> &columns) {
    std::string names;
    for (const DestinationColumn *column : columns)
        names += (names.empty() ? "" : ", ") + column->name;
    return names;
}

class OperationChoice {
  public:
    OperationChoice(const SyncDefinition &sync, const Destination &destination)
        : sync_(sync), destination_(destination), written_(attnums_of(destination, sync.columns)),
          key_(attnums_of(destination, sync.key)) {}

    SyncOperations choose() {
        SyncOperations chosen;
        if (!sends_changed(sync_.mode))
            chosen.added = chosen.changed = can(OperationKind::create) ? create() : upsert();
        else if (!sends_new(sync_.mode))
            chosen.added = chosen.changed = can(OperationKind::update) ? update() : upsert();
        else if (can(OperationKind::upsert) && destination_.object.insert == OperationKind::upsert)
            chosen.added = chosen.changed = upsert();
        else if (can(OperationKind::create) && can(OperationKind::update))
            chosen.added = create(), chosen.changed = update();
        else if (can(OperationKind::upsert))
            chosen.added = chosen.changed = upsert();
        else
            refuse("cannot take changes of rows that it has",
                   "Use mode insert or append, or set the table option \"key\" if its INSERT is an upsert.");
        if (sync_.on_missing == "clear")
            chosen.removed = clear(chosen.changed);
        else if (sync_.removes())
            chosen.removed = remove();
        for (const PushPlan *plan : {&chosen.added, &chosen.changed})
            check_columns(*plan);
        return chosen;
    }

  private:
    bool can(OperationKind kind) const { return destination_.object.operation(kind) != nullptr; }

    [[noreturn]] void refuse(const std::string &what, const std::string &hint) const {
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "destination \"" + destination_.name + "\" " + what, "", hint);
    }

    PushPlan create() const {
        PushPlan plan{OperationKind::create, written_, {}};
        compile(destination_, plan); // says what is missing
        return plan;
    }

    PushPlan upsert() const {
        if (!can(OperationKind::upsert))
            refuse("cannot create rows", "");
        check_key(destination_.key_columns());
        PushPlan plan{OperationKind::upsert, written_, {}};
        compile(destination_, plan); // says what is missing
        return plan;
    }

    PushPlan update() const {
        check_address(OperationKind::update);
        PushPlan plan{OperationKind::update, {}, key_};
        for (AttrNumber attnum : written_)
            if (std::find(key_.begin(), key_.end(), attnum) == key_.end())
                plan.written.push_back(attnum);
        if (plan.written.empty())
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "the query yields nothing but the key", "",
                        "Add the columns that are to be sent.");
        return plan;
    }

    PushPlan remove() const {
        if (!can(OperationKind::remove))
            refuse("cannot delete rows", "Use on_missing => 'clear' or 'ignore'.");
        check_address(OperationKind::remove);
        if (sync_.on_missing == "archive" && !destination_.operation(OperationKind::remove).archives)
            refuse("deletes rows, and archives none", "Use on_missing => 'delete', 'clear' or 'ignore'.");
        return {OperationKind::remove, {}, key_};
    }

    /// The operation that changes rows, with NULL for everything but the key.
    PushPlan clear(const PushPlan &changed) const {
        if (changed.operation == OperationKind::create)
            refuse("cannot change rows that it has", "Use on_missing => 'ignore'.");
        if (written_.size() == key_.size())
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE,
                        "there is nothing to clear: the query yields nothing but the key");
        return changed;
    }

    /// The destination has to know its rows by the columns by which the sync does.
    void check_key(const std::vector<const DestinationColumn *> &key) const {
        bool same =
            key.size() == key_.size() && std::all_of(key.begin(), key.end(), [&](const DestinationColumn *column) {
                return std::find(key_.begin(), key_.end(), column->attnum) != key_.end();
            });
        if (same)
            return;
        if (key.empty())
            refuse("has no key by which it knows its rows",
                   "Set the table option \"key\" to the field that it knows them by.");
        throw Error(
            ERRCODE_INVALID_PARAMETER_VALUE, "destination \"" + destination_.name + "\" knows its rows by another key",
            "Its key is " + listed(key) + ".",
            "Make that the key of the sync; where the destination can use others, set its table option \"key\".");
    }

    void check_address(OperationKind kind) const {
        const DestinationColumn *id = destination_.id_column();
        if (id != nullptr && key_ == std::vector<AttrNumber>{id->attnum} && destination_.operation(kind).by_id)
            return;
        check_key(destination_.key_columns());
        if (!destination_.operation(kind).by_key && !destination_.finds_id_by_key())
            refuse(std::string("knows rows to ") + operation_name(kind) + " by its id only, and cannot look it up",
                   "Make the id the key of the sync.");
    }

    void check_columns(const PushPlan &plan) const {
        for (AttrNumber attnum : plan.written) {
            const DestinationColumn *column = destination_.column(attnum);
            if (!column->is_written_by(plan.operation))
                throw Error(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                            "column \"" + column->name + "\" of destination \"" + destination_.name +
                                "\" cannot be written",
                            "The destination itself fills it.", "Leave it out of the query.");
        }
    }

    const SyncDefinition &sync_;
    const Destination &destination_;
    std::vector<AttrNumber> written_, key_;
};

} // namespace

RowAddress::RowAddress(const PushPlan &plan, TupleTableSlot *made) {
    for (std::size_t i = 0; i < plan.address.size(); i++) {
        values[i] = made->tts_values[plan.address[i] - 1];
        nulls[i] = made->tts_isnull[plan.address[i] - 1];
    }
}

bool SyncOperations::take_all_alike() const {
    return added.operation == changed.operation && added.written == changed.written && added.address == changed.address;
}

void SyncOperations::check_rights(const Destination &destination) const {
    std::string missing;
    for (const PushPlan *plan : {&added, &changed, removed ? &*removed : &added}) {
        std::optional<MissingRight> lacking = missing_right(destination, *plan, GetUserId());
        std::string right = lacking ? lacking->text(destination) : "";
        if (missing.find(right) == std::string::npos)
            missing += (missing.empty() ? "" : ", ") + right;
    }
    if (missing.empty())
        return;
    std::string role = role_name(GetUserId());
    throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied for foreign table " + destination.name,
                "A sync runs with the rights of its owner, and role \"" + role + "\" lacks " + missing + ".");
}

SyncOperations SyncOperations::choose(const SyncDefinition &sync, const Destination &destination) {
    return OperationChoice(sync, destination).choose();
}

bool looks_up_by(const Destination &destination, const std::vector<std::string> &columns) {
    std::vector<std::string> fields;
    for (const std::string &name : columns)
        if (const DestinationColumn *column = destination.column_named(name))
            fields.push_back(column->field);
    return lookup_by(destination.object, fields) != nullptr;
}

} // namespace reverse_etl
