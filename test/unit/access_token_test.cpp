#include "engine/requests/authenticator.h"

#include "connector_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// An authenticator of a manifest with this auth.
struct SignedIn {
    SignedIn(const std::string &auth, const Settings &credentials)
        : authenticator(auth_of(auth, credentials), credentials) {}

    static std::vector<AuthSpec> auth_of(const std::string &auth, const Settings &credentials) {
        std::string declared;
        for (const auto &[name, value] : credentials)
            declared += (declared.empty() ? "\"" : ", \"") + name + R"(": {"description": "x"})";
        std::string manifest =
            small_manifest(R"({"list": {"request": "GET /things"}})", "\"credentials\": {" + declared + "}, ");
        const std::string none = R"({"kind": "none"})";
        manifest.replace(manifest.find(none), none.size(), auth);
        return Connector::parse(manifest).object("things", {}).auth;
    }

    AccessToken &token() { return *authenticator.token(); }
    Headers headers() {
        Headers headers;
        BOOST_TEST(authenticator.ready());
        authenticator.sign(headers);
        return headers;
    }

    Authenticator authenticator;
};

std::string oauth2(const std::string &members) {
    return R"({"kind": "oauth2", "token_url": "https://id.example/token", )" + members + "}";
}
std::string login(const std::string &members) {
    return R"({"kind": "login", "token_url": "https://id.example/login", "keep": {"token": "/data/token"}, )" +
           members + "}";
}

Response answer(long status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

std::string header(const Request &request, const std::string &name) {
    for (const auto &[other, value] : request.headers)
        if (other == name)
            return value;
    return "";
}

/// "" if the answer brought a token.
std::string fault(SignedIn &signer, const Response &response) {
    const auto fault = signer.token().read(response);
    return fault ? fault->error.what() : "";
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

const Settings client = {{"id", "i&d"}, {"secret", "s:3cret"}};
const std::string of_client = R"("client_id": "{id}", "client_secret": "{secret}")";

} // namespace

BOOST_AUTO_TEST_SUITE(requests_for_tokens)

BOOST_AUTO_TEST_CASE(a_client_in_a_basic_header_is_encoded_as_in_a_form) {
    SignedIn signer(oauth2(R"("grant": "client_credentials", "client": "basic", "scope": ["a", "b"], )" + of_client),
                    client);
    const Request request = signer.token().request();
    // RFC 6749 section 2.3.1: i%26d:s%3A3cret
    BOOST_TEST(header(request, "Authorization") == "Basic aSUyNmQ6cyUzQTNjcmV0");
    BOOST_TEST(request.body == "grant_type=client_credentials&scope=a%20b");
}

BOOST_AUTO_TEST_CASE(json_and_more_parameters) {
    SignedIn signer(
        oauth2(R"("grant": "client_credentials", "format": "json", "parameters": {"audience": "https://x"}, )" +
               of_client),
        client);
    const Request request = signer.token().request();
    BOOST_TEST(header(request, "Content-Type") == "application/json");
    BOOST_TEST(request.body == R"({"audience":"https://x","client_id":"i&d","client_secret":"s:3cret",)"
                               R"("grant_type":"client_credentials"})");
}

BOOST_AUTO_TEST_CASE(password) {
    SignedIn signer(oauth2(R"("grant": "password", "username": "{id}", "password": "{secret}")"), client);
    BOOST_TEST(signer.token().request().body == "grant_type=password&username=i%26d&password=s%3A3cret");
    BOOST_TEST(!signer.token().may_rotate());
}

BOOST_AUTO_TEST_CASE(a_new_refresh_token_takes_the_place_of_the_old_one) {
    SignedIn signer(oauth2(R"("grant": "refresh_token", "client_id": "{id}", "refresh_token": "{refresh}")"),
                    {{"id", "i"}, {"refresh", "first-token"}});
    BOOST_TEST(signer.token().may_rotate());
    BOOST_TEST(signer.token().request().body == "grant_type=refresh_token&client_id=i&refresh_token=first-token");
    BOOST_TEST(fault(signer, answer(200, R"({"access_token": "a", "refresh_token": "second&"})")) == "");
    BOOST_TEST(signer.token().request().body == "grant_type=refresh_token&client_id=i&refresh_token=second%26");
    BOOST_TEST(fault(signer, answer(200, R"({"access_token": "b"})")) == "");
    BOOST_TEST(contains(std::string(signer.token().request().body), "second%26"));
    BOOST_TEST(signer.token().mapped_refresh_token() == "first-token");
    // What the destination repeats of it is hidden.
    BOOST_TEST(!contains(fault(signer, answer(400, R"({"error": "no second& here"})")), "second&"));
}

BOOST_AUTO_TEST_CASE(a_refresh_token_may_be_said_not_to_rotate) {
    SignedIn signer(
        oauth2(R"("grant": "refresh_token", "client_id": "{id}", "refresh_token": "{refresh}", "rotates": false)"),
        {{"id", "i"}, {"refresh", "first-token"}});
    BOOST_TEST(signer.token().has_refresh_token());
    BOOST_TEST(!signer.token().may_rotate());
    // A server that gives another one all the same knows better than the manifest.
    BOOST_TEST(fault(signer, answer(200, R"({"access_token": "a", "refresh_token": "second"})")) == "");
    BOOST_TEST(signer.token().request().body == "grant_type=refresh_token&client_id=i&refresh_token=second");
}

BOOST_AUTO_TEST_CASE(a_login_by_get) {
    SignedIn signer(
        login(
            R"("method": "GET", "query": {"grant type": "x", "id": "{id}"}, "username": "{id}", "password": "{secret}",
                        "request_headers": {"X-Of": "{id}"}, "headers": {"X-Token": "t {login.token}", "X-Id": "{id}"})"),
        client);
    const Request request = signer.token().request();
    BOOST_TEST(request.method == "GET");
    BOOST_TEST(request.url == "https://id.example/login?grant%20type=x&id=i%26d");
    BOOST_TEST(request.body == "");
    BOOST_TEST(header(request, "X-Of") == "i&d");
    BOOST_TEST(header(request, "Authorization") == "Basic aSZkOnM6M2NyZXQ="); // RFC 7617: as it is
    BOOST_TEST(fault(signer, answer(200, R"({"data": {"token": "T"}})")) == "");
    BOOST_TEST((signer.headers() == Headers{{"X-Token", "t T"}, {"X-Id", "i&d"}}));
}

BOOST_AUTO_TEST_CASE(a_login_by_post_sends_any_json_or_a_form) {
    SignedIn json(login(R"("body": {"auth": [{"id": "{id}"}, 1, null]}, "username": "{secret}", "password": "")"),
                  {{"id", "a\"b"}, {"secret", "secret"}});
    BOOST_TEST(json.token().request().body == R"({"auth":[{"id":"a\"b"},1,null]})");
    SignedIn form(login(R"("format": "form", "body": {"id": "{id}", "secret": "{secret}"})"), client);
    BOOST_TEST(form.token().request().body == "id=i%26d&secret=s%3A3cret");
    BOOST_TEST(header(form.token().request(), "Content-Type") == "application/x-www-form-urlencoded");
}

BOOST_AUTO_TEST_CASE(a_credential_is_not_looked_into) {
    SignedIn signer(oauth2(R"("grant": "client_credentials", )" + of_client),
                    {{"id", "{secret}"}, {"secret", "{{x}}"}});
    BOOST_TEST(signer.token().request().body ==
               "grant_type=client_credentials&client_id=%7Bsecret%7D&client_secret=%7B%7Bx%7D%7D");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers_with_tokens)

BOOST_AUTO_TEST_CASE(refused_with_status_200) {
    // Marketo answers so.
    SignedIn signer(
        login(R"("body": {"id": "{id}", "s": "{secret}"}, "refused_when": {"/errors/0/code": ["601", "602"]},
                        "reason": ["/errors/0/message"])"),
        client);
    const std::string why =
        fault(signer, answer(200, R"({"errors": [{"code": "602", "message": "Access token expired"}]})"));
    BOOST_TEST(why == "no access token from https://id.example/login: HTTP status 200, Access token expired");
    BOOST_TEST(fault(signer, answer(200, R"({"errors": [{"code": "1"}], "data": {"token": "T"}})")) == "");
}

BOOST_AUTO_TEST_CASE(tokens_that_no_header_can_carry) {
    for (const char *text : {"a b", "a\\r\\nX-Other: 1", "\\u20ac", ""}) {
        SignedIn signer(oauth2(R"("grant": "client_credentials", )" + of_client), client);
        BOOST_TEST(fault(signer, answer(200, std::string(R"({"access_token": ")") + text + "\"}")) != "", text);
    }
    SignedIn signer(oauth2(R"("grant": "client_credentials", )" + of_client), client);
    BOOST_TEST(fault(signer, answer(200, R"({"access_token": ")" + std::string(32769, 'a') + "\"}")) != "");
}

BOOST_AUTO_TEST_CASE(where_the_api_is) {
    const auto signer = [] {
        return std::make_unique<SignedIn>(oauth2(R"("grant": "client_credentials", "keep": {"base_url": "/instance_url",
                                               "hosts": ["*.acme.example", "acme.example:8443"]}, )" +
                                                 of_client),
                                          client);
    };
    const auto token_with = [](const std::string &url) {
        return answer(200, R"({"access_token": "t", "instance_url": ")" + url + "\"}");
    };
    const std::string base = "https://api.example.com";
    for (const char *url : {"https://eu1.acme.example/v2/", "https://EU1.acme.example", "https://acme.example:8443"}) {
        auto one = signer();
        BOOST_TEST(fault(*one, token_with(url)) == "", url);
    }
    for (const char *url :
         {"http://eu1.acme.example", "https://acme.example", "https://acme.example.evil.example",
          "https://evilacme.example", "https://eu1.acme.example@evil.example/", "https://evil.example/.acme.example",
          "https://evil.example?.acme.example", "https://evil.example#.acme.example",
          "https://evil.example\\\\.acme.example", "https://.acme.example", "", "//x"}) {
        auto one = signer();
        BOOST_TEST(contains(fault(*one, token_with(url)), "none of the hosts that the connector names"), url);
    }
    auto one = signer();
    BOOST_TEST(fault(*one, token_with("https://eu1.acme.example/v2/")) == "");
    BOOST_TEST(one->authenticator.address(base + "/things?a=b", base) == "https://eu1.acme.example/v2/things?a=b");
    BOOST_TEST(one->authenticator.home_address("https://eu1.acme.example/v2/things?p=2", base) == base + "/things?p=2");
    BOOST_TEST(one->authenticator.home_address("https://eu1.acme.example/v22", base) == "https://eu1.acme.example/v22");
}

BOOST_AUTO_TEST_CASE(how_long_it_is_good) {
    const auto ready_after = [](const std::string &lifetime, const std::string &said) {
        SignedIn signer(oauth2(R"("grant": "client_credentials", "lifetime": )" + lifetime + ", " + of_client), client);
        const auto result = signer.token().result_of(answer(200, R"({"access_token": "t", "at": )" + said + "}"));
        const auto life = std::get<FetchedToken>(result).life;
        return life ? life->count() / 1000 : -1;
    };
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(WallClock::now().time_since_epoch()).count();
    BOOST_TEST(ready_after(R"({"at": "/at"})", "3600") == 3540);
    BOOST_TEST(ready_after(R"({"at": "/at", "unit": "ms"})", "\"3600000\"") == 3540);
    BOOST_TEST(std::abs(ready_after(R"({"at": "/at", "unit": "epoch_s"})", std::to_string(now + 3600)) - 3540) <= 2);
    BOOST_TEST(
        std::abs(ready_after(R"({"at": "/at", "unit": "epoch_ms"})", std::to_string((now + 3600) * 1000)) - 3540) <= 2);
    BOOST_TEST(ready_after(R"({"at": "/at", "unit": "epoch_s"})", "5") == 1);
    BOOST_TEST(ready_after(R"({"seconds": 600})", "5") == 540);
    BOOST_TEST(ready_after(R"({"at": "/elsewhere", "seconds": 600})", "5") == 540);
    BOOST_TEST(ready_after(R"({"at": "/elsewhere"})", "5") == -1);
}

BOOST_AUTO_TEST_CASE(what_tells_accounts_apart) {
    const auto of = [](const Settings &credentials, const std::string &members = "") {
        SignedIn signer(
            oauth2(R"("grant": "refresh_token", "client_id": "{id}", "refresh_token": "{refresh}")" + members),
            credentials);
        return std::pair(signer.token().identity(), signer.token().refresh_identity());
    };
    const auto one = of({{"id", "i"}, {"refresh", "r"}});
    BOOST_TEST((one == of({{"id", "i"}, {"refresh", "r"}})));
    // The client's own may change, and the refresh token is the same still.
    BOOST_TEST((one.first != of({{"id", "j"}, {"refresh", "r"}}).first));
    BOOST_TEST((one.second == of({{"id", "j"}, {"refresh", "r"}}).second));
    BOOST_TEST((one.first != of({{"id", "i"}, {"refresh", "r"}}, R"(, "scope": "x")").first));
    BOOST_TEST((one.second != of({{"id", "i"}, {"refresh", "s"}}).second));
}

BOOST_AUTO_TEST_SUITE_END()
