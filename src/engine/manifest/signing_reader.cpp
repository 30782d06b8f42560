#include "engine/manifest/signing_reader.h"

#include "engine/manifest/header_reader.h"
#include "engine/manifest/signing_spec.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <iterator>

namespace reverse_etl {

namespace {

/// What a signature may say of its request.
constexpr const char *request_names[] = {"request.method",      "request.url",  "request.host",    "request.path",
                                         "request.query",       "request.body", "request.time",    "request.time_ms",
                                         "request.body_sha256", "request.id",   "request.time_iso"};

enum class MayName { credentials, request, signature };

class SigningReader {
  public:
    explicit SigningReader(AuthSpec &auth) : auth_(auth) {}
    void read(const ManifestNode &node);

  private:
    std::string text(const ManifestNode &node, MayName may_name = MayName::credentials);
    std::string text(const ManifestNode &node, const char *member) {
        return node.has(member) ? text(node.at(member)) : "";
    }
    std::vector<SignedPart> parts(const ManifestNode &node, MayName may_name);
    SecretPartsSpec secret_parts(const ManifestNode &node);
    Sigv4Spec sigv4(const ManifestNode &node);
    SignatureSpec signature(const ManifestNode &node);
    SignatureSpec::Key key(const ManifestNode &node);
    OAuth1Spec oauth1(const ManifestNode &node);

    AuthSpec &auth_;
};

/// Any placeholder that names no option and nothing of the request is a credential.
std::string SigningReader::text(const ManifestNode &node, MayName may_name) {
    const std::string text = node.text();
    if (has_lone_brace(text))
        node.fail("holds a brace that belongs to no placeholder; a brace of the text itself is written twice");
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            continue;
        const bool is_of_request =
            std::find(std::begin(request_names), std::end(request_names), part.text) != std::end(request_names);
        if ((is_of_request && may_name != MayName::credentials) ||
            (part.text == "request.signature" && may_name == MayName::signature))
            continue;
        if (part.text.find('.') != std::string::npos)
            node.fail("\"{" + part.text + "}\" is neither an option, nor a credential, nor something that is known " +
                      "of a request here");
        if (node.may_be_set_later(part.text))
            node.unset()->met.insert(part.text);
        else
            auth_.credentials.push_back(part.text);
    }
    return text;
}

std::vector<SignedPart> SigningReader::parts(const ManifestNode &node, MayName may_name) {
    using Place = SignedPart::Place;
    std::vector<SignedPart> parts;
    Headers headers;
    for (const auto &[member, place] :
         {std::pair("headers", Place::header), std::pair("query", Place::query), std::pair("body", Place::body)}) {
        if (!node.has(member))
            continue;
        for (const auto &[written, value] : node.at(member).members()) {
            const std::string name = value.literal_name(written);
            if (name.empty())
                value.fail("must have a name");
            if (place == Place::header) {
                check_header_name(value, name);
                if (has_header(headers, name))
                    value.fail("stands twice: names of headers that differ in case only are one");
                headers.emplace_back(name, "");
                if (breaks_a_header(value.text()))
                    value.fail("must not hold a line break");
            }
            parts.push_back({place, name, text(value, may_name)});
        }
    }
    return parts;
}

SecretPartsSpec SigningReader::secret_parts(const ManifestNode &node) {
    node.only({"kind", "headers", "query", "body"});
    SecretPartsSpec spec{parts(node, MayName::credentials)};
    if (spec.parts.empty())
        node.fail("must say where the secrets go: \"headers\", \"query\" or \"body\"");
    return spec;
}

Sigv4Spec SigningReader::sigv4(const ManifestNode &node) {
    node.only(
        {"kind", "service", "region", "access_key", "secret_key", "session_token", "path_as_is", "payload_header"});
    Sigv4Spec spec;
    spec.service = text(node.at("service"));
    spec.region = text(node.at("region"));
    spec.access_key = text(node.at("access_key"));
    spec.secret_key = text(node.at("secret_key"));
    spec.session_token = text(node, "session_token");
    spec.path_as_is = node.flag("path_as_is", false);
    spec.payload_header = node.flag("payload_header", false);
    return spec;
}

SignatureSpec::Key SigningReader::key(const ManifestNode &node) {
    if (!node.value().is_object())
        return {text(node), false, ""};
    node.only({"base64", "after"});
    return {text(node.at("base64")), true, node.literal("after", "")};
}

SignatureSpec SigningReader::signature(const ManifestNode &node) {
    node.only({"kind", "algorithm", "key", "text", "encode", "headers", "query"});
    SignatureSpec spec;
    static constexpr HashAlgorithm algorithms[] = {HashAlgorithm::sha256, HashAlgorithm::sha1, HashAlgorithm::sha512};
    spec.algorithm = algorithms[node.at("algorithm").one_of({"hmac_sha256", "hmac_sha1", "hmac_sha512"})];
    for (const ManifestNode &one : node.at("key").one_or_many())
        spec.keys.push_back(key(one));
    spec.text = text(node.at("text"), MayName::request);
    spec.base64 = node.has("encode") && node.at("encode").one_of({"hex", "base64"}) == 1;
    spec.parts = parts(node, MayName::signature);
    const bool is_sent = std::any_of(spec.parts.begin(), spec.parts.end(), [](const SignedPart &part) {
        return part.text.find("{request.signature}") != std::string::npos;
    });
    if (!is_sent)
        node.fail("must say where the signature goes: \"{request.signature}\" in one of its \"headers\" or its "
                  "\"query\"");
    return spec;
}

OAuth1Spec SigningReader::oauth1(const ManifestNode &node) {
    node.only({"kind", "algorithm", "consumer_key", "consumer_secret", "token", "token_secret", "realm"});
    OAuth1Spec spec;
    if (node.has("algorithm") && node.at("algorithm").one_of({"hmac_sha256", "hmac_sha1"}) == 1)
        spec.algorithm = HashAlgorithm::sha1;
    spec.consumer_key = text(node.at("consumer_key"));
    spec.consumer_secret = text(node.at("consumer_secret"));
    spec.token = text(node.at("token"));
    spec.token_secret = text(node.at("token_secret"));
    spec.realm = text(node, "realm");
    return spec;
}

void SigningReader::read(const ManifestNode &node) {
    const std::string kind = node.at("kind").text();
    SigningSpec spec = CertificateSpec();
    if (kind == "parts")
        spec = secret_parts(node);
    else if (kind == "sigv4")
        spec = sigv4(node);
    else if (kind == "signature")
        spec = signature(node);
    else if (kind == "oauth1")
        spec = oauth1(node);
    else
        node.only({"kind"});
    if (std::holds_alternative<CertificateSpec>(spec))
        auth_.credentials = {"client_certificate", "client_key"};
    auth_.signing = std::make_shared<const SigningSpec>(std::move(spec));
}

} // namespace

void read_signing(const ManifestNode &node, AuthSpec &auth) {
    SigningReader(auth).read(node);
}

} // namespace reverse_etl
