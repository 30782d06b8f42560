#include "engine/manifest/connector.h"

#include "engine/manifest/auth_reader.h"
#include "engine/manifest/column_reader.h"
#include "engine/manifest/credential_reader.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/notes.h"
#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"
#include "engine/manifest/option_names.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr std::pair<const char *, OperationKind> operation_names[] = {
    {"create", OperationKind::create}, {"update", OperationKind::update}, {"upsert", OperationKind::upsert},
    {"delete", OperationKind::remove}, {"lookup", OperationKind::lookup}, {"list", OperationKind::list}};

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

/// It is for people, and for those who compare two of them.
void check_version(const ManifestNode &node) {
    const std::string version = node.text();
    if (version.empty() || version.size() > 63 ||
        version.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_") != version.npos)
        node.fail("must be a version such as \"1.2\": letters, digits, \".\", \"+\", \"-\" and \"_\", 63 at most");
}

/// What objects share is copied for each of their operations.
constexpr std::size_t most_merged_bytes = 64 << 20;

/// Reads every part of a manifest whose options are filled in as far as they are known, to find what is wrong with it.
void check_parts(const ManifestNode &manifest, const std::vector<std::string> &options, Pause pause) {
    auto check_operations = [&](const ManifestNode &node) {
        for (const auto &[name, operation] : node.members()) {
            if (name == "note")
                continue;
            auto known = std::find_if(std::begin(operation_names), std::end(operation_names),
                                      [&](const auto &pair) { return pair.first == name; });
            if (known == std::end(operation_names))
                operation.fail("is no operation; the operations are \"create\", \"update\", \"upsert\", \"delete\", "
                               "\"lookup\" and \"list\"");
            read_operation(operation, known->second, options);
            check_members_fit(operation, known->second);
        }
    };
    auto check_columns = [&](const ManifestNode &node) {
        for (const auto &[field, column] : node.members())
            read_column(field, column, "");
    };
    if (manifest.has("headers")) {
        read_headers(manifest.at("headers"));
        for (const auto &[name, value] : manifest.at("headers").members())
            for (const TextPart &part : split_placeholders(value.text()))
                if (part.is_placeholder && std::find(options.begin(), options.end(), part.text) == options.end())
                    value.fail("\"{" + part.text + "}\" is no option of the connector");
    }
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
    check_object_names(manifest.at("objects"));
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
            check_placeholders_fit(node, kind);
        }
        check_columns_of_object(manifest, object);
        check_names_of_object(manifest, object);
    }
}

std::optional<std::string> setting(const Settings &settings, const std::string &name) {
    auto found = settings.find(name);
    return found == settings.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> option_names(const std::vector<OptionSpec> &options) {
    std::vector<std::string> names;
    for (const OptionSpec &option : options)
        names.push_back(option.name);
    return names;
}

Json json_option(const std::string &name, const std::string &value) {
    try {
        Json parsed = parse_json(value);
        remove_notes(parsed);
        return parsed;
    } catch (const ManifestError &error) {
        throw SettingError("option \"" + name + "\" " + error.what());
    } catch (const Json::parse_error &) {
        return value; // a word such as status may stand without its quotes
    }
}

/// What stands for the placeholders of options: their values, or what the manifest says where they are not set.
ManifestFilling filling_of(const std::vector<OptionSpec> &options, const Settings &settings) {
    ManifestFilling filling;
    for (const OptionSpec &option : options) {
        std::optional<std::string> value = setting(settings, option.name);
        if (!value)
            value = option.fallback;
        if (value && option.json)
            filling.jsons[option.name] = json_option(option.name, *value);
        else if (value)
            filling.texts[option.name] = *value;
    }
    return filling;
}

/// The fields by which rows are known.
void read_identity(const ManifestNode &manifest, const ManifestNode &node, const Settings &settings, Object &object) {
    object.id = node.text("id", manifest.text("id", ""));
    if (std::optional<std::string> key = setting(settings, "key"))
        object.key = {*key};
    else if (node.has("key"))
        for (const ManifestNode &field : node.at("key").one_or_many())
            object.key.push_back(field.text());
}

void read_columns(const ManifestNode &manifest, const ManifestNode &node, Object &object) {
    Json columns = overlay(member(manifest.value(), "columns"), member(node.value(), "columns"));
    for (const auto &[field, column] : columns.items()) {
        ColumnSpec spec = read_column(field, ManifestNode(column, node.pointer() + "/columns/" + field), object.read);
        if (spec.encoding == ValueEncoding::native)
            spec.encoding = object.encoding;
        object.columns.push_back(std::move(spec));
    }
}

/// Adds what the manifest says for all operations to what one says for itself.
void add_shared(const ManifestNode &manifest, OperationSpec &spec) {
    if (manifest.has("errors"))
        for (ErrorRule &rule : read_error_rules(manifest.at("errors")))
            spec.errors.push_back(std::move(rule));
    if (manifest.has("rate_limits"))
        for (RateLimitSpec &limit : read_rate_limits(manifest.at("rate_limits")))
            spec.rate_limits.push_back(std::move(limit));
    if (manifest.has("reason"))
        spec.reason = manifest.at("reason").pointers();
}

/// `unset`: names that may still be placeholders, for options that are not set.
void read_operations(const ManifestNode &manifest, const ManifestNode &node, const std::vector<std::string> &unset,
                     Object &object) {
    for (const auto &[operation, kind] : operation_names) {
        Json merged = merged_operation(manifest.value(), node.value(), operation);
        if (merged.is_null())
            continue;
        ManifestNode merged_node(merged, node.pointer() + "/operations/" + operation);
        merged_node.at("request");
        OperationSpec spec = read_operation(merged_node, kind, unset);
        check_names_row(merged_node, spec, unset);
        add_shared(manifest, spec);
        object.operations[kind] = std::move(spec);
    }
}

/// What INSERT does.
void choose_insert(const ManifestNode &node, Object &object) {
    bool upserts = object.operations.contains(OperationKind::upsert) && !object.key.empty();
    bool creates = node.has("insert") && node.at("insert").text() == "create";
    object.insert = upserts && !creates ? OperationKind::upsert : OperationKind::create;
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

double OperationSpec::shortest_seconds(std::int64_t requests) const {
    double seconds = 0;
    for (const RateLimitSpec &limit : rate_limits)
        if (limit.for_each.empty() && limit.requests > 0 && requests > 0)
            seconds = std::max(seconds, static_cast<double>((requests - 1) / limit.requests) * limit.seconds);
    return seconds;
}

bool ColumnSpec::is_written_by(OperationKind operation) const {
    bool named = std::find(written_by.begin(), written_by.end(), operation) != written_by.end();
    return writable && (written_by.empty() || named);
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
        Json parsed = parse_json(text, pause);
        remove_notes(parsed);
        connector.manifest_ = std::make_shared<const Json>(std::move(parsed));
    } catch (const Json::parse_error &error) {
        throw ManifestError("", "is not JSON, at byte " + std::to_string(error.byte));
    }
    ManifestNode manifest(*connector.manifest_, "");
    manifest.only({"$schema",  "manifest", "name",        "title",   "version",  "documentation", "schema",
                   "base_url", "options",  "credentials", "auth",    "headers",  "rate_limits",   "reason",
                   "errors",   "values",   "id",          "columns", "defaults", "operations",    "objects"});
    if (manifest.at("manifest").value() != 1)
        manifest.at("manifest").fail("must be 1, the version of the manifest language");
    connector.name_ = manifest.at("name").plain_name();
    connector.title_ = manifest.at("title").text_of_something();
    if (manifest.has("version"))
        check_version(manifest.at("version"));
    connector.schema_ = manifest.text("schema", connector.name_);
    manifest.at("base_url").text_of_something();
    connector.options_ = read_options(manifest);
    connector.credentials_ = read_credentials(manifest, connector.options_);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        connector.auth_.push_back(read_auth(auth, connector.options_));
    check_credentials_are_used(manifest, connector.options_, connector.credentials_);
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
    filled.erase("credentials");
    filling.fill_in(filled);
    check_parts(ManifestNode(filled, ""), options, pause);
    return connector;
}

std::vector<std::string> Connector::object_names() const {
    std::vector<std::string> names;
    for (const auto &[name, object] : manifest_->at("objects").items())
        names.push_back(name);
    return names;
}

Object Connector::object(const std::string &name, const Settings &settings) const {
    check_is_object(name);
    ManifestFilling filling = filling_of(options_, settings);
    filling.texts["object"] = name;
    Object object;
    object.connector = name_;
    object.name = name;
    object.base_url = base_url(filling, settings);
    filling.texts["base_url"] = object.base_url;

    Json filled = *manifest_;
    filled.erase("options");
    filled.erase("credentials");
    filling.fill_in(filled);
    ManifestNode manifest(filled, "");
    ManifestNode node = manifest.at("objects").at(name);
    read_identity(manifest, node, settings, object);
    read_values(manifest, object);
    if (manifest.has("headers"))
        object.headers = read_headers(manifest.at("headers"));
    read_columns(manifest, node, object);
    read_operations(manifest, node, option_names(options_), object);
    choose_insert(node, object);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        object.auth.push_back(read_auth(auth, {}));
    for (const CredentialSpec &credential : credentials_)
        object.credentials.push_back(credential.name);
    return object;
}

void Connector::check_is_object(const std::string &name) const {
    if (manifest_->at("objects").contains(name))
        return;
    std::string known;
    for (const std::string &object : object_names())
        known += (known.empty() ? "" : ", ") + object;
    throw SettingError("connector \"" + name_ + "\" has no object \"" + name + "\"", "Its objects are: " + known + ".");
}

std::string Connector::base_url(ManifestFilling &filling, const Settings &settings) const {
    Json filled = setting(settings, "base_url").value_or(manifest_->at("base_url").get<std::string>());
    filling.fill_in(filled);
    std::string url = ManifestNode(filled, "/base_url").text();
    while (url.ends_with('/'))
        url.pop_back();
    for (const TextPart &part : split_placeholders(url))
        if (part.is_placeholder)
            throw SettingError("connector \"" + name_ + "\" needs the server option \"" + part.text + "\"",
                               "Use ALTER SERVER ... OPTIONS (ADD " + part.text + " '...').");
    if (url.find_first_of("?#") != std::string::npos)
        throw SettingError("the URL of connector \"" + name_ + "\" must not hold \"?\" or \"#\"",
                           "What stands behind them would not be part of the path that is appended.");
    return url;
}

} // namespace reverse_etl
