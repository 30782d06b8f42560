// What HubSpot tells of its objects: properties, and custom objects. An account has those that were made.
#include "hubspot_errors.h"
#include "hubspot_handlers.h"
#include "json.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

void answer_list(const std::vector<std::string> &entries, Answer &answer) {
    answer.body = R"({"results":[)";
    for (const std::string &entry : entries)
        answer.body += (answer.body.ends_with('[') ? "" : ",") + entry;
    answer.body += "]}";
}

// What must be there as the published client has it, with the body laid over it.
void make(World &world, const Request &request, const std::string &usual, std::vector<std::string> &entries,
          Answer &answer) try {
    const std::string body = world.json.compact(request.body);
    if (member(body, "name").empty())
        throw invalid_json("Some required fields were not set: [name]");
    entries.push_back(merged(usual, body, false));
    answer.set(201, entries.back());
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, invalid_json(error.what()));
} catch (const Refusal &refusal) {
    refuse(answer, refusal);
}

} // namespace

void list_properties(World &world, const Request &request, Answer &answer) {
    answer_list(world.hubspot_properties[request.parameters[0]], answer);
}

void make_property(World &world, const Request &request, Answer &answer) {
    make(world, request,
         R"({"name":"","label":"","type":"string","fieldType":"text","description":"","groupName":"information",)"
         R"("options":[],"hidden":false,"archived":false,)"
         R"("modificationMetadata":{"readOnlyValue":false,"readOnlyDefinition":false,"archivable":true}})",
         world.hubspot_properties[request.parameters[0]], answer);
}

void list_schemas(World &world, const Request &, Answer &answer) {
    answer_list(world.hubspot_schemas, answer);
}

void make_schema(World &world, const Request &request, Answer &answer) {
    make(world, request,
         R"({"id":"1","name":"","fullyQualifiedName":"","archived":false,"properties":[],"associations":[],)"
         R"("requiredProperties":[],"labels":{}})",
         world.hubspot_schemas, answer);
}

} // namespace reverse_etl::sandbox::crm
