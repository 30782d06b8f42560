#include <algorithm>
#include <utility>

#include "hubspot_handlers.h"
#include "hubspot_records.h"
#include "hubspot_writes.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

// HubSpot takes no batch that names a record twice.
void refuse_duplicates(const Inputs &inputs, Write write) {
    std::vector<std::string_view> ids;
    for (const Input &row : inputs.rows) {
        std::string_view id = write == Write::create ? inner(member(inputs.properties_of(row), "email")) : row.id;
        if (!id.empty())
            ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end());
    auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice != ids.end())
        throw Refusal{400, "VALIDATION_ERROR",
                      "Duplicate IDs found in batch input: [" + std::string(*twice) + "]. IDs must be unique"};
}

// By https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide a batch updates contacts by
// their ids.
void refuse_email(const Inputs &inputs, std::string_view object, Write write) {
    for (const Input &row : inputs.rows)
        if (write == Write::update && object == "contacts" && row.id_property == "email")
            throw Refusal{400, "VALIDATION_ERROR", "Unable to perform update/upsert by non-unique 0-1 property email"};
}

void open_batch(std::string &out) {
    out += R"({"status":"COMPLETE","results":[)";
}

void close_batch(std::string &out, const Request &request) {
    out += R"(],"requestedAt":")";
    append_time(out, request.now_ms);
    out += R"(","startedAt":")";
    append_time(out, request.now_ms);
    out += R"(","completedAt":")";
    append_time(out, request.now_ms);
    out += '"';
}

void append_error(std::string &out, const RowError &error, std::string_view context) {
    out.append(R"({"id":")").append(random_uuid());
    out.append(R"(","status":"error","category":")").append(error.category).append(R"(","message":)");
    append_quoted(out, error.message);
    out.append(R"(,"context":)").append(context).append(R"(,"links":{},"errors":[]})");
}

std::string trace_context(const Input &row) {
    return R"({"objectWriteTraceId":[)" + in_quotes(row.trace) + "]}";
}

// Rows of one category share an error that lists their ids, as HubSpot reports ids it does not know.
void append_errors(std::string &out, const Inputs &inputs, bool traced) {
    std::size_t count = 0;
    std::string errors, ids;
    const RowError *missing = nullptr;
    for (const Input &row : inputs.rows) {
        if (!row.error)
            continue;
        if (traced) {
            errors += count++ ? "," : "";
            append_error(errors, row.error, trace_context(row));
        } else {
            missing = &row.error;
            ids += ids.empty() ? "" : ",";
            append_quoted(ids, row.id);
        }
    }
    if (missing) {
        ++count;
        append_error(errors, *missing, "{\"ids\":[" + ids + "]}");
    }
    out += R"(,"numErrors":)";
    append_number(out, static_cast<std::int64_t>(count));
    out.append(R"(,"errors":[)").append(errors) += ']';
}

// Results come in another order than the inputs, as they may from HubSpot.
template <class Append>
void append_results(std::string &out, const Inputs &inputs, Append append) {
    bool first = true;
    for (auto row = inputs.rows.rbegin(); row != inputs.rows.rend(); ++row)
        if (!row->error && row->position) {
            if (!std::exchange(first, false))
                out += ',';
            append(*row);
        }
}

void append_write_result(std::string &out, Table &table, Write write, const Request &request, const Inputs &inputs,
                         const Input &row, bool discard) {
    const Table::Record unkept{nullptr, 0, 0, request.now_ms, request.now_ms, true};
    const Table::Record &record = discard && row.created ? unkept : table[*row.position];
    append_written(out, *row.position, record, inputs.properties_of(row));
    if (write == Write::upsert)
        out += row.created ? R"(,"new":true)" : R"(,"new":false)";
    if (!row.trace.empty()) {
        out += R"(,"objectWriteTraceId":)";
        append_quoted(out, row.trace);
    }
    out += '}';
}

void write_batch(World &world, const Request &request, Answer &answer, Write write) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    inputs.text.reserve(request.body.size());
    read_inputs(world, request, object, inputs);
    refuse_duplicates(inputs, write);
    refuse_email(inputs, object, write);

    bool traced = !inputs.rows.empty();
    for (Input &row : inputs.rows) {
        traced = traced && !row.trace.empty();
        check(table, write, object, inputs, row);
    }
    if (!traced)
        for (const Input &row : inputs.rows)
            if (row.error && row.error.category != "OBJECT_NOT_FOUND")
                throw Refusal{row.error.status, std::string(row.error.category), row.error.message};

    bool errors = false;
    bool discard = world.faults.discard;
    for (Input &row : inputs.rows) {
        if (row.error) {
            errors = true;
            continue;
        }
        apply(table, write, request, inputs, row, discard);
        ++world.stats.rows;
    }

    answer.status = errors ? 207 : write == Write::create ? 201 : 200;
    open_batch(answer.body);
    append_results(answer.body, inputs, [&](const Input &row) {
        append_write_result(answer.body, table, write, request, inputs, row, discard);
    });
    close_batch(answer.body, request);
    if (errors)
        append_errors(answer.body, inputs, traced);
    answer.body += '}';
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

} // namespace

void batch_create(World &world, const Request &request, Answer &answer) {
    write_batch(world, request, answer, Write::create);
}

void batch_update(World &world, const Request &request, Answer &answer) {
    write_batch(world, request, answer, Write::update);
}

void batch_upsert(World &world, const Request &request, Answer &answer) {
    write_batch(world, request, answer, Write::upsert);
}

void batch_archive(World &world, const Request &request, Answer &answer) try {
    Table &table = world.store.table("hubspot", request.parameters[0]);
    Inputs inputs;
    read_inputs(world, request, request.parameters[0], inputs);
    for (const Input &row : inputs.rows)
        if (auto position = position_of_id(table, row.id)) {
            table.remove(*position);
            ++world.stats.rows;
        }
    answer.status = 204;
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

void batch_read(World &world, const Request &request, Answer &answer) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    read_inputs(world, request, object, inputs);
    bool missing = false;
    for (Input &row : inputs.rows) {
        row.position = find_record(table, inputs.id_property, row.id);
        if (!row.position) {
            missing = true;
            row.error = not_there(object);
        }
    }
    std::vector<std::string> properties = inputs.properties.empty() ? default_properties(object) : inputs.properties;
    answer.status = missing ? 207 : 200;
    open_batch(answer.body);
    append_results(answer.body, inputs, [&](const Input &row) {
        append_read(answer.body, *row.position, table[*row.position], properties);
    });
    close_batch(answer.body, request);
    if (missing)
        append_errors(answer.body, inputs, false);
    answer.body += '}';
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

} // namespace reverse_etl::sandbox::crm
