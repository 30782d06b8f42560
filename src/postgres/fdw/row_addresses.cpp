#include "postgres/fdw/row_addresses.h"

#include "engine/requests/lookup_operations.h"
#include "postgres/fdw/delivery_mode.h"

namespace reverse_etl {

namespace {

/// The ways in which an operation may name its row, for this table.
std::vector<RowAddress> addresses_of(const Destination &destination, const OperationSpec &operation) {
    std::vector<RowAddress> addresses;
    if (operation.by_id && destination.id_column() != nullptr)
        addresses.push_back({destination.id_column()});
    if (operation.by_key && !destination.key_columns().empty())
        addresses.push_back(destination.key_columns());
    return addresses;
}

bool looks_up_by(const Destination &destination, const RowAddress &columns) {
    std::vector<std::string> fields;
    for (const DestinationColumn *column : columns)
        fields.push_back(column->field);
    return lookup_by(destination.object, fields) != nullptr;
}

} // namespace

std::vector<RowAddress> lookup_addresses(const Destination &destination) {
    std::vector<RowAddress> addresses;
    for (const OperationSpec *lookup : destination.object.lookups()) {
        for (auto &columns : addresses_of(destination, *lookup))
            if (looks_up_by(destination, columns))
                addresses.push_back(std::move(columns));
        RowAddress own;
        for (const std::string &field : lookup->by_fields)
            if (const DestinationColumn *column = destination.column_of_field(field))
                own.push_back(column);
        if (!own.empty() && own.size() == lookup->by_fields.size() && looks_up_by(destination, own))
            addresses.push_back(std::move(own));
    }
    return addresses;
}

std::vector<RowAddress> target_addresses(const Destination &destination, const OperationSpec &operation) {
    auto addresses = addresses_of(destination, operation);
    bool is_queued = QueueEverything::is_in_force() ||
                     (destination.delivery == DeliveryMode::queued && destination.finds_id_by_key());
    if (!operation.by_key && is_queued && !destination.key_columns().empty())
        addresses.push_back(destination.key_columns());
    return addresses;
}

} // namespace reverse_etl
