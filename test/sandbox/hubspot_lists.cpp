#include <algorithm>

#include "hubspot_errors.h"
#include "hubspot_handlers.h"
#include "hubspot_records.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

// Appends records from `after` on that `fits` and returns where the next page begins; 0: there is none.
template <class Fits>
std::size_t append_page(std::string &out, Table &table, std::size_t after, std::size_t limit,
                        const std::vector<std::string> &properties, Fits fits) {
    std::size_t count = 0;
    for (std::size_t position = after > id_at(0) ? after - id_at(0) : 0; position < table.end(); ++position) {
        if (!table.holds(position) || !fits(table[position]))
            continue;
        if (count == limit)
            return id_at(position);
        if (count++ > 0)
            out += ',';
        append_read(out, position, table[position], properties);
    }
    return 0;
}

void append_paging(std::string &out, std::size_t next, const Request &request) {
    if (next == 0)
        return;
    std::string after = std::to_string(next);
    out.append(R"(,"paging":{"next":{"after":")").append(after).append(R"(","link":)");
    append_quoted(out, "https://api.hubapi.com" + std::string(request.path) + "?after=" + after);
    out += "}}";
}

} // namespace

void list(World &world, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    int limit = std::atoi(std::string(field(query, "limit", "10")).c_str());
    if (limit < 1 || limit > 100)
        return refuse(answer, 400, "VALIDATION_ERROR", "Invalid limit: it must be between 1 and 100");
    auto after = static_cast<std::size_t>(std::atoll(std::string(field(query, "after", "0")).c_str()));
    answer.body += R"({"results":[)";
    std::size_t next = append_page(answer.body, world.store.table("hubspot", request.parameters[0]), after,
                                   static_cast<std::size_t>(limit), asked_properties(request),
                                   [](const Table::Record &) { return true; });
    answer.body += ']';
    append_paging(answer.body, next, request);
    answer.body += '}';
}

namespace {

bool fits_filter(const Table::Record &record, std::string_view filter) {
    std::string name = plain(member(filter, "propertyName")), operation = plain(member(filter, "operator"));
    std::string value = lower(plain(member(record.json(), name)));
    bool among = false;
    if (operation == "IN" || operation == "NOT_IN")
        for_each_element(member(filter, "values"), [&](std::string_view one) { among |= lower(plain(one)) == value; });
    else
        among = lower(plain(member(filter, "value"))) == value;
    if (operation == "HAS_PROPERTY")
        return !value.empty();
    if (operation == "NOT_HAS_PROPERTY")
        return value.empty();
    return operation == "NEQ" || operation == "NOT_IN" ? !among : among && !value.empty();
}

bool fits_search(const Table::Record &record, std::string_view groups) {
    if (groups.empty() || groups == "[]")
        return true;
    bool any = false;
    for_each_element(groups, [&](std::string_view group) {
        bool all = true;
        for_each_element(member(group, "filters"),
                         [&](std::string_view filter) { all = all && fits_filter(record, filter); });
        any = any || all;
    });
    return any;
}

} // namespace

void search(World &world, const Request &request, Answer &answer) try {
    std::string body = world.json.compact(request.body);
    Table &table = world.store.table("hubspot", request.parameters[0]);
    std::string_view groups = member(body, "filterGroups");
    std::vector<std::string> properties;
    if (std::string_view names = member(body, "properties"); names.size() > 2)
        for_each_element(names, [&](std::string_view name) { properties.push_back(plain(name)); });
    else
        properties = default_properties(request.parameters[0]);
    auto number = [&](std::string_view name, std::size_t otherwise) {
        std::string text = plain(member(body, name));
        return text.empty() ? otherwise : static_cast<std::size_t>(std::atoll(text.c_str()));
    };
    auto fits = [&](const Table::Record &record) { return fits_search(record, groups); };
    std::size_t total = 0;
    for (std::size_t position = 0; position < table.end(); ++position)
        total += table.holds(position) && fits(table[position]);
    answer.body += R"({"total":)";
    append_number(answer.body, static_cast<std::int64_t>(total));
    answer.body += R"(,"results":[)";
    std::size_t next = append_page(answer.body, table, number("after", 0),
                                   std::min<std::size_t>(number("limit", 10), 200), properties, fits);
    answer.body += ']';
    append_paging(answer.body, next, request);
    answer.body += '}';
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, invalid_json(error.what()));
}

} // namespace reverse_etl::sandbox::crm
