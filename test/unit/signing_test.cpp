#include "engine/requests/hmac_signature.h"
#include "engine/requests/oauth1.h"
#include "engine/requests/secret_parts.h"
#include "engine/requests/sigv4.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/url_parts.h"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

using namespace reverse_etl;

namespace {

Json vectors(const char *file) {
    std::ifstream stream(std::string(PROJECT_DIR "/test/vectors/") + file);
    return Json::parse(stream);
}

/// A request as the vectors write it: the lines of its head, an empty one, its body. A line that begins with a blank
/// goes on with the header before.
struct WrittenRequest {
    explicit WrittenRequest(const std::string &text) {
        std::istringstream lines(text);
        std::string line;
        std::getline(lines, line);
        const std::size_t method = line.find(' '), version = line.rfind(' ');
        request.method = line.substr(0, method);
        const std::string target = line.substr(method + 1, version - method - 1);
        while (std::getline(lines, line) && !line.empty())
            if (line[0] == ' ')
                request.headers.back().second += line;
            else if (line.starts_with("Host:"))
                request.url = "https://" + line.substr(5) + target;
            else
                request.headers.emplace_back(line.substr(0, line.find(':')), line.substr(line.find(':') + 1));
        std::getline(lines, body, '\0');
        request.body = body;
    }
    WrittenRequest(const WrittenRequest &) = delete;

    std::string header(std::string_view name) const {
        for (const auto &[other, value] : request.headers)
            if (lower_case(other) == lower_case(name))
                return value;
        return "";
    }

    Request request;
    std::string body;
};

WallClock::time_point at(const char *iso) {
    std::tm parts{};
    strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

WallClock::time_point at(long seconds) {
    return std::chrono::system_clock::from_time_t(seconds);
}

struct SimpleRequest {
    explicit SimpleRequest(std::string method, std::string url, std::string text = "") : sent(std::move(text)) {
        request.method = std::move(method);
        request.url = std::move(url);
        request.body = sent;
    }
    SimpleRequest(const SimpleRequest &) = delete;
    UnsignedRequest unsigned_request(long seconds = 0, std::string id = "") {
        return {request, changed, UnsignedRequest::Format::json, std::move(id), at(seconds)};
    }
    std::string header(std::string_view name) const {
        for (const auto &[other, value] : request.headers)
            if (other == name)
                return value;
        return "";
    }

    Request request;
    std::string sent, changed;
};

} // namespace

BOOST_AUTO_TEST_SUITE(sigv4)

BOOST_AUTO_TEST_CASE(the_published_vectors) {
    const Json cases = vectors("sigv4.json")["cases"];
    BOOST_TEST(cases.size() == 38u);
    for (const auto &[name, one] : cases.items()) {
        const Json &context = one["context"], &credentials = context["credentials"];
        Sigv4Spec spec;
        spec.service = context["service"];
        spec.region = context["region"];
        spec.access_key = "{id}";
        spec.secret_key = "{secret}";
        // In one vector the token is added to what is signed, which is none of this.
        if (!context.value("omit_session_token", false))
            spec.session_token = credentials.value("token", "");
        spec.path_as_is = !context["normalize"].get<bool>();
        spec.payload_header = context["sign_body"];
        const Sigv4 signer(spec, {{"id", credentials["access_key_id"]}, {"secret", credentials["secret_access_key"]}});
        WrittenRequest written(one["request"]);
        std::string body;
        UnsignedRequest unsigned_request{written.request, body, UnsignedRequest::Format::json, "",
                                         at(context["timestamp"].get<std::string>().c_str())};
        signer.sign(unsigned_request);
        const WrittenRequest expected(one["signed_request"]);
        BOOST_TEST(written.header("Authorization") == expected.header("Authorization"), name);
        BOOST_TEST(written.header("Authorization").ends_with("Signature=" + one["signature"].get<std::string>()), name);
        // Signed once more, for another attempt, it is the same.
        const std::string first = written.header("Authorization");
        signer.sign(unsigned_request);
        BOOST_TEST(written.header("Authorization") == first, name);
    }
}

BOOST_AUTO_TEST_CASE(the_steps_are_those_of_the_vectors) {
    for (const auto &[name, one] : vectors("sigv4.json")["cases"].items()) {
        Sigv4Spec spec;
        spec.path_as_is = !one["context"]["normalize"].get<bool>();
        const Sigv4 signer(spec, {});
        WrittenRequest written(one["signed_request"]);
        std::erase_if(written.request.headers, [&](const auto &header) {
            return header.first == "Authorization" ||
                   (header.first == "X-Amz-Security-Token" && one["context"].value("omit_session_token", false));
        });
        const std::string canonical = one["canonical_request"], wanted = one["string_to_sign"];
        BOOST_TEST(signer.canonical_request(written.request, canonical.substr(canonical.rfind('\n') + 1)) == canonical,
                   name);
        BOOST_TEST(Sigv4::string_to_sign("20150830T123600Z", "20150830/us-east-1/service/aws4_request", canonical) ==
                       wanted,
                   name);
    }
}

/// What is sent is encoded already: most services encode it once more, object stores do not.
BOOST_AUTO_TEST_CASE(an_encoded_path) {
    const auto path_of = [](bool as_is) {
        Sigv4Spec spec;
        spec.path_as_is = as_is;
        Request request;
        request.method = "PUT";
        request.url = "https://b.example/a%20b//c%2Fd";
        const std::string canonical = Sigv4(spec, {}).canonical_request(request, "");
        return canonical.substr(4, canonical.find('\n', 4) - 4);
    };
    BOOST_TEST(path_of(false) == "/a%2520b/c%252Fd");
    BOOST_TEST(path_of(true) == "/a%20b//c%2Fd");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(signatures)

SignatureSpec standard_webhooks(std::vector<std::string> keys) {
    SignatureSpec spec;
    for (std::string &key : keys)
        spec.keys.push_back({std::move(key), true, "whsec_"});
    spec.text = "{request.id}.{request.time}.{request.body}";
    spec.base64 = true;
    using Place = SignedPart::Place;
    spec.parts = {{Place::header, "webhook-id", "{request.id}"},
                  {Place::header, "webhook-timestamp", "{request.time}"},
                  {Place::header, "webhook-signature", "v1,{request.signature}"}};
    return spec;
}

BOOST_AUTO_TEST_CASE(standard_webhooks_vectors) {
    for (const Json &vector : vectors("standard_webhooks.json")["vectors"]) {
        const std::string secret = vector["secret"];
        // With its prefix or without.
        for (const std::string &given : {secret, secret.substr(6)}) {
            const HmacSignature signer(standard_webhooks({"{secret}"}), {{"secret", given}});
            BOOST_TEST(signer.needs_id());
            SimpleRequest request("POST", "https://hooks.example/", vector["payload"]);
            UnsignedRequest unsigned_request = request.unsigned_request(vector["timestamp"], vector["id"]);
            signer.sign(unsigned_request);
            BOOST_TEST(request.header("webhook-signature") == vector["signature"].get<std::string>());
            BOOST_TEST(request.header("webhook-id") == vector["id"].get<std::string>());
            BOOST_TEST(request.header("webhook-timestamp") == vector["timestamp"].dump());
        }
    }
}

BOOST_AUTO_TEST_CASE(while_a_secret_is_replaced_both_sign) {
    const Json all = vectors("standard_webhooks.json")["vectors"];
    const Json &vector = all[1];
    const HmacSignature signer(standard_webhooks({"{new}", "{old}"}),
                               {{"new", "whsec_bmV3IHNlY3JldA=="}, {"old", vector["secret"]}});
    SimpleRequest request("POST", "https://hooks.example/", vector["payload"]);
    UnsignedRequest unsigned_request = request.unsigned_request(vector["timestamp"], vector["id"]);
    signer.sign(unsigned_request);
    const std::string signatures = request.header("webhook-signature");
    BOOST_TEST(signatures.starts_with("v1,"));
    BOOST_TEST(signatures.ends_with(" " + vector["signature"].get<std::string>()));
    BOOST_TEST(request.header("webhook-id") == "msg_1");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_no_base64) {
    for (const char *key : {"whsec_%%%", "whsec_", ""})
        BOOST_CHECK_EXCEPTION(
            HmacSignature(standard_webhooks({"{secret}"}), {{"secret", key}}), SettingError,
            [&](const SettingError &error) { return (error.what() + error.hint).find("%%%") == std::string::npos; });
}

/// RFC 4231 section 4.3, test case 2, and RFC 2202 section 3.
BOOST_AUTO_TEST_CASE(algorithms) {
    const auto signature = [](HashAlgorithm algorithm) {
        SignatureSpec spec;
        spec.algorithm = algorithm;
        spec.keys = {{"{key}", false, ""}};
        spec.text = "{request.body}";
        spec.parts = {{SignedPart::Place::query, "sig", "{request.signature}"}};
        SimpleRequest request("POST", "https://a.example/p?a=1&sig=old", "what do ya want for nothing?");
        UnsignedRequest unsigned_request = request.unsigned_request();
        HmacSignature(spec, {{"key", "Jefe"}}).sign(unsigned_request);
        return request.request.url.substr(std::string("https://a.example/p?a=1&sig=").size());
    };
    BOOST_TEST(signature(HashAlgorithm::sha1) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    BOOST_TEST(signature(HashAlgorithm::sha256) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(
        signature(HashAlgorithm::sha512) ==
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4"
        "a6b4b636e070a38bce737");
}

/// Neither a credential nor a body can be a placeholder.
BOOST_AUTO_TEST_CASE(what_a_request_says_of_itself) {
    SecretParts parts({{SignedPart::Place::header, "X",
                        "{request.method}|{request.url}|{request.host}|{request.path}|{request.query}|{request.body}|"
                        "{request.time}|{request.time_ms}|{request.time_iso}|{request.id}|{key}|{{x}}"}},
                      {{"key", "{request.id}"}});
    SimpleRequest request("PUT", "https://a.example:443/p%20q?a=1", "{\"x\":\"{request.id}{key}\"}");
    UnsignedRequest unsigned_request = request.unsigned_request(1700000000, "i1");
    parts.sign(unsigned_request);
    BOOST_TEST(request.header("X") ==
               "PUT|https://a.example:443/p%20q?a=1|a.example|/p%20q|a=1|{\"x\":\"{request.id}{key}\"}|"
               "1700000000|1700000000000|2023-11-14T22:13:20Z|i1|{request.id}|{x}");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(oauth1)

OAuth1Spec photos() {
    OAuth1Spec spec;
    spec.algorithm = HashAlgorithm::sha1;
    spec.consumer_key = "dpf43f3p2l4k3l03";
    spec.consumer_secret = "kd94hf93k423kf44";
    spec.token = "nnch734d00sl2jdk";
    spec.token_secret = "pfkkdhi9sl3r4s00";
    spec.realm = "Photos";
    return spec;
}

/// RFC 5849 section 1.2
BOOST_AUTO_TEST_CASE(the_signature_of_the_rfc) {
    const std::string base =
        OAuth1::base_string("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original",
                            {{"file", "vacation.jpg"},
                             {"size", "original"},
                             {"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                             {"oauth_token", "nnch734d00sl2jdk"},
                             {"oauth_signature_method", "HMAC-SHA1"},
                             {"oauth_timestamp", "137131202"},
                             {"oauth_nonce", "chapoH"}});
    BOOST_TEST(OAuth1(photos(), {}).signature_of(base) == "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

/// RFC 5849 section 3.4.1.1: names that repeat, empty values, a form.
BOOST_AUTO_TEST_CASE(the_base_string_of_the_rfc) {
    OAuth1::Parameters parameters = parameters_of("b5=%3D%253D&a3=a&c%40=&a2=r%20b");
    for (const auto &[name, value] : OAuth1::Parameters{{"oauth_consumer_key", "9djdj82h48djs9d2"},
                                                        {"oauth_token", "kkk9d7dh3k39sjv7"},
                                                        {"oauth_signature_method", "HMAC-SHA1"},
                                                        {"oauth_timestamp", "137131201"},
                                                        {"oauth_nonce", "7d8f3e4a"},
                                                        {"c2", ""},
                                                        {"a3", "2 q"}})
        parameters.emplace_back(name, value);
    BOOST_TEST(
        OAuth1::base_string("POST", "HTTP://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", parameters) ==
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%"
        "3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-"
        "SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7");
}

BOOST_AUTO_TEST_CASE(the_header) {
    OAuth1Spec spec = photos();
    spec.algorithm = HashAlgorithm::sha256;
    spec.realm = "123456_SB1\"";
    SimpleRequest request("POST", "https://rest.example/record?a=1", "{}");
    UnsignedRequest unsigned_request = request.unsigned_request(1700000000);
    OAuth1(spec, {}).sign(unsigned_request);
    const std::string header = request.header("Authorization");
    BOOST_TEST(header.starts_with("OAuth realm=\"123456_SB1\\\"\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", "));
    BOOST_TEST(header.find("oauth_signature_method=\"HMAC-SHA256\", oauth_timestamp=\"1700000000\", oauth_nonce=\"") !=
               header.npos);
    // A nonce and time that were used are refused: each attempt has its own.
    OAuth1(spec, {}).sign(unsigned_request);
    BOOST_TEST(request.header("Authorization") != header);
    BOOST_TEST(request.request.headers.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(secret_parts)

BOOST_AUTO_TEST_CASE(members_of_bodies) {
    const char *cases[][2] = {
        {R"({"a":1})", R"({"k":"v","a":1})"},
        {"{}", R"({"k":"v"})"},
        {" { } ", R"( {"k":"v" } )"},
        {R"([{"a":{"b":1}},{},{"c":[{}]}])", R"([{"k":"v","a":{"b":1}},{"k":"v"},{"k":"v","c":[{}]}])"},
        {"{\"a\":1}\n{\"b\":2}\n", "{\"k\":\"v\",\"a\":1}\n{\"k\":\"v\",\"b\":2}\n"},
        {R"({"a":"{\"{\\","b":"}{"})", R"({"k":"v","a":"{\"{\\","b":"}{"})"},
        {R"([[{"a":1}]])", R"([[{"a":1}]])"},
        {R"("{}")", R"("{}")"},
    };
    for (const auto &[body, expected] : cases)
        BOOST_TEST(with_members(body, R"("k":"v")") == expected);
}

BOOST_AUTO_TEST_CASE(each_place) {
    using Place = SignedPart::Place;
    const SecretParts parts({{Place::header, "DD-API-KEY", "{api}"},
                             {Place::header, "DD-APPLICATION-KEY", "Key {app}"},
                             {Place::query, "api_token", "{api}"},
                             {Place::body, "api_key", "{app}"}},
                            {{"api", "a&b c"}, {"app", "x\"y"}});
    SimpleRequest request("POST", "https://a.example/p?api%5Ftoken=sent&limit=2", R"({"rows":[]})");
    UnsignedRequest unsigned_request = request.unsigned_request();
    parts.sign(unsigned_request);
    BOOST_TEST(request.header("DD-API-KEY") == "a&b c");
    BOOST_TEST(request.header("DD-APPLICATION-KEY") == "Key x\"y");
    BOOST_TEST(request.request.url == "https://a.example/p?limit=2&api_token=a%26b%20c");
    BOOST_TEST(request.request.body == R"({"api_key":"x\"y","rows":[]})");
    BOOST_TEST(request.sent == R"({"rows":[]})"); // what waits to be sent again is as it was
}

BOOST_AUTO_TEST_CASE(forms_and_what_is_neither) {
    const SecretParts parts({{SignedPart::Place::body, "k&", "{s}"}}, {{"s", "a=b"}});
    for (const auto &[format, expected] :
         {std::pair(UnsignedRequest::Format::form, "k%26=a%3Db&x=1"), {UnsignedRequest::Format::other, "x=1"}}) {
        SimpleRequest request("POST", "https://a.example", "x=1");
        UnsignedRequest unsigned_request = request.unsigned_request();
        unsigned_request.format = format;
        parts.sign(unsigned_request);
        BOOST_TEST(request.request.body == expected);
    }
    SimpleRequest without_body("GET", "https://a.example");
    UnsignedRequest unsigned_request = without_body.unsigned_request();
    parts.sign(unsigned_request);
    BOOST_TEST(without_body.request.body == "");
}

BOOST_AUTO_TEST_SUITE_END()
