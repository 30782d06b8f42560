// Salesforce's REST API: /services/oauth2/token and /services/data/vNN.N/...
#include "json.h"
#include "router.h"
#include "salesforce_answers.h"
#include "salesforce_handlers.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

using namespace sobjects;

namespace {

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

void user_info(World &, const Request &, Answer &answer) {
    answer.set(200, R"({"user_id":"0055g0000000001AAA","organization_id":"00D5g0000000001AAA",)"
                    R"("preferred_username":"sandbox@example.com"})");
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
    {"GET", "/services/oauth2/userinfo", user_info},
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
