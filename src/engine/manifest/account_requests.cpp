/// Requests that speak of no object: of the account as a whole.

#include "engine/manifest/auth_reader.h"
#include "engine/manifest/check_reader.h"
#include "engine/manifest/discovery_reader.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/shared_parts.h"
#include "engine/text/json.h"

namespace reverse_etl {

template <class Read>
void Connector::read_account_request(const char *member, const Settings &settings, Object &object, Read &&read) const {
    UnsetOptions unset;
    ManifestFilling filling = filling_of(options_, settings, unset);
    object.connector = name_;
    object.base_url = base_url(filling, settings);
    filling.set_text("base_url", object.base_url, OptionSpec::Type::url);
    Json filled = Json::object();
    for (const char *name : {"auth", "headers", "rate_limits", "reason", "errors", member})
        if (manifest_->contains(name))
            filled[name] = manifest_->at(name);
    filling.fill_in(filled);
    ManifestNode manifest(filled, "", &unset);
    Headers with_ids; // which what reads does not carry
    if (manifest.has("headers"))
        object.headers = read_headers(manifest.at("headers"), with_ids);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        object.auth.push_back(read_auth(auth));
    for (const CredentialSpec &credential : credentials_)
        object.credentials.push_back(credential.name);
    add_shared(manifest, read(manifest.at(member)));
    check_is_set(unset);
}

std::optional<ConnectorCheck> Connector::check(const Settings &settings) const {
    if (!manifest_->contains("check"))
        return std::nullopt;
    ConnectorCheck check;
    read_account_request("check", settings, check.object, [&](const ManifestNode &node) -> OperationSpec & {
        check.spec = read_check(node);
        return check.spec.operation;
    });
    return check;
}

std::optional<AccountObjects> Connector::account_objects(const Settings &settings) const {
    if (!manifest_->contains("discover") || !manifest_->at("discover").contains("objects"))
        return std::nullopt;
    AccountObjects found;
    read_account_request("discover", settings, found.object, [&](const ManifestNode &node) -> OperationSpec & {
        found.spec = read_object_discovery(node.at("objects"));
        return found.spec.operation;
    });
    return found;
}

} // namespace reverse_etl
