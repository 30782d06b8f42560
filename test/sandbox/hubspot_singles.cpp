#include "hubspot_handlers.h"
#include "hubspot_records.h"
#include "hubspot_writes.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

std::optional<std::size_t> record_of(World &world, const Request &request) {
    Fields query = form_fields(request.query);
    return find_record(world.store.table("hubspot", request.parameters[0]), field(query, "idProperty"),
                       request.parameters[1]);
}

} // namespace

void create_one(World &world, const Request &request, Answer &answer) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    Input row = read_single(world, request, object, inputs);
    check(table, Write::create, object, inputs, row);
    if (row.error)
        return refuse(answer, row.error);
    apply(table, Write::create, request, inputs, row, false);
    ++world.stats.rows;
    answer.status = 201;
    append_written(answer.body, *row.position, table[*row.position], inputs.properties_of(row));
    answer.body += '}';
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

void update_one(World &world, const Request &request, Answer &answer) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    Input row = read_single(world, request, object, inputs);
    row.position = record_of(world, request);
    if (!row.position)
        return refuse_unknown(answer);
    if (row.error)
        return refuse(answer, row.error);
    apply(table, Write::update, request, inputs, row, false);
    ++world.stats.rows;
    append_written(answer.body, *row.position, table[*row.position], inputs.properties_of(row));
    answer.body += '}';
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

void read_one(World &world, const Request &request, Answer &answer) {
    auto position = record_of(world, request);
    if (!position)
        return refuse_unknown(answer);
    append_read(answer.body, *position, world.store.table("hubspot", request.parameters[0])[*position],
                asked_properties(request));
}

// Answers 204 also for what is not there, as HubSpot does.
void archive_one(World &world, const Request &request, Answer &answer) {
    if (auto position = record_of(world, request)) {
        world.store.table("hubspot", request.parameters[0]).remove(*position);
        ++world.stats.rows;
    }
    answer.status = 204;
}

} // namespace reverse_etl::sandbox::crm
