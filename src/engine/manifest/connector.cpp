#include "engine/manifest/connector.h"

#include "engine/manifest/column_reader.h"
#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr std::pair<const char *, OperationKind> operation_names[] = {
    {"create", OperationKind::create}, {"update", OperationKind::update}, {"upsert", OperationKind::upsert},
    {"delete", OperationKind::remove}, {"lookup", OperationKind::lookup}, {"list", OperationKind::list}};

/// Names that every server, table or column has as an option, or will have, and names of the engine's placeholders.
constexpr const char *reserved_names[] = {"connector",       "base_url",   "ca_file",       "connect_timeout",
                                          "request_timeout", "rate_limit", "max_attempts",  "delivery",
                                          "on_reject",       "null_as",    "max_in_flight", "batch_size",
                                          "insert_as",       "object",     "key",           "field",
                                          "encode",          "keys",       "key_field",     "fields",
                                          "cursor",          "row",        "row_number"};

void check_option_name(const std::string &name, const ManifestNode &node) {
    bool plain = !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                 name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!plain)
        node.fail("must have a name of lower-case letters, digits and \"_\" that begins with a letter");
    if (std::find(std::begin(reserved_names), std::end(reserved_names), name) != std::end(reserved_names))
        node.fail("must have another name: this one has a meaning of its own");
}

/// They are looked for one after the other, by every placeholder.
constexpr std::size_t most_options = 100;

std::vector<OptionSpec> read_options(const ManifestNode &manifest) {
    std::vector<OptionSpec> options;
    if (!manifest.has("options"))
        return options;
    if (manifest.at("options").value().size() > most_options)
        manifest.at("options").fail("has more than " + std::to_string(most_options) + " members");
    for (const auto &[name, node] : manifest.at("options").members()) {
        check_option_name(name, node);
        node.only({"on", "type", "default", "description"});
        OptionSpec option;
        option.name = name;
        option.on_server = node.at("on").one_of({"server", "table"}) == 0;
        option.json = node.has("type") && node.at("type").one_of({"text", "json"}) == 1;
        if (node.has("default"))
            option.fallback = option.json ? node.at("default").value().dump() : node.at("default").text();
        option.description = node.at("description").text();
        options.push_back(std::move(option));
    }
    return options;
}

AuthSpec read_auth(const ManifestNode &node, const std::vector<OptionSpec> &options) {
    AuthSpec auth;
    static constexpr AuthSpec::Kind kinds[] = {AuthSpec::Kind::none, AuthSpec::Kind::bearer, AuthSpec::Kind::basic,
                                               AuthSpec::Kind::header, AuthSpec::Kind::oauth2};
    auth.kind = kinds[node.at("kind").one_of({"none", "bearer", "basic", "header", "oauth2"})];
    std::vector<const char *> required;
    switch (auth.kind) {
    case AuthSpec::Kind::none:
        node.only({"kind"});
        break;
    case AuthSpec::Kind::bearer:
        node.only({"kind", "token"});
        required = {"token"};
        break;
    case AuthSpec::Kind::basic:
        node.only({"kind", "username", "password"});
        required = {"username", "password"};
        break;
    case AuthSpec::Kind::header:
        node.only({"kind", "name", "value"});
        required = {"name", "value"};
        break;
    case AuthSpec::Kind::oauth2:
        node.only({"kind", "grant", "token_url", "client_id", "client_secret", "refresh_token", "scope"});
        required = {"grant", "token_url", "client_id", "client_secret"};
        if (node.at("grant").one_of({"client_credentials", "refresh_token"}) == 1)
            required.push_back("refresh_token");
        break;
    }
    for (const char *name : required)
        node.at(name);
    for (const auto &[name, member] : node.members()) {
        if (name == "kind")
            continue;
        auth.parameters.emplace_back(name, member.text());
        for (const TextPart &part : split_placeholders(member.text())) {
            bool is_option = part.text == "base_url" ||
                             std::any_of(options.begin(), options.end(),
                                         [&](const OptionSpec &option) { return option.name == part.text; });
            if (part.is_placeholder && !is_option)
                auth.credentials.push_back(part.text);
        }
    }
    return auth;
}

/// What `upper` says over what `lower` says, member by member.
Json overlay(const Json &lower, const Json &upper) {
    Json result = lower.is_object() ? lower : Json::object();
    if (upper.is_object())
        for (const auto &[name, value] : upper.items())
            result[name] = value;
    return result;
}

const Json &member(const Json &object, const char *name) {
    static const Json nothing;
    return object.is_object() && object.contains(name) ? object.at(name) : nothing;
}

/// An operation of an object: what the object says of it, over what all objects share, over the defaults. Null if
/// neither object nor manifest has it.
Json merged_operation(const Json &manifest, const Json &object, const char *operation) {
    const Json &shared = member(member(manifest, "operations"), operation);
    const Json &own = member(member(object, "operations"), operation);
    if (shared.is_null() && own.is_null())
        return nullptr;
    return overlay(overlay(member(manifest, "defaults"), shared), own);
}

/// What objects share is copied for each of their operations.
constexpr std::size_t most_merged_bytes = 64 << 20;

/// Reads every part of a manifest whose options are filled in as far as they are known, to find what is wrong with it.
void check_parts(const ManifestNode &manifest, const std::vector<std::string> &options, Pause pause) {
    auto check_operations = [&](const ManifestNode &node) {
        for (const auto &[name, operation] : node.members()) {
            auto known = std::find_if(std::begin(operation_names), std::end(operation_names),
                                      [&](const auto &pair) { return pair.first == name; });
            if (known == std::end(operation_names))
                operation.fail("is no operation; the operations are \"create\", \"update\", \"upsert\", \"delete\", "
                               "\"lookup\" and \"list\"");
            read_operation(operation, known->second, options);
        }
    };
    auto check_columns = [&](const ManifestNode &node) {
        for (const auto &[field, column] : node.members())
            read_column(field, column, "");
    };
    if (manifest.has("headers"))
        for (const auto &[name, value] : manifest.at("headers").members())
            for (const TextPart &part : split_placeholders(value.text()))
                if (part.is_placeholder && std::find(options.begin(), options.end(), part.text) == options.end())
                    value.fail("\"{" + part.text + "}\" is no option of the connector");
    if (manifest.has("rate_limits"))
        read_rate_limits(manifest.at("rate_limits"));
    if (manifest.has("reason"))
        manifest.at("reason").pointers();
    if (manifest.has("errors"))
        read_error_rules(manifest.at("errors"));
    Object of_all;
    read_values(manifest, of_all);
    manifest.text("id", "");
    if (manifest.has("columns"))
        check_columns(manifest.at("columns"));
    if (manifest.has("defaults"))
        read_operation(manifest.at("defaults"), OperationKind::create, options);
    if (manifest.has("operations"))
        check_operations(manifest.at("operations"));
    std::size_t merged_bytes = 0;
    for (const auto &[name, object] : manifest.at("objects").members()) {
        object.only({"description", "id", "key", "insert", "columns", "operations"});
        object.text("id", "");
        if (object.has("key"))
            for (const ManifestNode &field : object.at("key").one_or_many())
                field.text();
        if (object.has("insert"))
            object.at("insert").one_of({"create", "upsert"});
        if (object.has("columns"))
            check_columns(object.at("columns"));
        if (object.has("operations"))
            check_operations(object.at("operations"));
        for (const auto &[operation, kind] : operation_names) {
            if (pause != nullptr)
                pause();
            const Json merged = merged_operation(manifest.value(), object.value(), operation);
            if (merged.is_null())
                continue;
            merged_bytes += bytes_of(merged);
            if (merged_bytes > most_merged_bytes)
                manifest.fail("is larger than " + std::to_string(most_merged_bytes) +
                              " bytes once each operation has what its object shares with others");
            ManifestNode node(merged, object.pointer() + "/operations/" + operation);
            node.at("request");
            check_names_row(node, read_operation(node, kind, options), options);
        }
    }
}

} // namespace

bool is_read_only(OperationKind kind) {
    return kind == OperationKind::lookup || kind == OperationKind::list;
}

const char *operation_name(OperationKind kind) {
    for (const auto &[name, named] : operation_names)
        if (named == kind)
            return name;
    return "";
}

bool ColumnSpec::is_written_by(OperationKind operation) const {
    bool named = std::find(written_by.begin(), written_by.end(), operation) != written_by.end();
    return writable && (written_by.empty() || named);
}

std::string AuthSpec::parameter(std::string_view name) const {
    for (const auto &[parameter, value] : parameters)
        if (parameter == name)
            return value;
    return "";
}

const OperationSpec *Object::operation(OperationKind kind) const {
    auto found = operations.find(kind);
    return found == operations.end() ? nullptr : &found->second;
}

const ColumnSpec *Object::column_of_field(std::string_view field) const {
    for (const ColumnSpec &column : columns)
        if (column.field == field)
            return &column;
    return nullptr;
}

KeyForm Object::form_of(std::string_view field) const {
    const ColumnSpec *spec = column_of_field(field);
    return spec != nullptr && spec->compare ? *spec->compare : compare;
}

std::string Object::pointer_to(const std::string &field) const {
    if (const ColumnSpec *spec = column_of_field(field))
        return spec->read;
    return pointer_for(read, field);
}

Connector Connector::parse(std::string_view text, Pause pause) {
    Connector connector;
    try {
        connector.manifest_ = std::make_shared<const Json>(parse_json(text, pause));
    } catch (const Json::parse_error &error) {
        throw ManifestError("", "is not JSON, at byte " + std::to_string(error.byte));
    }
    ManifestNode manifest(*connector.manifest_, "");
    manifest.only({"$schema", "manifest", "name", "title", "documentation", "schema", "base_url", "options", "auth",
                   "headers", "rate_limits", "reason", "errors", "values", "id", "columns", "defaults", "operations",
                   "objects"});
    if (manifest.at("manifest").value() != 1)
        manifest.at("manifest").fail("must be 1, the version of the manifest language");
    connector.name_ = manifest.at("name").text();
    connector.title_ = manifest.at("title").text();
    connector.schema_ = manifest.text("schema", connector.name_);
    manifest.at("base_url").text();
    connector.options_ = read_options(manifest);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        connector.auth_.push_back(read_auth(auth, connector.options_));
    if (manifest.at("objects").members().empty())
        manifest.at("objects").fail("must name at least one object");

    std::vector<std::string> options = {"base_url", "object"};
    ManifestFilling filling(pause);
    for (const OptionSpec &option : connector.options_) {
        options.push_back(option.name);
        if (option.json && option.fallback)
            filling.jsons[option.name] = parse_json(*option.fallback);
        else if (option.fallback)
            filling.texts[option.name] = *option.fallback;
    }
    for (const TextPart &part : split_placeholders(manifest.at("base_url").text()))
        if (part.is_placeholder && std::find(options.begin(), options.end(), part.text) == options.end())
            manifest.at("base_url").fail("\"{" + part.text + "}\" is no option of the connector");
    Json filled = *connector.manifest_;
    filled.erase("options");
    filling.fill_in(filled);
    check_parts(ManifestNode(filled, ""), options, pause);
    return connector;
}

std::vector<std::string> Connector::credentials() const {
    std::vector<std::string> names;
    for (const AuthSpec &auth : auth_)
        for (const std::string &name : auth.credentials)
            if (std::find(names.begin(), names.end(), name) == names.end())
                names.push_back(name);
    return names;
}

std::vector<std::string> Connector::object_names() const {
    std::vector<std::string> names;
    for (const auto &[name, object] : manifest_->at("objects").items())
        names.push_back(name);
    return names;
}

Object Connector::object(const std::string &name, const Settings &settings) const {
    if (!manifest_->at("objects").contains(name)) {
        std::string known;
        for (const std::string &object : object_names())
            known += (known.empty() ? "" : ", ") + object;
        throw SettingError("connector \"" + name_ + "\" has no object \"" + name + "\"",
                           "Its objects are: " + known + ".");
    }

    ManifestFilling filling;
    filling.texts["object"] = name;
    auto setting = [&](const std::string &option) -> std::optional<std::string> {
        auto found = settings.find(option);
        return found == settings.end() ? std::nullopt : std::optional(found->second);
    };
    for (const OptionSpec &option : options_) {
        std::optional<std::string> value = setting(option.name);
        if (!value)
            value = option.fallback;
        if (!value)
            continue;
        if (!option.json) {
            filling.texts[option.name] = *value;
            continue;
        }
        try {
            filling.jsons[option.name] = parse_json(*value);
        } catch (const ManifestError &error) {
            throw SettingError("option \"" + option.name + "\" " + error.what());
        } catch (const Json::parse_error &) {
            // A word such as status may stand without its quotes.
            filling.jsons[option.name] = *value;
        }
    }

    Object object;
    Json base_url = setting("base_url").value_or(manifest_->at("base_url").get<std::string>());
    filling.fill_in(base_url);
    object.base_url = ManifestNode(base_url, "/base_url").text();
    while (object.base_url.ends_with('/'))
        object.base_url.pop_back();
    for (const TextPart &part : split_placeholders(object.base_url))
        if (part.is_placeholder)
            throw SettingError("connector \"" + name_ + "\" needs the server option \"" + part.text + "\"",
                               "Use ALTER SERVER ... OPTIONS (ADD " + part.text + " '...').");
    if (object.base_url.find_first_of("?#") != std::string::npos)
        throw SettingError("the URL of connector \"" + name_ + "\" must not hold \"?\" or \"#\"",
                           "What stands behind them would not be part of the path that is appended.");
    filling.texts["base_url"] = object.base_url;

    Json filled = *manifest_;
    filled.erase("options");
    filling.fill_in(filled);
    ManifestNode manifest(filled, "");
    ManifestNode node = manifest.at("objects").at(name);
    std::vector<std::string> unset;
    for (const OptionSpec &option : options_)
        unset.push_back(option.name);

    object.connector = name_;
    object.name = name;
    object.id = node.text("id", manifest.text("id", ""));
    if (auto key = setting("key"))
        object.key = {*key};
    else if (node.has("key"))
        for (const ManifestNode &field : node.at("key").one_or_many())
            object.key.push_back(field.text());
    read_values(manifest, object);
    if (manifest.has("headers"))
        object.headers = manifest.at("headers").texts();

    Json columns = overlay(member(filled, "columns"), member(node.value(), "columns"));
    for (const auto &[field, column] : columns.items()) {
        ColumnSpec spec = read_column(field, ManifestNode(column, node.pointer() + "/columns/" + field), object.read);
        if (spec.encoding == ValueEncoding::native)
            spec.encoding = object.encoding;
        object.columns.push_back(std::move(spec));
    }

    for (const auto &[operation, kind] : operation_names) {
        Json merged = merged_operation(filled, node.value(), operation);
        if (merged.is_null())
            continue;
        ManifestNode merged_node(merged, node.pointer() + "/operations/" + operation);
        merged_node.at("request");
        OperationSpec spec = read_operation(merged_node, kind, unset);
        check_names_row(merged_node, spec, unset);
        if (manifest.has("errors"))
            for (ErrorRule &rule : read_error_rules(manifest.at("errors")))
                spec.errors.push_back(std::move(rule));
        if (manifest.has("rate_limits"))
            for (RateLimitSpec &limit : read_rate_limits(manifest.at("rate_limits")))
                spec.rate_limits.push_back(std::move(limit));
        if (manifest.has("reason"))
            spec.reason = manifest.at("reason").pointers();
        object.operations[kind] = std::move(spec);
    }
    bool upserts = object.operations.contains(OperationKind::upsert) && !object.key.empty();
    object.insert = upserts ? OperationKind::upsert : OperationKind::create;
    if (node.has("insert") && node.at("insert").text() == "create")
        object.insert = OperationKind::create;

    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        object.auth.push_back(read_auth(auth, {}));
    return object;
}

} // namespace reverse_etl
