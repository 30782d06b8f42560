// HubSpot's CRM objects API, version 3: /crm/v3/objects/{contacts|companies|deals|tickets|...}.
#include "hubspot_errors.h"
#include "hubspot_handlers.h"
#include "hubspot_records.h"
#include "json.h"
#include "router.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

using namespace crm;

namespace {

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

void account_details(World &, const Request &, Answer &answer) {
    answer.set(200, R"({"portalId":1234567,"accountType":"DEVELOPER_TEST","timeZone":"Europe/Berlin"})");
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
    refuse_unknown(answer);
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
    {"GET", "/crm/v3/properties/{object}", list_properties},
    {"POST", "/crm/v3/properties/{object}", make_property},
};

constexpr Route schema_routes[] = {{"GET", "/crm-object-schemas/v3/schemas", list_schemas},
                                   {"POST", "/crm-object-schemas/v3/schemas", make_schema}};
constexpr Route account_routes[] = {{"GET", "/account-info/v3/details", account_details}};
constexpr Route token_routes[] = {{"POST", "/oauth/2026-03/token", token, true}};

} // namespace

std::string hubspot_id(std::size_t position) {
    return std::to_string(id_at(position));
}

extern const Connector hubspot{"hubspot", "/crm/", routes, authorize, not_found, fail, finish};
extern const Connector hubspot_schemas{"hubspot", "/crm-object-schemas/", schema_routes, authorize, not_found, fail,
                                       finish};
extern const Connector hubspot_account{"hubspot", "/account-info/", account_routes, authorize, not_found, fail, finish};
extern const Connector hubspot_oauth{"hubspot", "/oauth/2026-03/", token_routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
