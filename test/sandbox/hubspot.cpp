// HubSpot's CRM objects API, version 3: /crm/v3/objects/{contacts|companies|deals|tickets|...}.
#include <algorithm>

#include "json.h"
#include "router.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::size_t batch_limit = 100;
constexpr std::size_t first_id = 501;

// ---- HubSpot's errors -----------------------------------------------------------------------------------------------

void refuse(Answer &answer, int status, std::string_view category, std::string_view message) {
    std::string body = R"({"status":"error","message":)";
    append_quoted(body, message);
    body.append(R"(,"correlationId":")").append(random_uuid()).append(R"(","category":")").append(category);
    answer.set(status, body += "\"}");
}

struct RowError {
    int status = 0; // 0: no error
    std::string_view category;
    std::string message;

    explicit operator bool() const { return status != 0; }
};

// A request that is refused as a whole.
struct Refusal {
    int status;
    std::string category;
    std::string message;
};

Refusal invalid_json(const char *begin, const char *at, std::string_view what) {
    std::string message = "Invalid input JSON on line 1, column ";
    append_number(message, at - begin + 1);
    return {400, "VALIDATION_ERROR", message.append(": ").append(what)};
}

RowError invalid_property(std::string_view code, std::string_view name, std::string_view message) {
    std::string detail = R"([{"isValid":false,"message":)";
    append_quoted(detail, message);
    detail.append(R"(,"error":")").append(code).append(R"(","name":)");
    append_quoted(detail, name);
    detail.append(R"(,"localizedErrorMessage":)");
    append_quoted(detail, message);
    return {400, "VALIDATION_ERROR", "Property values were not valid: " + detail + R"(,"portalId":1234567}])"};
}

RowError already_exists(std::string_view object, std::size_t position) {
    std::string kind = object == "companies" ? "Company" : std::string(object.substr(0, object.size() - 1));
    kind[0] = static_cast<char>(std::toupper(kind[0]));
    return {409, "CONFLICT", kind + " already exists. Existing ID: " + std::to_string(first_id + position)};
}

std::string kind_of(std::string_view object) {
    if (object == "companies")
        return "COMPANY";
    std::string kind(object.ends_with('s') ? object.substr(0, object.size() - 1) : object);
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::toupper(c); });
    return kind;
}

std::string not_found_message(std::string_view object) {
    return "Could not get some " + kind_of(object) +
           " objects, they may be deleted or not exist. Check that ids are valid.";
}

// ---- what a request says --------------------------------------------------------------------------------------------

struct Input {
    std::string_view id;
    std::string_view id_property; // empty: the record id
    std::string_view trace;
    std::size_t begin = 0, end = 0; // of its properties in Inputs::text, a compact object
    bool has_empty = false;         // a property is null or "", which clears it
    RowError error;
    std::optional<std::size_t> position; // of its record
    bool created = false;
};

struct Inputs {
    std::vector<Input> rows;
    std::string text;
    std::vector<std::string> properties; // batch/read: those asked for
    std::string_view id_property;        // batch/read: one for all inputs

    std::string_view properties_of(const Input &row) const {
        return std::string_view(text).substr(row.begin, row.end - row.begin);
    }
};

std::string_view string_in(simdjson::ondemand::value value, const Request &request) {
    const char *at = value.raw_json_token().data();
    std::string_view text;
    if (value.get_string().get(text))
        throw invalid_json(request.body.data(), at, "Cannot deserialize value of type `java.lang.String`");
    return text;
}

void lower_in_place(std::string &text, std::size_t begin) {
    for (std::size_t at = begin; at < text.size(); ++at)
        if (text[at] >= 'A' && text[at] <= 'Z')
            text[at] += 'a' - 'A';
}

bool is_email(std::string_view text) {
    return text.find('@') != text.npos && text.find(' ') == text.npos;
}

RowError invalid_email(std::string_view email) {
    return invalid_property("INVALID_EMAIL", "email", "Email address " + std::string(email) + " is invalid");
}

// Checks the property whose value ends Inputs::text.
void check_property(std::string_view name, std::string_view object, std::size_t value_begin, Inputs &inputs,
                    Input &row) {
    if (name == "email" && object == "contacts") {
        lower_in_place(inputs.text, value_begin);
        std::string_view email = std::string_view(inputs.text).substr(value_begin);
        if (!is_empty_value(email) && !is_email(email) && !row.error)
            row.error = invalid_email(plain(email));
    } else if (name.starts_with("unknown_") && !row.error) {
        row.error =
            invalid_property("PROPERTY_DOESNT_EXIST", name, "Property \"" + std::string(name) + "\" does not exist");
    }
}

void read_properties(simdjson::ondemand::value value, std::string_view object, const Request &request, Inputs &inputs,
                     Input &row) {
    const char *at = value.raw_json_token().data();
    if (value.type() != simdjson::ondemand::json_type::object)
        throw invalid_json(request.body.data(), at,
                           "Cannot deserialize value of type "
                           "`java.util.LinkedHashMap<java.lang.String,java.lang.String>`");
    row.begin = inputs.text.size();
    inputs.text += '{';
    for (simdjson::ondemand::field field : value.get_object()) {
        if (inputs.text.size() > row.begin + 1)
            inputs.text += ',';
        std::size_t name_begin = inputs.text.size();
        append_name(inputs.text, field);
        std::size_t name_end = inputs.text.size();
        inputs.text += ':';
        simdjson::ondemand::value content = field.value();
        simdjson::ondemand::json_type type = content.type();
        if (type != simdjson::ondemand::json_type::string && type != simdjson::ondemand::json_type::null)
            throw invalid_json(request.body.data(), content.raw_json_token().data(),
                               "Cannot deserialize value of type `java.lang.String`");
        append_compact(inputs.text, content);
        row.has_empty = row.has_empty || is_empty_value(std::string_view(inputs.text).substr(name_end + 1));
        std::string_view name = std::string_view(inputs.text).substr(name_begin + 1, name_end - name_begin - 2);
        check_property(name, object, name_end + 1, inputs, row);
    }
    inputs.text += '}';
    row.end = inputs.text.size();
}

Input read_input(simdjson::ondemand::value value, std::string_view object, const Request &request, Inputs &inputs) {
    Input row;
    for (simdjson::ondemand::field field : value.get_object()) {
        std::string_view name = field.unescaped_key();
        if (name == "properties")
            read_properties(field.value(), object, request, inputs, row);
        else if (name == "id")
            row.id = string_in(field.value(), request);
        else if (name == "idProperty")
            row.id_property = string_in(field.value(), request);
        else if (name == "objectWriteTraceId")
            row.trace = string_in(field.value(), request);
    }
    return row;
}

// The body of a batch request. Throws Refusal.
void read_inputs(World &world, const Request &request, std::string_view object, Inputs &inputs) try {
    bool found = false;
    simdjson::ondemand::document document = world.json.parse(request.body);
    for (simdjson::ondemand::field field : document.get_object()) {
        std::string_view name = field.unescaped_key();
        if (name == "inputs") {
            found = true;
            for (simdjson::ondemand::value value : field.value().get_array())
                inputs.rows.push_back(read_input(value, object, request, inputs));
        } else if (name == "properties") {
            for (simdjson::ondemand::value value : field.value().get_array())
                inputs.properties.emplace_back(string_in(value, request));
        } else if (name == "idProperty") {
            inputs.id_property = string_in(field.value(), request);
        }
    }
    require_end(document);
    if (!found)
        throw Refusal{400, "VALIDATION_ERROR", "Invalid input JSON: Some required fields were not set: [inputs]"};
    if (inputs.rows.size() > batch_limit)
        throw Refusal{400, "VALIDATION_ERROR",
                      "The maximum number of inputs supported in a batch request is 100. "
                      "Please reduce the number of items and try again"};
} catch (const simdjson::simdjson_error &error) {
    throw invalid_json(request.body.data(), request.body.data(), error.what());
}

// ---- records --------------------------------------------------------------------------------------------------------

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

// The value of a unique property as records hold it.
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

// A record as HubSpot answers a write: with the properties that were written. Left open for what the caller adds.
void append_written(std::string &out, std::size_t position, const Table::Record &record, std::string_view properties) {
    out += R"({"id":")";
    append_number(out, static_cast<std::int64_t>(first_id + position));
    out.append(R"(","properties":)").append(properties.substr(0, properties.size() - 1));
    if (properties.size() > 2)
        out += ',';
    append_system_properties(out, first_id + position, record);
    out += '}';
    append_times(out, record);
}

bool is_system_property(std::string_view name) {
    return name == "createdate" || name == "hs_object_id" || name == "lastmodifieddate";
}

// A record as HubSpot answers a read: the properties asked for, those it does not have as null.
void append_read(std::string &out, std::size_t position, const Table::Record &record,
                 const std::vector<std::string> &properties) {
    out += R"({"id":")";
    append_number(out, static_cast<std::int64_t>(first_id + position));
    out += R"(","properties":{)";
    append_system_properties(out, first_id + position, record);
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

// ---- batches --------------------------------------------------------------------------------------------------------

enum class Write { create, update, upsert };

std::string_view id_property_of(const Input &row, Write write) {
    return row.id_property.empty() && write == Write::upsert ? "hs_object_id" : row.id_property;
}

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

void check_create(Table &table, std::string_view object, const Inputs &inputs, Input &row) {
    std::string_view email = object == "contacts" ? inner(member(inputs.properties_of(row), "email")) : "";
    if (email.empty() || email == "null")
        return;
    if (auto existing = table.find("email", email))
        row.error = already_exists(object, *existing);
}

void check(Table &table, Write write, std::string_view object, const Inputs &inputs, Input &row) {
    if (row.begin == row.end)
        throw Refusal{400, "VALIDATION_ERROR", "Invalid input JSON: Some required fields were not set: [properties]"};
    if (row.error)
        return;
    if (write == Write::create)
        return check_create(table, object, inputs, row);
    if (row.id.empty())
        throw Refusal{400, "VALIDATION_ERROR", "Invalid input JSON: Some required fields were not set: [id]"};
    if (row.id_property == "hs_object_id")
        throw Refusal{400, "VALIDATION_ERROR",
                      "Unable to perform update/upsert by non-unique property hs_object_id in portal ID 1"};
    std::string_view property = id_property_of(row, write);
    row.position = find_record(table, property, row.id);
    bool by_id = property.empty() || property == "hs_object_id";
    if (!row.position && (write == Write::update || by_id))
        row.error = {404, "OBJECT_NOT_FOUND", not_found_message(object)};
    else if (!row.position && property == "email" && !is_email(row.id))
        row.error = invalid_email(row.id);
}

// The record that an upsert creates has the property by which it was looked for.
std::string with_key(std::string_view properties, std::string_view property, std::string_view id) {
    std::string key = "{";
    append_quoted(key, property);
    key.append(":\"").append(stored_key(property, id)).append("\"}");
    return merged(key, properties, true);
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
    refuse(answer, refusal.status, refusal.category, refusal.message);
}

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
    refuse(answer, refusal.status, refusal.category, refusal.message);
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
            row.error = {404, "OBJECT_NOT_FOUND", not_found_message(object)};
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
    refuse(answer, refusal.status, refusal.category, refusal.message);
}

// ---- single records -------------------------------------------------------------------------------------------------

void create_one(World &world, const Request &request, Answer &answer) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    Input row = read_input(world.json.parse(request.body).get_value(), object, request, inputs);
    check(table, Write::create, object, inputs, row);
    if (row.error)
        return refuse(answer, row.error.status, row.error.category, row.error.message);
    apply(table, Write::create, request, inputs, row, false);
    ++world.stats.rows;
    answer.status = 201;
    append_written(answer.body, *row.position, table[*row.position], inputs.properties_of(row));
    answer.body += '}';
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, 400, "VALIDATION_ERROR", std::string("Invalid input JSON: ") + error.what());
} catch (const Refusal &refusal) {
    refuse(answer, refusal.status, refusal.category, refusal.message);
}

std::optional<std::size_t> record_of(World &world, const Request &request) {
    Fields query = form_fields(request.query);
    return find_record(world.store.table("hubspot", request.parameters[0]), field(query, "idProperty"),
                       request.parameters[1]);
}

void refuse_unknown(Answer &answer) {
    refuse(answer, 404, "OBJECT_NOT_FOUND", "resource not found");
}

void update_one(World &world, const Request &request, Answer &answer) try {
    const std::string &object = request.parameters[0];
    Table &table = world.store.table("hubspot", object);
    Inputs inputs;
    Input row = read_input(world.json.parse(request.body).get_value(), object, request, inputs);
    row.position = record_of(world, request);
    if (!row.position)
        return refuse_unknown(answer);
    if (row.error)
        return refuse(answer, row.error.status, row.error.category, row.error.message);
    apply(table, Write::update, request, inputs, row, false);
    ++world.stats.rows;
    append_written(answer.body, *row.position, table[*row.position], inputs.properties_of(row));
    answer.body += '}';
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, 400, "VALIDATION_ERROR", std::string("Invalid input JSON: ") + error.what());
} catch (const Refusal &refusal) {
    refuse(answer, refusal.status, refusal.category, refusal.message);
}

std::vector<std::string> asked_properties(const Request &request) {
    std::vector<std::string> names;
    for (const std::string &pair : split(request.query, '&'))
        if (pair.starts_with("properties="))
            for (std::string &name : split(percent_decoded(pair.substr(11), true), ','))
                names.push_back(std::move(name));
    return names.empty() ? default_properties(request.parameters[0]) : names;
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

// ---- lists ----------------------------------------------------------------------------------------------------------

// Appends records from `after` on that `fits` and returns where the next page begins; 0: there is none.
template <class Fits>
std::size_t append_page(std::string &out, Table &table, std::size_t after, std::size_t limit,
                        const std::vector<std::string> &properties, Fits fits) {
    std::size_t count = 0;
    for (std::size_t position = after > first_id ? after - first_id : 0; position < table.end(); ++position) {
        if (!table.holds(position) || !fits(table[position]))
            continue;
        if (count == limit)
            return first_id + position;
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
    refuse(answer, 400, "VALIDATION_ERROR", std::string("Invalid input JSON: ") + error.what());
}

// ---- the rest -------------------------------------------------------------------------------------------------------

void token(World &, const Request &request, Answer &answer) {
    Fields form = form_fields(request.body);
    if (!field(form, "client_secret").starts_with("secret"))
        return answer.set(400, R"({"status":"BAD_CLIENT_SECRET","message":"missing or invalid client secret"})");
    if (field(form, "grant_type") == "refresh_token" && !field(form, "refresh_token").starts_with("refresh-"))
        return answer.set(400, R"({"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"})");
    std::string refresh = in_quotes(field(form, "refresh_token", "refresh-1"));
    answer.set(200, R"({"token_type":"bearer","refresh_token":)" + refresh + R"(,"access_token":"token-)" +
                        random_uuid() + R"(","expires_in":1800})");
}

bool authorize(World &, const Request &request, Answer &answer) {
    std::string_view credentials = request.header("Authorization");
    if (starts_with_any(credentials, {"Bearer pat-", "Bearer token-"}))
        return true;
    refuse(answer, 401, "INVALID_AUTHENTICATION",
           credentials.empty()
               ? "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
                 "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
               : "The OAuth token used to make this call is not valid or has expired.");
    return false;
}

void not_found(const Request &, Answer &answer) {
    refuse(answer, 404, "OBJECT_NOT_FOUND", "resource not found");
}

void fail(Failure failure, const FaultRule &rule, std::int64_t, Answer &answer) {
    if (failure == Failure::rate_limited) {
        answer.set(429, R"({"status":"error","message":"You have reached your ten_secondly_rolling limit.",)"
                        R"("errorType":"RATE_LIMIT","correlationId":")" +
                            random_uuid() +
                            R"(","policyName":"TEN_SECONDLY_ROLLING","groupName":"publicapi:private-apps:1234"})");
        answer.headers.push_back({"X-HubSpot-RateLimit-Interval-Milliseconds", std::to_string(rule.interval_ms)});
        answer.headers.push_back({"X-HubSpot-RateLimit-Remaining", "0"});
    } else {
        refuse(answer, failure == Failure::unavailable ? 503 : 500, "INTERNAL_ERROR", "internal error");
    }
}

// Every answer tells the limits; an answer that is itself a limit has told its own.
void finish(World &world, Answer &answer) {
    if (answer.status != 429) {
        int interval = world.faults.rules.empty() ? 10'000 : world.faults.rules.front().interval_ms;
        answer.headers.push_back({"X-HubSpot-RateLimit-Interval-Milliseconds", std::to_string(interval)});
        std::size_t remaining = world.settings.hubspot_rate_remaining.value_or(world.settings.hubspot_rate_max - 1);
        answer.headers.push_back({"X-HubSpot-RateLimit-Remaining", std::to_string(remaining)});
    }
    answer.headers.push_back({"X-HubSpot-RateLimit-Max", std::to_string(world.settings.hubspot_rate_max)});
    answer.headers.push_back({"X-HubSpot-RateLimit-Daily", "1000000"});
    answer.headers.push_back(
        {"X-HubSpot-RateLimit-Daily-Remaining", std::to_string(1'000'000 - world.stats.requests % 1'000'000)});
}

constexpr Route routes[] = {
    {"POST", "/crm/v3/objects/{object}/batch/create", batch_create},
    {"POST", "/crm/v3/objects/{object}/batch/update", batch_update},
    {"POST", "/crm/v3/objects/{object}/batch/upsert", batch_upsert},
    {"POST", "/crm/v3/objects/{object}/batch/archive", batch_archive},
    {"POST", "/crm/v3/objects/{object}/batch/read", batch_read},
    {"POST", "/crm/v3/objects/{object}/search", search},
    {"GET", "/crm/v3/objects/{object}", list},
    {"POST", "/crm/v3/objects/{object}", create_one},
    {"GET", "/crm/v3/objects/{object}/{id}", read_one},
    {"PATCH", "/crm/v3/objects/{object}/{id}", update_one},
    {"DELETE", "/crm/v3/objects/{object}/{id}", archive_one},
};

constexpr Route token_routes[] = {{"POST", "/oauth/2026-03/token", token, true}};

} // namespace

std::string hubspot_id(std::size_t position) {
    return std::to_string(first_id + position);
}

extern const Connector hubspot{"hubspot", "/crm/", routes, authorize, not_found, fail, finish};
extern const Connector hubspot_oauth{"hubspot", "/oauth/2026-03/", token_routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
