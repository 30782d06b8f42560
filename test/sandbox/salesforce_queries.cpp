#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "json.h"
#include "salesforce_answers.h"
#include "salesforce_handlers.h"
#include "salesforce_ids.h"
#include "soql.h"
#include "text.h"

namespace reverse_etl::sandbox::sobjects {

namespace {

bool fits(const Soql &query, std::size_t position, const Table::Record &record) {
    for (const Soql::Condition &condition : query.conditions) {
        std::string_view raw = member(record.json(), condition.field);
        std::string value = condition.field == "Id" ? salesforce_id(query.object, position) : plain(raw);
        bool among = false;
        for (const std::string &one : condition.values)
            among = among || lower(one) == lower(value);
        if (among == condition.negated)
            return false;
    }
    return true;
}

void run_query(World &world, const Request &request, Answer &answer, const std::string &text, std::size_t from) try {
    Soql query = parse_soql(text);
    Table &table = table_of(world, query.object);
    bool count_only = query.fields.front() == "COUNT()";
    std::size_t total = 0, to = from + world.settings.salesforce_page_size;
    std::string records;
    for (std::size_t position = 0; position < table.end() && total < query.limit; ++position) {
        if (!table.holds(position) || !fits(query, position, table[position]))
            continue;
        if (!count_only && total >= from && total < to) {
            records += records.empty() ? "" : ",";
            append_record(records, request, query.object, position, table[position], &query.fields);
        }
        ++total;
    }
    bool done = count_only || total <= to;
    answer.body = "{\"totalSize\":" + std::to_string(total) + ",\"done\":" + (done ? "true" : "false");
    if (!done) {
        auto &queries = world.salesforce_tokens.queries;
        auto known = std::find(queries.begin(), queries.end(), text);
        std::size_t number = static_cast<std::size_t>(known - queries.begin());
        if (known == queries.end())
            queries.push_back(text);
        answer.body += ",\"nextRecordsUrl\":" + in_quotes("/services/data/" + request.parameters[0] + "/query/01g" +
                                                          std::to_string(number) + '-' + std::to_string(to));
    }
    answer.body.append(",\"records\":[").append(records).append("]}");
} catch (const std::invalid_argument &error) {
    refuse(answer, 400, "MALFORMED_QUERY", error.what());
}

} // namespace

void query(World &world, const Request &request, Answer &answer) {
    Fields fields = form_fields(request.query);
    run_query(world, request, answer, std::string(field(fields, "q")), 0);
}

void query_more(World &world, const Request &request, Answer &answer) {
    unsigned long number = 0, from = 0;
    const auto &queries = world.salesforce_tokens.queries;
    if (std::sscanf(request.parameters[1].c_str(), "01g%lu-%lu", &number, &from) != 2 || number >= queries.size())
        return refuse(answer, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    run_query(world, request, answer, std::string(queries[number]), from);
}

void versions(World &, const Request &, Answer &answer) {
    answer.body = "[";
    for (int version = 50; version <= 62; ++version) {
        std::string number = std::to_string(version) + ".0";
        answer.body += version > 50 ? "," : "";
        answer.body +=
            "{\"label\":\"v" + number + "\",\"url\":\"/services/data/v" + number + "\",\"version\":\"" + number + "\"}";
    }
    answer.body += ']';
}

void limits(World &world, const Request &, Answer &answer) {
    answer.set(200, "{\"DailyApiRequests\":{\"Max\":100000,\"Remaining\":" +
                        std::to_string(100'000 - world.stats.requests % 100'000) + "}}");
}

// The fields that the object requires and those that its records have.
void describe(World &world, const Request &request, Answer &answer) {
    const std::string &object = request.parameters[1];
    std::vector<std::string> required = required_fields(object), names{"Id"};
    auto add = [&](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.emplace_back(name);
    };
    for (const std::string &name : required)
        add(name);
    add("Email");
    Table &table = table_of(world, object);
    for (std::size_t position = 0; position < std::min<std::size_t>(table.end(), 1000); ++position)
        if (table.holds(position))
            for_each_member(table[position].json(), [&](std::string_view name, std::string_view) { add(name); });
    answer.body = "{\"name\":" + in_quotes(object) + ",\"label\":" + in_quotes(object) +
                  ",\"createable\":true,\"updateable\":true,\"deletable\":true,\"queryable\":true,\"fields\":[";
    for (const std::string &name : names) {
        bool id = name == "Id", external = name.ends_with("__c");
        bool nillable = !id && std::find(required.begin(), required.end(), name) == required.end();
        auto flag = [](bool on) { return on ? "true" : "false"; };
        answer.body += id ? "" : ",";
        answer.body += "{\"name\":" + in_quotes(name) + ",\"label\":" + in_quotes(name) + ",\"type\":\"" +
                       (id                ? "id"
                        : name == "Email" ? "email"
                                          : "string") +
                       "\",\"nillable\":" + flag(nillable) + ",\"createable\":" + flag(!id) +
                       ",\"updateable\":" + flag(!id) + ",\"externalId\":" + flag(external) + '}';
    }
    answer.body += "]}";
}

} // namespace reverse_etl::sandbox::sobjects
