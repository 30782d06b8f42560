#include "engine/requests/row_references.h"

#include "engine/requests/request_ids.h"

#include <algorithm>

namespace reverse_etl {

int RowReferences::use(const Object &object, const OperationSpec &spec, const std::string &placeholder) {
    const int column = column_of(object, spec, placeholder);
    key_names_row_ |= placeholder == "key" || placeholder == "keys";
    const bool is_about_a_row =
        spec.kind == OperationKind::update || spec.kind == OperationKind::remove || spec.kind == OperationKind::lookup;
    if (!is_about_a_row || !placeholder.starts_with("row."))
        return column;
    const DerivedSpec *derived = object.derived_named(placeholder.substr(4));
    const std::string field = derived != nullptr ? derived->from : placeholder.substr(4);
    const std::vector<std::string> &key = spec.by_fields.empty() ? object.key : spec.by_fields;
    const bool is_of_key = std::find(key.begin(), key.end(), field) != key.end();
    if (!is_of_key && field != object.id)
        return column;
    naming_.push_back(keep(column));
    if (derived != nullptr) // the digest of nothing is a name, but nobody's
        naming_.push_back(keep(statement_column(object, spec, field)));
    return column;
}

const std::string &RowReferences::field_of(int column) const {
    const auto position = static_cast<std::size_t>(column);
    return position < columns_.size() ? columns_[position].field : derived_names_[position - columns_.size()];
}

std::string_view RowReferences::mark_of(const std::string &placeholder) {
    const bool is_of_request = placeholder == "request.id", is_of_row = placeholder == "entry.id";
    names_ids_ |= is_of_request || is_of_row;
    names_request_ |= is_of_request;
    return is_of_request ? request_id_mark : is_of_row ? entry_id_mark : std::string_view();
}

std::size_t RowReferences::keep(int column) {
    auto found = std::find(kept_.begin(), kept_.end(), column);
    if (found == kept_.end())
        found = kept_.insert(kept_.end(), column);
    return found - kept_.begin();
}

int RowReferences::column_of(const Object &object, const OperationSpec &spec, const std::string &placeholder) {
    if (placeholder == "key" || placeholder == "keys") {
        if (key_ < 0)
            throw SettingError("operation \"" + std::string(operation_name(spec.kind)) + "\" of \"" + object.name +
                                   "\" needs a column that names the row",
                               "Set the table option \"key\".");
        return key_;
    }
    if (!placeholder.starts_with("row."))
        throw lacks_option(object, spec, placeholder);
    const std::string field = placeholder.substr(4);
    const DerivedSpec *derived = object.derived_named(field);
    if (derived == nullptr)
        return statement_column(object, spec, field);
    auto known = std::find(derived_names_.begin(), derived_names_.end(), field);
    if (known == derived_names_.end()) {
        derived_.push_back({statement_column(object, spec, derived->from), derived->steps.get()});
        known = derived_names_.insert(known, field);
    }
    return static_cast<int>(columns_.size() + (known - derived_names_.begin()));
}

int RowReferences::statement_column(const Object &object, const OperationSpec &spec, const std::string &field) const {
    for (std::size_t i = 0; i < columns_.size(); i++)
        if (columns_[i].field == field)
            return static_cast<int>(i);
    throw SettingError("operation \"" + std::string(operation_name(spec.kind)) + "\" of \"" + object.name +
                           "\" needs a value for field \"" + field + "\"",
                       "Name its column in the statement.");
}

SettingError lacks_option(const Object &object, const OperationSpec &spec, const std::string &name) {
    return SettingError("operation \"" + std::string(operation_name(spec.kind)) + "\" of \"" + object.name +
                            "\" needs the option \"" + name + "\"",
                        "Set it for the table or its server.");
}

} // namespace reverse_etl
