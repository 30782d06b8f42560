#include "hubspot_errors.h"

#include <algorithm>

#include "json.h"
#include "router.h"
#include "text.h"

namespace reverse_etl::sandbox::crm {

namespace {

std::string kind_of(std::string_view object) {
    if (object == "companies")
        return "COMPANY";
    std::string kind(object.ends_with('s') ? object.substr(0, object.size() - 1) : object);
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::toupper(c); });
    return kind;
}

} // namespace

void refuse(Answer &answer, int status, std::string_view category, std::string_view message) {
    std::string body = R"({"status":"error","message":)";
    append_quoted(body, message);
    body.append(R"(,"correlationId":")").append(random_uuid()).append(R"(","category":")").append(category);
    answer.set(status, body += "\"}");
}

void refuse(Answer &answer, const Refusal &refusal) {
    refuse(answer, refusal.status, refusal.category, refusal.message);
}

void refuse(Answer &answer, const RowError &error) {
    refuse(answer, error.status, error.category, error.message);
}

void refuse_unknown(Answer &answer) {
    refuse(answer, 404, "OBJECT_NOT_FOUND", "resource not found");
}

Refusal invalid_json(std::string_view what) {
    return {400, "VALIDATION_ERROR", std::string("Invalid input JSON: ").append(what)};
}

Refusal invalid_json(const Request &request, const char *at, std::string_view what) {
    std::string message = "Invalid input JSON on line 1, column ";
    append_number(message, at - request.body.data() + 1);
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
    return {409, "CONFLICT", kind + " already exists. Existing ID: " + hubspot_id(position)};
}

RowError not_there(std::string_view object) {
    return {404, "OBJECT_NOT_FOUND",
            "Could not get some " + kind_of(object) +
                " objects, they may be deleted or not exist. Check that ids are valid."};
}

} // namespace reverse_etl::sandbox::crm
