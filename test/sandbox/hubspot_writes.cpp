#include "hubspot_writes.h"

#include "hubspot_records.h"

namespace reverse_etl::sandbox::crm {

namespace {

std::string_view id_property_of(const Input &row, Write write) {
    return row.id_property.empty() && write == Write::upsert ? "hs_object_id" : row.id_property;
}

void check_create(Table &table, std::string_view object, const Inputs &inputs, Input &row) {
    std::string_view email = object == "contacts" ? inner(member(inputs.properties_of(row), "email")) : "";
    if (email.empty() || email == "null")
        return;
    if (auto existing = table.find("email", email))
        row.error = already_exists(object, *existing);
}

// The record that an upsert creates has the property by which it was looked for.
std::string with_key(std::string_view properties, std::string_view property, std::string_view id) {
    std::string key = "{";
    append_quoted(key, property);
    key.append(":\"").append(stored_key(property, id)).append("\"}");
    return merged(key, properties, true);
}

} // namespace

void check(Table &table, Write write, std::string_view object, const Inputs &inputs, Input &row) {
    if (row.begin == row.end)
        throw invalid_json("Some required fields were not set: [properties]");
    if (row.error)
        return;
    if (write == Write::create)
        return check_create(table, object, inputs, row);
    if (row.id.empty())
        throw invalid_json("Some required fields were not set: [id]");
    if (row.id_property == "hs_object_id")
        throw Refusal{400, "VALIDATION_ERROR",
                      "Unable to perform update/upsert by non-unique property hs_object_id in portal ID 1"};
    std::string_view property = id_property_of(row, write);
    row.position = find_record(table, property, row.id);
    bool by_id = property.empty() || property == "hs_object_id";
    if (!row.position && (write == Write::update || by_id))
        row.error = not_there(object);
    else if (!row.position && property == "email" && !is_email(row.id))
        row.error = invalid_email(row.id);
}

void apply(Table &table, Write write, const Request &request, const Inputs &inputs, Input &row, bool discard) {
    std::string_view properties = inputs.properties_of(row);
    std::string_view property = id_property_of(row, write);
    if (discard && !row.position) {
        row.created = true;
        row.position = table.count_only();
        return;
    }
    if (row.position) {
        std::string_view before = table[*row.position].json();
        table.replace(*row.position, merged(before, properties, true), request.now_ms);
        return;
    }
    row.created = true;
    if (write == Write::upsert && member(properties, property).empty())
        row.position = table.insert(with_key(properties, property, row.id), request.now_ms);
    else if (row.has_empty)
        row.position = table.insert(merged("{}", properties, true), request.now_ms);
    else
        row.position = table.insert(properties, request.now_ms);
}

} // namespace reverse_etl::sandbox::crm
