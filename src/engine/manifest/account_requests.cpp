/// Requests that speak of no object: of the account as a whole.

#include "engine/manifest/auth_reader.h"
#include "engine/manifest/check_reader.h"
#include "engine/manifest/discovery_reader.h"
#include "engine/manifest/files_reader.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/shared_parts.h"
#include "engine/manifest/statement_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

std::string Connector::base_url(ManifestFilling &filling, const Settings &settings) const {
    const std::optional<std::string> set = setting(settings, "base_url");
    if (!set && !manifest_->contains("base_url"))
        return "";
    std::string url = set ? *set : filling.filled_url(manifest_->at("base_url").get<std::string>());
    while (url.ends_with('/'))
        url.pop_back();
    for (const TextPart &part : split_placeholders(set ? "" : url))
        if (part.is_placeholder)
            throw SettingError("connector \"" + name_ + "\" needs the server option \"" + part.text + "\"",
                               "Use ALTER SERVER ... OPTIONS (ADD " + part.text + " '...').");
    if (!set)
        url = substitute(url, [](const std::string &) { return std::nullopt; });
    if (url.find_first_of("?#") != std::string::npos)
        throw SettingError("the URL of connector \"" + name_ + "\" must not hold \"?\" or \"#\"",
                           "What stands behind them would not be part of the path that is appended.");
    if (std::any_of(url.begin(), url.end(), [](unsigned char sign) { return sign <= ' ' || sign == 127; }))
        throw SettingError("the URL of connector \"" + name_ + "\" must not hold blanks and control characters");
    return url;
}

/// With the member of the manifest that `read` wants, besides those that all requests share.
Object Connector::account_with(const Settings &settings, const char *member, const ReadAccount &read) const {
    UnsetOptions unset;
    ManifestFilling filling = filling_of(options_, settings, unset);
    Object object;
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
    read(manifest);
    check_is_set(unset);
    return object;
}

Object Connector::account(const Settings &settings) const {
    return account_with(settings, "auth", [](const ManifestNode &) {});
}

std::optional<ConnectorCheck> Connector::check(const Settings &settings) const {
    if (!manifest_->contains("check"))
        return std::nullopt;
    ConnectorCheck check;
    check.object = account_with(settings, "check", [&](const ManifestNode &manifest) {
        check.spec = read_check(manifest.at("check"));
        add_shared(manifest, check.spec.operation);
    });
    return check;
}

bool Connector::has_statement() const {
    return manifest_->contains("statement");
}

std::optional<ConnectorStatement> Connector::statement(const Settings &settings) const {
    if (!has_statement())
        return std::nullopt;
    ConnectorStatement found;
    found.object = account_with(settings, "statement", [&](const ManifestNode &manifest) {
        found.spec = read_statement(manifest.at("statement"));
        for_each_request(found.spec, [&](OperationSpec &request) { add_shared(manifest, request); });
    });
    return found;
}

bool Connector::has_files() const {
    return manifest_->contains("files");
}

bool Connector::reads_folder() const {
    return has_files() && manifest_->at("files").value("folder", false);
}

std::optional<ConnectorFiles> Connector::files(const Settings &settings) const {
    if (!has_files())
        return std::nullopt;
    ConnectorFiles found;
    found.object = account_with(settings, "files", [&](const ManifestNode &manifest) {
        found.spec = read_files(manifest.at("files"));
        add_shared(manifest, found.spec.list.spec);
        add_shared(manifest, found.spec.read.spec);
    });
    return found;
}

std::optional<AccountObjects> Connector::account_objects(const Settings &settings) const {
    if (!manifest_->contains("discover") || !manifest_->at("discover").contains("objects"))
        return std::nullopt;
    AccountObjects found;
    found.object = account_with(settings, "discover", [&](const ManifestNode &manifest) {
        found.spec = read_object_discovery(manifest.at("discover").at("objects"));
        add_shared(manifest, found.spec.operation);
    });
    return found;
}

} // namespace reverse_etl
