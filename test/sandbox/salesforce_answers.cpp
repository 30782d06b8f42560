#include "salesforce_answers.h"

#include "json.h"
#include "salesforce_ids.h"

namespace reverse_etl::sandbox::sobjects {

namespace {

std::string name_list(const std::vector<std::string> &names) {
    std::string out = "[";
    for (const std::string &name : names) {
        out += out.size() > 1 ? "," : "";
        append_quoted(out, name);
    }
    return out += ']';
}

} // namespace

void refuse(Answer &answer, int status, std::string_view code, std::string_view message) {
    answer.set(status, "[{\"message\":" + in_quotes(message) + ",\"errorCode\":" + in_quotes(code) + "}]");
}

void refuse_json(Answer &answer, std::string_view what) {
    refuse(answer, 400, "JSON_PARSER_ERROR", what);
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

} // namespace reverse_etl::sandbox::sobjects
