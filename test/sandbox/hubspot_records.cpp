#include "hubspot_records.h"

#include "hubspot_inputs.h"
#include "json.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

constexpr std::size_t first_id = 501;

} // namespace

std::size_t id_at(std::size_t position) {
    return first_id + position;
}

std::optional<std::size_t> position_of_id(Table &table, std::string_view id) {
    std::size_t number = 0;
    for (char digit : id) {
        if (digit < '0' || digit > '9' || number > 1'000'000'000)
            return std::nullopt;
        number = number * 10 + static_cast<std::size_t>(digit - '0');
    }
    if (number < first_id || !table.holds(number - first_id))
        return std::nullopt;
    return number - first_id;
}

std::string stored_key(std::string_view property, std::string_view value) {
    std::string key;
    append_quoted(key, value);
    if (property == "email")
        lower_in_place(key, 0);
    key.pop_back();
    key.erase(0, 1);
    return key;
}

std::optional<std::size_t> find_record(Table &table, std::string_view property, std::string_view id) {
    if (property.empty() || property == "hs_object_id")
        return position_of_id(table, id);
    return table.find(property, stored_key(property, id));
}

namespace {

void append_times(std::string &out, const Table::Record &record) {
    out += R"(,"createdAt":")";
    append_time(out, record.created_ms);
    out += R"(","updatedAt":")";
    append_time(out, record.updated_ms);
    out += R"(","archived":false)";
}

void append_system_properties(std::string &out, std::size_t id, const Table::Record &record) {
    out += R"("createdate":")";
    append_time(out, record.created_ms);
    out += R"(","hs_object_id":")";
    append_number(out, static_cast<std::int64_t>(id));
    out += R"(","lastmodifieddate":")";
    append_time(out, record.updated_ms);
    out += '"';
}

bool is_system_property(std::string_view name) {
    return name == "createdate" || name == "hs_object_id" || name == "lastmodifieddate";
}

} // namespace

void append_written(std::string &out, std::size_t position, const Table::Record &record, std::string_view properties) {
    out += R"({"id":")";
    append_number(out, static_cast<std::int64_t>(id_at(position)));
    out.append(R"(","properties":)").append(properties.substr(0, properties.size() - 1));
    if (properties.size() > 2)
        out += ',';
    append_system_properties(out, id_at(position), record);
    out += '}';
    append_times(out, record);
}

void append_read(std::string &out, std::size_t position, const Table::Record &record,
                 const std::vector<std::string> &properties) {
    out += R"({"id":")";
    append_number(out, static_cast<std::int64_t>(id_at(position)));
    out += R"(","properties":{)";
    append_system_properties(out, id_at(position), record);
    for (const std::string &name : properties) {
        if (is_system_property(name))
            continue;
        std::string_view value = member(record.json(), name);
        out += ',';
        append_quoted(out, name);
        out.append(":").append(value.empty() ? "null" : value);
    }
    out += '}';
    append_times(out, record);
    out += '}';
}

std::vector<std::string> default_properties(std::string_view object) {
    if (object == "contacts")
        return {"email", "firstname", "lastname"};
    if (object == "companies")
        return {"name", "domain"};
    if (object == "deals")
        return {"amount", "closedate", "dealname", "dealstage", "pipeline"};
    if (object == "tickets")
        return {"content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"};
    return {};
}

std::vector<std::string> asked_properties(const Request &request) {
    std::vector<std::string> names;
    for (const std::string &pair : split(request.query, '&'))
        if (pair.starts_with("properties="))
            for (std::string &name : split(percent_decoded(pair.substr(11), true), ','))
                names.push_back(std::move(name));
    return names.empty() ? default_properties(request.parameters[0]) : names;
}

} // namespace reverse_etl::sandbox::crm
