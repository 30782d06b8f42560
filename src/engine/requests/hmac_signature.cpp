#include "engine/requests/hmac_signature.h"

#include "engine/text/base64.h"
#include "engine/text/errors.h"
#include "engine/text/hex.h"

namespace reverse_etl {

namespace {

std::string key_of(const SignatureSpec::Key &spec, const Settings &credentials) {
    const std::string text = with_credentials(spec.text, credentials);
    if (!spec.is_base64)
        return text;
    const std::string_view written = text;
    const auto key = from_base64(written.substr(written.starts_with(spec.after) ? spec.after.size() : 0));
    if (!key || key->empty())
        throw SettingError("the user mapping holds a key of signatures that is no base64",
                           "\"" + spec.text + "\" must be base64, as the destination shows it.");
    return *key;
}

} // namespace

HmacSignature::HmacSignature(const SignatureSpec &spec, const Settings &credentials)
    : algorithm_(spec.algorithm), base64_(spec.base64), text_(spec.text, credentials), parts_(spec.parts, credentials) {
    for (const SignatureSpec::Key &key : spec.keys)
        keys_.push_back(key_of(key, credentials));
}

void HmacSignature::sign(UnsignedRequest &unsigned_request) const {
    const std::string text = text_.of(unsigned_request);
    std::vector<std::string> signatures;
    for (const std::string &key : keys_) {
        const std::string bytes = hmac(algorithm_, key, text);
        signatures.push_back(base64_ ? base64(bytes) : hex(bytes));
    }
    parts_.put_in(unsigned_request, signatures);
}

} // namespace reverse_etl
