#include "json.h"
#include "salesforce_answers.h"
#include "salesforce_handlers.h"
#include "text.h"

namespace reverse_etl::sandbox::sobjects {

namespace {

// sobjects/{object}/{id} and sobjects/{object}/{field}/{value} name one record.
std::optional<std::size_t> named_record(World &world, const Request &request) {
    const auto &names = request.parameters;
    return names.size() == 4 ? find_by_field(world, names[1], names[2], names[3])
                             : find_by_field(world, names[1], "Id", names[2]);
}

} // namespace

void create_one(World &world, const Request &request, Answer &answer) try {
    Row row = read_row(world.json.compact(request.body), request.parameters[1]);
    check(row);
    if (row.error)
        return refuse_row(answer, row.error);
    apply(world, row, request.now_ms);
    answer.status = 201;
    append_result(answer.body, row, false);
} catch (const simdjson::simdjson_error &error) {
    refuse_json(answer, error.what());
}

void read_one(World &world, const Request &request, Answer &answer) {
    auto position = named_record(world, request);
    if (!position)
        return refuse_unknown(answer);
    Fields query = form_fields(request.query);
    std::vector<std::string> fields = split(field(query, "fields"), ',');
    append_record(answer.body, request, request.parameters[1], *position,
                  table_of(world, request.parameters[1])[*position], fields.empty() ? nullptr : &fields);
}

void update_one(World &world, const Request &request, Answer &answer) try {
    Row row = read_row(world.json.compact(request.body), request.parameters[1]);
    row.position = named_record(world, request);
    if (!row.position)
        return refuse_unknown(answer);
    check(row);
    if (row.error)
        return refuse_row(answer, row.error);
    apply(world, row, request.now_ms);
    answer.status = 204;
} catch (const simdjson::simdjson_error &error) {
    refuse_json(answer, error.what());
}

void upsert_one(World &world, const Request &request, Answer &answer) try {
    const std::string &key = request.parameters[2];
    std::string body = world.json.compact(request.body);
    if (key != "Id")
        body = merged(body, "{" + in_quotes(key) + ":" + in_quotes(request.parameters[3]) + "}", false);
    Row row = read_row(body, request.parameters[1]);
    row.position = named_record(world, request);
    check(row);
    if (row.error)
        return refuse_row(answer, row.error);
    apply(world, row, request.now_ms);
    answer.status = row.created ? 201 : 200;
    append_result(answer.body, row, true);
} catch (const simdjson::simdjson_error &error) {
    refuse_json(answer, error.what());
}

void delete_one(World &world, const Request &request, Answer &answer) {
    auto position = named_record(world, request);
    if (!position)
        return refuse_unknown(answer);
    table_of(world, request.parameters[1]).remove(*position);
    ++world.stats.rows;
    answer.status = 204;
}

} // namespace reverse_etl::sandbox::sobjects
