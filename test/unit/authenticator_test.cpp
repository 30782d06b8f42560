#include "engine/requests/authenticator.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

const Settings hubspot_app = {
    {"client_id", "app"}, {"client_secret", "s3cr3t&="}, {"refresh_token", "refresh-me"}, {"unrelated", "x"}};

std::vector<AuthSpec> kinds(const char *connector, const char *object, const Settings &settings) {
    return built_in_connector(connector).object(object, settings).auth;
}

std::string hubspot_token_url() {
    return kinds("hubspot", "contacts", {})[1].token->url;
}

Authenticator hubspot(const Settings &credentials) {
    return Authenticator(kinds("hubspot", "contacts", {}), credentials);
}

Authenticator http(const Settings &credentials, Settings settings = {}) {
    settings["base_url"] = "https://api.example.com";
    return Authenticator(kinds("http", "endpoint", settings), credentials);
}

/// The headers that it adds, one a line.
std::string signature(const Authenticator &authenticator) {
    Headers headers;
    authenticator.sign(headers);
    std::string result;
    for (const auto &[name, value] : headers)
        result += name + ": " + value + "\n";
    return result;
}

Response answer(long status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

/// How an authenticator complains of the answer to a request for a token.
std::string fault(const Response &response, Fault expected) {
    Authenticator authenticator = hubspot(hubspot_app);
    const std::optional<TokenFault> fault = authenticator.token()->read(response);
    if (!fault)
        return "";
    BOOST_TEST((fault->error.fault == expected));
    // What passes says nothing of credentials, and what does not is not asked for again.
    BOOST_TEST(fault->passes == (expected == Fault::unreachable));
    return std::string(fault->error.what()) + "\n" + fault->error.detail + "\n" + fault->error.hint;
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kinds_of_authentication)

BOOST_AUTO_TEST_CASE(none) {
    BOOST_TEST(signature(http({})) == "");
    BOOST_TEST(http({}).ready());
}

BOOST_AUTO_TEST_CASE(bearer) {
    BOOST_TEST(signature(hubspot({{"access_token", "pat-1"}})) == "Authorization: Bearer pat-1\n");
    BOOST_TEST(!hubspot({{"access_token", "pat-1"}}).renewable());
    BOOST_TEST(hubspot({{"access_token", "pat-1"}}).ready());
}

BOOST_AUTO_TEST_CASE(basic) {
    // The example of RFC 7617 section 2
    BOOST_TEST(signature(http({{"username", "Aladdin"}, {"password", "open sesame"}})) ==
               "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n");
    BOOST_TEST(signature(http({{"username", ""}, {"password", ""}})) == "Authorization: Basic Og==\n");
}

BOOST_AUTO_TEST_CASE(header) {
    BOOST_TEST(signature(http({{"api_key", "k"}})) == "X-Api-Key: k\n");
    BOOST_TEST(signature(http({{"api_key", "k"}}, {{"api_key_header", "X-Auth"}})) == "X-Auth: k\n");
}

BOOST_AUTO_TEST_CASE(a_credential_is_not_looked_into) {
    BOOST_TEST(signature(hubspot({{"access_token", "{client_secret}"}, {"client_secret", "s"}})) ==
               "Authorization: Bearer {client_secret}\n");
}

BOOST_AUTO_TEST_CASE(the_first_that_is_complete_counts) {
    BOOST_TEST(signature(http({{"username", "u"}, {"password", "p"}, {"token", "t"}})) == "Authorization: Bearer t\n");
    BOOST_TEST(signature(http({{"username", "u"}, {"api_key", "k"}})) == "X-Api-Key: k\n");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_listed_without_what_is_there) {
    try {
        hubspot({{"client_id", "very"}, {"client_secret", "private"}});
        BOOST_ERROR("incomplete credentials were taken");
    } catch (const SettingError &error) {
        BOOST_TEST(error.hint == "It must hold access_token, or client_id and client_secret and refresh_token.");
        BOOST_TEST(!contains(error.what() + error.hint, "very"));
        BOOST_TEST(!contains(error.what() + error.hint, "private"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(oauth2)

BOOST_AUTO_TEST_CASE(refresh_token) {
    Authenticator authenticator = hubspot(hubspot_app);
    BOOST_TEST(authenticator.renewable());
    BOOST_TEST(!authenticator.ready());
    const Request request = authenticator.token()->request();
    BOOST_TEST(request.method == "POST");
    BOOST_TEST(request.url == hubspot_token_url());
    BOOST_TEST(request.body == "grant_type=refresh_token&client_id=app&client_secret=s3cr3t%26%3D"
                               "&refresh_token=refresh-me");
    BOOST_TEST(request.headers.back().second == "application/x-www-form-urlencoded");
    authenticator.token()->read(answer(200, R"({"access_token": "t1", "expires_in": 1800})"));
    BOOST_TEST(authenticator.ready());
    BOOST_TEST(authenticator.generation() == 1u);
    BOOST_TEST(signature(authenticator) == "Authorization: Bearer t1\n");
    authenticator.forget_token();
    BOOST_TEST(!authenticator.ready());
}

BOOST_AUTO_TEST_CASE(client_credentials) {
    Authenticator authenticator(kinds("salesforce", "Contact", {{"instance", "acme"}}),
                                {{"client_id", "i"}, {"client_secret", "s"}});
    const Request request = authenticator.token()->request();
    BOOST_TEST(request.url == "https://acme.my.salesforce.com/services/oauth2/token");
    BOOST_TEST(request.body == "grant_type=client_credentials&client_id=i&client_secret=s");
}

BOOST_AUTO_TEST_CASE(a_token_expires) {
    const auto ready_after = [](const char *expires_in) {
        Authenticator authenticator = hubspot(hubspot_app);
        authenticator.token()->read(
            answer(200, std::string(R"({"access_token": "t", "expires_in": )") + expires_in + "}"));
        return authenticator.ready();
    };
    BOOST_TEST(ready_after("3600"));
    BOOST_TEST(ready_after("30")); // half of a short life is used, not none of it
    // A token that was just made is used at least once.
    for (const char *said : {"0", "-5", "1", "0.001", "\"1\"", "-1e300", "\"soon\"", "{}"})
        BOOST_TEST(ready_after(said), said);
    BOOST_TEST(ready_after("1e300"));
    BOOST_TEST(ready_after("3599.5"));
    BOOST_TEST(ready_after("null"));
    BOOST_TEST(ready_after("\"3600\""));
}

BOOST_AUTO_TEST_CASE(answers_that_are_no_token) {
    for (const char *body :
         {"", "<html>", "[]", "{}", R"({"access_token": 1})", R"({"access_token": null})", R"({"access_token": ""})"})
        BOOST_TEST(contains(fault(answer(200, body), Fault::unintelligible), "the answer holds none"), body);
    const std::string refused = R"({"error": "invalid_grant", "error_description": "expired"})";
    BOOST_TEST(fault(answer(400, refused), Fault::unauthorized)
                   .starts_with("no access token from " + hubspot_token_url() + ": HTTP status 400, expired\n"));
    BOOST_TEST(contains(fault(answer(400, R"({"error": "invalid_grant"})"), Fault::unauthorized), ", invalid_grant"));
    BOOST_TEST(contains(fault(answer(401, "<html>"), Fault::unauthorized), "HTTP status 401"));
    for (const long status : {408, 425, 429, 500, 502, 503}) {
        const std::string words = fault(answer(status, "later"), Fault::unreachable);
        BOOST_TEST(contains(words, "HTTP status " + std::to_string(status) + ", later"), words);
        BOOST_TEST(!contains(words, "credentials"), words);
    }
    BOOST_TEST(contains(fault(answer(404, ""), Fault::not_found), "HTTP status 404"));
    BOOST_TEST(fault(answer(201, R"({"access_token": "t"})"), Fault::unreachable) == "");
}

BOOST_AUTO_TEST_CASE(failures) {
    const auto failed = [](Failure failure) {
        Response response;
        response.failure = failure;
        response.failure_text = "words";
        return response;
    };
    BOOST_TEST(contains(fault(failed(Failure::unknown_host), Fault::unknown_host), "words"));
    BOOST_TEST(contains(fault(failed(Failure::not_trusted), Fault::not_trusted), "words"));
    BOOST_TEST(contains(fault(failed(Failure::interrupted), Fault::unreachable), "words"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_quotes_a_secret_is_not_repeated) {
    for (const char *quoted : {"s3cr3t&=", "refresh-me"}) {
        const std::string body =
            R"({"error": "invalid_grant", "error_description": "unknown: )" + std::string(quoted) + "\"}";
        const std::string words = fault(answer(400, body), Fault::unauthorized);
        BOOST_TEST(!contains(words, quoted), words);
        BOOST_TEST(contains(words, "HTTP status 400"), words);
    }
}

BOOST_AUTO_TEST_CASE(long_words_are_cut_between_characters) {
    std::string text;
    while (text.size() < 1000)
        text += "\u20ac";
    const std::string words = fault(answer(400, R"({"error_description": ")" + text + "\"}"), Fault::unauthorized);
    BOOST_TEST(contains(words, "\u20ac\n"));
    BOOST_TEST(words.size() < 500u);
}

BOOST_AUTO_TEST_SUITE_END()
