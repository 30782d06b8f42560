#include "salesforce_rows.h"

#include "json.h"
#include "salesforce_ids.h"

namespace reverse_etl::sandbox::sobjects {

std::vector<std::string> required_fields(std::string_view object) {
    if (object == "Contact")
        return {"LastName"};
    if (object == "Lead")
        return {"LastName", "Company"};
    if (object == "Account")
        return {"Name"};
    if (object == "Opportunity")
        return {"Name", "StageName", "CloseDate"};
    return {};
}

namespace {

std::string joined(const std::vector<std::string> &names) {
    std::string out;
    for (const std::string &name : names)
        out += (out.empty() ? "" : ", ") + name;
    return out;
}

RowError missing_fields(std::string_view object, std::string_view fields, bool creating) {
    std::vector<std::string> missing;
    for (const std::string &name : required_fields(object)) {
        std::string_view value = member(fields, name);
        if (value.empty() ? creating : is_empty_value(value))
            missing.push_back(name);
    }
    if (missing.empty())
        return {};
    return {"REQUIRED_FIELD_MISSING", "Required fields are missing: [" + joined(missing) + "]", missing};
}

RowError invalid_fields(std::string_view object, std::string_view fields) {
    RowError error;
    for_each_member(fields, [&](std::string_view name, std::string_view value) {
        if (error)
            return;
        if (name.starts_with("Unknown"))
            error = {"INVALID_FIELD",
                     "No such column '" + std::string(name) + "' on sobject of type " + std::string(object),
                     {}};
        else if (name == "Email" && !is_empty_value(value) && value.find('@') == value.npos)
            error = {"INVALID_EMAIL_ADDRESS", "Email: invalid email address: " + plain(value), {"Email"}};
    });
    return error;
}

} // namespace

Row read_row(std::string_view record, std::string_view object) {
    Row row;
    row.object = object;
    row.fields = "{";
    for_each_member(record, [&](std::string_view name, std::string_view value) {
        if (name == "attributes") {
            if (row.object.empty())
                row.object = plain(member(value, "type"));
        } else if (name == "Id" || name == "id") {
            row.id = plain(value);
        } else {
            row.fields += row.fields.size() > 1 ? "," : "";
            row.fields.append("\"").append(name).append("\":").append(value);
        }
    });
    row.fields += '}';
    return row;
}

Table &table_of(World &world, std::string_view object) {
    return world.store.table("salesforce", object);
}

std::optional<std::size_t> find_by_id(World &world, std::string_view object, std::string_view id, RowError &error) {
    auto position = salesforce_position(object, id);
    Table &table = table_of(world, object);
    if (!position)
        error = {"MALFORMED_ID", "id value of incorrect type: " + std::string(id), {"Id"}};
    else if (*position >= table.end())
        error = {"INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", {}};
    else if (!table.holds(*position))
        error = {"ENTITY_IS_DELETED", "entity is deleted", {}};
    else
        return position;
    return std::nullopt;
}

std::optional<std::size_t> find_by_field(World &world, std::string_view object, std::string_view name,
                                         std::string_view value) {
    if (name == "Id") {
        RowError ignored;
        return find_by_id(world, object, value, ignored);
    }
    return table_of(world, object).find(name, inner(in_quotes(value)));
}

void check(Row &row) {
    row.error = invalid_fields(row.object, row.fields);
    if (!row.error)
        row.error = missing_fields(row.object, row.fields, !row.position);
}

void apply(World &world, Row &row, std::int64_t now) {
    Table &table = table_of(world, row.object);
    ++world.stats.rows;
    if (row.position)
        return table.replace(*row.position, merged(table[*row.position].json(), row.fields, true), now);
    row.created = true;
    if (world.faults.discard)
        row.position = table.count_only();
    else
        row.position = table.insert(merged("{}", row.fields, true), now);
}

} // namespace reverse_etl::sandbox::sobjects
