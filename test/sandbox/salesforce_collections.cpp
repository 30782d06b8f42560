#include <algorithm>

#include "json.h"
#include "salesforce_answers.h"
#include "salesforce_handlers.h"
#include "salesforce_ids.h"
#include "text.h"

namespace reverse_etl::sandbox::sobjects {

namespace {

constexpr std::size_t collection_limit = 200;
constexpr std::size_t retrieve_limit = 2000;

enum class Write { create, update, upsert };

void find_target(World &world, Write write, std::string_view key, Row &row) {
    if (write == Write::update) {
        if (row.id.empty())
            row.error = {"MISSING_ARGUMENT", "Id not specified in an update call", {}};
        else
            row.position = find_by_id(world, row.object, row.id, row.error);
    } else if (write == Write::upsert) {
        std::string value = key == "Id" ? row.id : plain(member(row.fields, key));
        if (!value.empty() && value != "null")
            row.position = find_by_field(world, row.object, key, value);
        else if (key != "Id")
            row.error = {"MISSING_ARGUMENT", std::string(key) + " not specified", {}};
    }
}

// A later row with the key of an earlier one is refused.
void refuse_duplicates(std::vector<Row> &rows, std::string_view key) {
    std::set<std::string> seen;
    for (Row &row : rows) {
        std::string value = key == "Id" ? row.id : plain(member(row.fields, key));
        if (!row.error && !value.empty() && !seen.insert(value).second)
            row.error = {"DUPLICATE_VALUE", "Duplicate external id specified: " + value, {std::string(key)}};
    }
}

void roll_back(std::vector<Row> &rows) {
    if (std::none_of(rows.begin(), rows.end(), [](const Row &row) { return bool(row.error); }))
        return;
    for (Row &row : rows)
        if (!row.error)
            row.error = {"ALL_OR_NONE_OPERATION_ROLLED_BACK",
                         "Record rolled back because not all records were valid and the request was using AllOrNone "
                         "header",
                         {}};
}

void write_collection(World &world, const Request &request, Answer &answer, Write write, std::string_view object,
                      std::string_view key) try {
    std::string body = world.json.compact(request.body);
    std::string_view records = member(body, "records");
    if (!records.starts_with('['))
        return refuse_json(answer, "The property 'records' is missing or no array");
    std::vector<Row> rows;
    for_each_element(records, [&](std::string_view record) { rows.push_back(read_row(record, object)); });
    if (rows.size() > collection_limit)
        return refuse_size(answer, collection_limit);

    for (Row &row : rows) {
        find_target(world, write, key, row);
        if (!row.error)
            check(row);
    }
    if (write == Write::upsert)
        refuse_duplicates(rows, key);
    if (member(body, "allOrNone") == "true")
        roll_back(rows);

    answer.body = "[";
    for (Row &row : rows) {
        if (!row.error)
            apply(world, row, request.now_ms);
        answer.body += answer.body.size() > 1 ? "," : "";
        append_result(answer.body, row, write == Write::upsert);
    }
    answer.body += ']';
} catch (const simdjson::simdjson_error &error) {
    refuse_json(answer, error.what());
}

void retrieve(World &world, const Request &request, Answer &answer, const std::vector<std::string> &ids,
              const std::vector<std::string> &fields) {
    if (ids.size() > retrieve_limit)
        return refuse_size(answer, retrieve_limit);
    const std::string &object = request.parameters[1];
    answer.body = "[";
    for (const std::string &id : ids) {
        RowError ignored;
        auto position = find_by_id(world, object, id, ignored);
        answer.body += answer.body.size() > 1 ? "," : "";
        if (position)
            append_record(answer.body, request, object, *position, table_of(world, object)[*position], &fields);
        else
            answer.body += "null";
    }
    answer.body += ']';
}

} // namespace

void collection_create(World &world, const Request &request, Answer &answer) {
    write_collection(world, request, answer, Write::create, "", "");
}

void collection_update(World &world, const Request &request, Answer &answer) {
    write_collection(world, request, answer, Write::update, "", "");
}

void collection_upsert(World &world, const Request &request, Answer &answer) {
    write_collection(world, request, answer, Write::upsert, request.parameters[1], request.parameters[2]);
}

void collection_delete(World &world, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    std::vector<Row> rows;
    for (std::string &id : split(field(query, "ids"), ',')) {
        Row &row = rows.emplace_back();
        row.object = salesforce_object(id);
        row.position = find_by_id(world, row.object, id, row.error);
    }
    if (rows.size() > collection_limit)
        return refuse_size(answer, collection_limit);
    if (lower(field(query, "allOrNone")) == "true")
        roll_back(rows);
    answer.body = "[";
    for (const Row &row : rows) {
        if (!row.error) {
            table_of(world, row.object).remove(*row.position);
            ++world.stats.rows;
        }
        answer.body += answer.body.size() > 1 ? "," : "";
        append_result(answer.body, row, false);
    }
    answer.body += ']';
}

void collection_get(World &world, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    retrieve(world, request, answer, split(field(query, "ids"), ','), split(field(query, "fields"), ','));
}

void collection_retrieve(World &world, const Request &request, Answer &answer) try {
    std::string body = world.json.compact(request.body);
    auto names = [&](std::string_view of) {
        std::vector<std::string> out;
        if (std::string_view list = member(body, of); list.starts_with('['))
            for_each_element(list, [&](std::string_view name) { out.push_back(plain(name)); });
        return out;
    };
    retrieve(world, request, answer, names("ids"), names("fields"));
} catch (const simdjson::simdjson_error &error) {
    refuse_json(answer, error.what());
}

} // namespace reverse_etl::sandbox::sobjects
