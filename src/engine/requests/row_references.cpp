#include "engine/requests/row_references.h"

#include <algorithm>

namespace reverse_etl {

int RowReferences::use(const Object &object, const OperationSpec &spec, const std::string &placeholder) {
    const int column = column_of(object, spec, placeholder);
    key_names_row_ |= placeholder == "key" || placeholder == "keys";
    const bool is_about_a_row =
        spec.kind == OperationKind::update || spec.kind == OperationKind::remove || spec.kind == OperationKind::lookup;
    if (!is_about_a_row || !placeholder.starts_with("row."))
        return column;
    const std::string field = placeholder.substr(4);
    const bool is_of_key = std::find(object.key.begin(), object.key.end(), field) != object.key.end();
    if (is_of_key || field == object.id)
        naming_.push_back(keep(column));
    return column;
}

std::size_t RowReferences::keep(int column) {
    auto found = std::find(kept_.begin(), kept_.end(), column);
    if (found == kept_.end())
        found = kept_.insert(kept_.end(), column);
    return found - kept_.begin();
}

int RowReferences::column_of(const Object &object, const OperationSpec &spec, const std::string &placeholder) const {
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
