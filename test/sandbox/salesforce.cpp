// Salesforce's REST API: /services/oauth2/token and /services/data/vNN.N/...
#include <algorithm>
#include <stdexcept>

#include "json.h"
#include "router.h"
#include "salesforce_ids.h"
#include "soql.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::size_t collection_limit = 200;
constexpr std::size_t retrieve_limit = 2000;

// ---- errors ---------------------------------------------------------------------------------------------------------

struct RowError {
    std::string code; // empty: no error
    std::string message;
    std::vector<std::string> fields;

    explicit operator bool() const { return !code.empty(); }
};

std::string name_list(const std::vector<std::string> &names) {
    std::string out = "[";
    for (const std::string &name : names) {
        out += out.size() > 1 ? "," : "";
        append_quoted(out, name);
    }
    return out += ']';
}

void refuse(Answer &answer, int status, std::string_view code, std::string_view message) {
    answer.set(status, "[{\"message\":" + in_quotes(message) + ",\"errorCode\":" + in_quotes(code) + "}]");
}

void refuse_row(Answer &answer, const RowError &error) {
    answer.set(400, "[{\"message\":" + in_quotes(error.message) + ",\"errorCode\":" + in_quotes(error.code) +
                        ",\"fields\":" + name_list(error.fields) + "}]");
}

void refuse_unknown(Answer &answer) {
    refuse(answer, 404, "NOT_FOUND", "The requested resource does not exist");
}

void refuse_size(Answer &answer, std::size_t limit) {
    refuse(answer, 400, "EXCEEDED_MAX_SIZE_REQUEST",
           "record limit reached. cannot submit more than " + std::to_string(limit) + " records into this call");
}

// ---- one row --------------------------------------------------------------------------------------------------------

struct Row {
    std::string fields; // a compact object without attributes and Id
    std::string object;
    std::string id;
    RowError error;
    std::optional<std::size_t> position;
    bool created = false;
};

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

// The record an id names, or why there is none.
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

// ---- results --------------------------------------------------------------------------------------------------------

void append_result(std::string &out, const Row &row, bool tell_created) {
    if (row.error) {
        out += "{\"success\":false,\"errors\":[{\"statusCode\":";
        append_quoted(out, row.error.code);
        out += ",\"message\":";
        append_quoted(out, row.error.message);
        out.append(",\"fields\":").append(name_list(row.error.fields)).append("}]");
    } else {
        out += "{\"id\":";
        append_quoted(out, salesforce_id(row.object, *row.position));
        out += ",\"success\":true,\"errors\":[]";
    }
    if (tell_created)
        out += row.created ? ",\"created\":true" : ",\"created\":false";
    out += '}';
}

void append_record(std::string &out, const Request &request, std::string_view object, std::size_t position,
                   const Table::Record &record, const std::vector<std::string> *fields) {
    std::string id = salesforce_id(object, position);
    out += "{\"attributes\":{\"type\":";
    append_quoted(out, object);
    out += ",\"url\":";
    append_quoted(out, "/services/data/" + request.parameters[0] + "/sobjects/" + std::string(object) + '/' + id);
    out += '}';
    auto add = [&](std::string_view name, std::string_view value) {
        out += ',';
        append_quoted(out, name);
        out.append(":").append(value.empty() ? "null" : value);
    };
    if (!fields) {
        add("Id", in_quotes(id));
        for_each_member(record.json(), add);
    } else {
        for (const std::string &name : *fields)
            add(name, name == "Id" ? in_quotes(id) : member(record.json(), name));
    }
    out += '}';
}

// ---- collections ----------------------------------------------------------------------------------------------------

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
        return refuse(answer, 400, "JSON_PARSER_ERROR", "The property 'records' is missing or no array");
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
    refuse(answer, 400, "JSON_PARSER_ERROR", error.what());
}

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
    refuse(answer, 400, "JSON_PARSER_ERROR", error.what());
}

// ---- single records -------------------------------------------------------------------------------------------------

void create_one(World &world, const Request &request, Answer &answer) try {
    Row row = read_row(world.json.compact(request.body), request.parameters[1]);
    check(row);
    if (row.error)
        return refuse_row(answer, row.error);
    apply(world, row, request.now_ms);
    answer.status = 201;
    append_result(answer.body, row, false);
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, 400, "JSON_PARSER_ERROR", error.what());
}

// sobjects/{object}/{id} and sobjects/{object}/{field}/{value} name one record.
std::optional<std::size_t> named_record(World &world, const Request &request) {
    const auto &names = request.parameters;
    return names.size() == 4 ? find_by_field(world, names[1], names[2], names[3])
                             : find_by_field(world, names[1], "Id", names[2]);
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
    refuse(answer, 400, "JSON_PARSER_ERROR", error.what());
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
    refuse(answer, 400, "JSON_PARSER_ERROR", error.what());
}

void delete_one(World &world, const Request &request, Answer &answer) {
    auto position = named_record(world, request);
    if (!position)
        return refuse_unknown(answer);
    table_of(world, request.parameters[1]).remove(*position);
    ++world.stats.rows;
    answer.status = 204;
}

// ---- queries --------------------------------------------------------------------------------------------------------

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

// ---- what there is --------------------------------------------------------------------------------------------------

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

// ---- credentials ----------------------------------------------------------------------------------------------------

void refuse_token(Answer &answer, std::string_view error, std::string_view description) {
    answer.set(400, "{\"error\":" + in_quotes(error) + ",\"error_description\":" + in_quotes(description) + '}');
}

void token(World &world, const Request &request, Answer &answer) {
    Fields form = form_fields(request.body);
    std::string_view grant = field(form, "grant_type");
    if (field(form, "client_id").empty())
        return refuse_token(answer, "invalid_client_id", "client identifier invalid");
    if (grant != "refresh_token" && grant != "client_credentials")
        return refuse_token(answer, "unsupported_grant_type", "grant type not supported");
    if (!field(form, "client_secret").starts_with("secret"))
        return refuse_token(answer, "invalid_client", "invalid client credentials");
    if (grant == "refresh_token" && !field(form, "refresh_token").starts_with("refresh-"))
        return refuse_token(answer, "invalid_grant", "expired access/refresh token");
    std::string access = "00D5g0000000001!" + random_uuid() + '.' + std::to_string(++world.salesforce_tokens.count);
    world.salesforce_tokens.issued.insert(access);
    std::string_view host = request.header("Host");
    std::string scheme(request.header("X-Forwarded-Proto").empty() ? "http" : request.header("X-Forwarded-Proto"));
    std::string url = host.empty() ? world.base_url : scheme + "://" + std::string(host);
    answer.set(200, "{\"access_token\":" + in_quotes(access) + ",\"instance_url\":" + in_quotes(url) +
                        ",\"id\":" + in_quotes(url + "/id/00D5g0000000001AAA/0055g0000000001AAA") +
                        R"(,"token_type":"Bearer","scope":"api refresh_token","issued_at":")" +
                        std::to_string(request.now_ms) + R"(","signature":"c2FuZGJveA=="})");
}

bool is_valid(const SalesforceTokens &tokens, std::string_view token) {
    return tokens.issued.find(token) != tokens.issued.end() || (token.starts_with("token-") && !tokens.plain_expired);
}

bool authorize(World &world, const Request &request, Answer &answer) {
    SalesforceTokens &tokens = world.salesforce_tokens;
    if (tokens.requests_left == 0) {
        tokens.issued.clear();
        tokens.requests_left = -1;
    } else if (tokens.requests_left > 0) {
        --tokens.requests_left;
    }
    std::string_view header = request.header("Authorization");
    if (starts_with_any(header, {"Bearer ", "OAuth "}) && is_valid(tokens, header.substr(header.find(' ') + 1)))
        return true;
    refuse(answer, 401, "INVALID_SESSION_ID", "Session expired or invalid");
    return false;
}

void not_found(const Request &, Answer &answer) {
    refuse_unknown(answer);
}

// Salesforce says 403 for its request limit, not 429.
void fail(Failure failure, const FaultRule &rule, std::int64_t now, Answer &answer) {
    switch (failure) {
    case Failure::rate_limited:
        refuse(answer, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
        break;
    case Failure::unavailable:
        refuse(answer, 503, "SERVER_UNAVAILABLE", "Server is unavailable, try again later");
        break;
    case Failure::broken:
        refuse(answer, 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred");
        return;
    }
    if (std::string retry_after = rule.retry_after_header(now); !retry_after.empty())
        answer.headers.push_back({"Retry-After", retry_after});
}

void finish(World &world, Answer &answer) {
    answer.content_type = "application/json;charset=UTF-8";
    answer.headers.push_back(
        {"Sforce-Limit-Info", "api-usage=" + std::to_string(world.stats.requests % 100'000) + "/100000"});
}

constexpr Route routes[] = {
    {"POST", "/services/oauth2/token", token, true},
    {"GET", "/services/data", versions, true},
    {"GET", "/services/data/{version}/limits", limits},
    {"GET", "/services/data/{version}/query", query},
    {"GET", "/services/data/{version}/queryAll", query},
    {"GET", "/services/data/{version}/query/{locator}", query_more},
    {"POST", "/services/data/{version}/composite/sobjects", collection_create},
    {"PATCH", "/services/data/{version}/composite/sobjects", collection_update},
    {"DELETE", "/services/data/{version}/composite/sobjects", collection_delete},
    {"GET", "/services/data/{version}/composite/sobjects/{object}", collection_get},
    {"POST", "/services/data/{version}/composite/sobjects/{object}", collection_retrieve},
    {"PATCH", "/services/data/{version}/composite/sobjects/{object}/{field}", collection_upsert},
    {"GET", "/services/data/{version}/sobjects/{object}/describe", describe},
    {"POST", "/services/data/{version}/sobjects/{object}", create_one},
    {"GET", "/services/data/{version}/sobjects/{object}/{id}", read_one},
    {"PATCH", "/services/data/{version}/sobjects/{object}/{id}", update_one},
    {"DELETE", "/services/data/{version}/sobjects/{object}/{id}", delete_one},
    {"GET", "/services/data/{version}/sobjects/{object}/{field}/{value}", read_one},
    {"PATCH", "/services/data/{version}/sobjects/{object}/{field}/{value}", upsert_one},
    {"DELETE", "/services/data/{version}/sobjects/{object}/{field}/{value}", delete_one},
};

} // namespace

extern const Connector salesforce{"salesforce", "/services/", routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
