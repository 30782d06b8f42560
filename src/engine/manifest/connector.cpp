#include "engine/manifest/connector.h"

#include "engine/manifest/auth_reader.h"
#include "engine/manifest/by_reader.h"
#include "engine/manifest/check_reader.h"
#include "engine/manifest/column_reader.h"
#include "engine/manifest/credential_reader.h"
#include "engine/manifest/derived_reader.h"
#include "engine/manifest/discovery_reader.h"
#include "engine/manifest/error_rule_reader.h"
#include "engine/manifest/extension.h"
#include "engine/manifest/files_reader.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/job_spec.h"
#include "engine/manifest/known_names.h"
#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/notes.h"
#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_merging.h"
#include "engine/manifest/operation_reader.h"
#include "engine/manifest/option_reader.h"
#include "engine/manifest/rate_limit_reader.h"
#include "engine/manifest/reaction_reader.h"
#include "engine/manifest/row_naming.h"
#include "engine/manifest/shared_parts.h"
#include "engine/manifest/statement_reader.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/text_pattern.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

/// The object that stands for all that the manifest does not list.
const std::string others = "*";

/// The fields that the manifest names as an object's key.
std::vector<std::string> read_key(const ManifestNode &object) {
    std::vector<std::string> key;
    if (object.has("key"))
        for (const ManifestNode &field : object.at("key").one_or_many())
            key.push_back(field.literal());
    return key;
}

/// Few and for good, so that people find what there is for their purpose.
void check_category(const ManifestNode &node) {
    node.one_of({"crm", "support", "marketing", "ads", "analytics", "work", "commerce", "infrastructure"});
}

/// It is for people, and for those who compare two of them.
void check_version(const ManifestNode &node) {
    const std::string version = node.text();
    if (version.empty() || version.size() > 63 ||
        version.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_") != version.npos)
        node.fail("must be a version such as \"1.2\": letters, digits, \".\", \"+\", \"-\" and \"_\", 63 at most");
}

/// How the names look that the others may have.
void check_pattern_of_others(const std::string &object, const ManifestNode &node) {
    if (object != others)
        node.fail("is a member of the object \"*\": this one has a name");
    if (!TextPattern::parse(node.literal()))
        node.fail(
            "must be a pattern: characters, classes as [a-z], \".\", and \"?\", \"*\", \"+\" or {{2,5}} behind one");
}

bool has_form_of_others(const Json &object, const std::string &name) {
    if (!object.contains("pattern"))
        return true;
    const ManifestNode pattern(object.at("pattern"), "/objects/*/pattern");
    return TextPattern::parse(pattern.literal())->matches(name);
}

/// What objects share is copied for each of their operations.
constexpr std::size_t most_merged_bytes = 64 << 20;

/// Whether the node says that the object does without what all have: null, and fails where there is nothing to take
/// out. `shared`: what all objects have.
bool is_taken_out(const ManifestNode &node, const std::string &name, const Json &shared) {
    if (node.value().is_null() && !shared.contains(name))
        node.fail("is null, which takes out what all objects have, and they have nothing of that name");
    return node.value().is_null();
}

/// Reads every part of a manifest whose options are filled in as far as they are known, to find what is wrong with it.
void check_parts(const ManifestNode &manifest, Pause pause) {
    auto check_operations = [&](const ManifestNode &node, const Json &shared) {
        for (const auto &[name, operation] : node.members()) {
            if (name == "note" || is_taken_out(operation, name, shared))
                continue;
            auto known = std::find_if(std::begin(operation_names), std::end(operation_names),
                                      [&](const auto &pair) { return pair.first == name; });
            if (known == std::end(operation_names)) {
                const auto names = {"create", "update", "upsert", "delete", "lookup", "list"};
                operation.fail("is no operation" + perhaps_meant(name, names) + "; the operations are " +
                               listed(names));
            }
            for (const ManifestNode &one : lookups_in(operation, known->second)) {
                read_operation(one, known->second);
                check_members_fit(one, known->second);
            }
        }
    };
    auto check_columns = [&](const ManifestNode &node, const Json &shared) {
        for (const auto &[field, column] : node.members())
            if (!is_taken_out(column, field, shared))
                read_column(field, column, "");
    };
    const Json &shared_columns = member(manifest.value(), "columns"),
               &shared_operations = member(manifest.value(), "operations");
    if (Headers with_ids; manifest.has("headers"))
        read_headers(manifest.at("headers"), with_ids);
    if (manifest.has("rate_limits"))
        read_rate_limits(manifest.at("rate_limits"));
    if (manifest.has("reason"))
        manifest.at("reason").pointers();
    if (manifest.has("errors"))
        read_error_rules(manifest.at("errors"));
    Object of_all;
    read_values(manifest, of_all);
    const std::string shared_id = manifest.literal("id", "");
    if (manifest.has("columns"))
        check_columns(manifest.at("columns"), Json());
    if (manifest.has("defaults"))
        read_operation(manifest.at("defaults"), OperationKind::create);
    if (manifest.has("operations"))
        check_operations(manifest.at("operations"), Json());
    check_object_names(manifest.at("objects"));
    check_discovery(manifest);
    std::size_t merged_bytes = 0;
    for (const auto &[name, object] : manifest.at("objects").members()) {
        object.only({"description", "id", "key", "insert", "columns", "derived", "operations", "discover", "pattern",
                     "reactions"});
        if (object.has("pattern"))
            check_pattern_of_others(name, object.at("pattern"));
        const std::string id = object.literal("id", shared_id);
        const std::vector<std::string> key = read_key(object);
        const std::vector<DerivedSpec> derived = read_derived(manifest, object);
        if (object.has("insert"))
            object.at("insert").one_of({"create", "upsert"});
        if (object.has("columns"))
            check_columns(object.at("columns"), shared_columns);
        if (object.has("operations"))
            check_operations(object.at("operations"), shared_operations);
        std::vector<OperationSpec> operations;
        for_each_operation(manifest, object, [&](const ManifestNode &node, OperationKind kind) {
            if (pause != nullptr)
                pause();
            merged_bytes += bytes_of(node.value());
            if (merged_bytes > most_merged_bytes)
                manifest.fail("is larger than " + std::to_string(most_merged_bytes) +
                              " bytes once each operation has what its object shares with others");
            operations.push_back(read_whole_operation(node, kind));
            check_names_row(node, operations.back(), key, id, derived);
            check_placeholders_fit(node, kind);
            check_parts_are_known(manifest, object, node);
            check_secrets_fit(manifest, node);
        });
        check_upsert(object, operations, key, id);
        for_each_reaction(manifest, object, [&](const ManifestNode &node, const std::string &) {
            check_names_row(node, read_reaction_operation(node), key, id, derived);
            check_placeholders_fit(node, OperationKind::update);
            check_parts_are_known(manifest, object, node);
            check_secrets_fit(manifest, node);
        });
        check_reactions(manifest, object, operations, key, id);
        check_columns_of_object(manifest, object);
        check_names_of_object(manifest, object);
    }
}

bool is_of_folder(const ManifestNode &manifest) {
    return manifest.has("files") && manifest.at("files").flag("folder", false);
}

/// The fields by which rows are known.
void read_identity(const ManifestNode &manifest, const ManifestNode &node, const Settings &settings, Object &object) {
    object.id = node.literal("id", manifest.literal("id", ""));
    object.key = read_key(node);
    if (std::optional<std::string> key = setting(settings, "key"))
        object.key = {*key};
}

void read_columns(const ManifestNode &manifest, const ManifestNode &node, Object &object) {
    Json columns = overlay(member(manifest.value(), "columns"), member(node.value(), "columns"));
    for (const auto &[field, column] : columns.items()) {
        if (column.is_null())
            continue; // taken out
        ColumnSpec spec =
            read_column(field, ManifestNode(column, node.pointer() + "/columns/" + field, node.unset()), object.read);
        if (spec.encoding.is(ValueForm::native))
            spec.encoding = object.encoding;
        object.columns.push_back(std::move(spec));
    }
}

void read_operations(const ManifestNode &manifest, const ManifestNode &node, Object &object) {
    const std::vector<std::string> key = read_key(node);
    std::set<std::string> &met = manifest.unset()->met;
    for_each_operation(manifest, node, [&](const ManifestNode &merged, OperationKind kind) {
        met.clear();
        OperationSpec spec = read_whole_operation(merged, kind);
        check_names_row(merged, spec, key, object.id, object.derived);
        add_shared(manifest, spec);
        spec.lacks_option = met.empty() ? "" : *met.begin();
        if (auto [first, is_first] = object.operations.try_emplace(kind, std::move(spec)); !is_first)
            object.more_lookups.push_back(std::move(spec));
    });
    for_each_reaction(manifest, node, [&](const ManifestNode &merged, const std::string &name) {
        met.clear();
        OperationSpec spec = read_reaction_operation(merged);
        add_shared(manifest, spec);
        spec.lacks_option = met.empty() ? "" : *met.begin();
        object.reactions.emplace(name, std::move(spec));
    });
    met.clear();
}

/// What INSERT does.
void choose_insert(const ManifestNode &node, Object &object) {
    bool upserts = object.operations.contains(OperationKind::upsert) && !object.key.empty();
    bool creates = node.has("insert") && node.at("insert").text() == "create";
    object.insert = upserts && !creates ? OperationKind::upsert : OperationKind::create;
    // An upsert that is another operation writes what that writes.
    if (const OperationSpec *upsert = object.operation(OperationKind::upsert); upsert != nullptr && upsert->by_lookup)
        for (ColumnSpec &column : object.columns)
            if (column.is_written_by(OperationKind::create) || column.is_written_by(OperationKind::update))
                if (!column.is_written_by(OperationKind::upsert))
                    column.written_by.push_back(OperationKind::upsert);
}

} // namespace

const OperationSpec *Object::operation(OperationKind kind) const {
    auto found = operations.find(kind);
    return found == operations.end() ? nullptr : &found->second;
}

std::vector<const OperationSpec *> Object::lookups() const {
    std::vector<const OperationSpec *> all;
    if (const OperationSpec *first = operation(OperationKind::lookup))
        all.push_back(first);
    for (const OperationSpec &one : more_lookups)
        all.push_back(&one);
    return all;
}

const ColumnSpec *Object::column_of_field(std::string_view field) const {
    for (const ColumnSpec &column : columns)
        if (column.field == field)
            return &column;
    return nullptr;
}

const DerivedSpec *Object::derived_named(std::string_view name) const {
    for (const DerivedSpec &one : derived)
        if (one.name == name)
            return &one;
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

Connector Connector::parse(std::string_view text, Pause pause, const ManifestOf &of) {
    Connector connector;
    try {
        Json parsed = parse_json(text, pause);
        remove_notes(parsed);
        parsed = extended(std::move(parsed), of, pause);
        normalize_check(parsed);
        connector.manifest_ = std::make_shared<const Json>(std::move(parsed));
    } catch (const Json::parse_error &error) {
        const auto line = 1 + std::count(text.begin(), text.begin() + std::min(error.byte, text.size()), '\n');
        throw ManifestError("",
                            "is not JSON, at byte " + std::to_string(error.byte) + " on line " + std::to_string(line));
    }
    UnsetOptions all;
    ManifestNode manifest(*connector.manifest_, "", &all);
    manifest.only({"$schema",     "manifest", "name",    "title",       "category",  "version",  "documentation",
                   "schema",      "base_url", "options", "credentials", "auth",      "headers",  "reason",
                   "rate_limits", "errors",   "values",  "id",          "columns",   "defaults", "operations",
                   "objects",     "check",    "derived", "discover",    "statement", "files"});
    if (manifest.at("manifest").value() != 1)
        manifest.at("manifest").fail("must be 1, the version of the manifest language");
    connector.name_ = manifest.at("name").plain_name();
    connector.title_ = manifest.at("title").text_of_something();
    if (manifest.has("category"))
        check_category(manifest.at("category"));
    if (manifest.has("version"))
        check_version(manifest.at("version"));
    manifest.text("documentation", "");
    connector.schema_ = manifest.text("schema", connector.name_);
    // Where files lie in a folder, no request is made.
    if (manifest.has("base_url") || !is_of_folder(manifest))
        manifest.at("base_url").text_of_something();
    connector.options_ = read_options(manifest);
    if (manifest.has("statement"))
        add_statement_options(manifest, connector.options_);
    if (manifest.has("files"))
        add_files_options(manifest, connector.options_);
    connector.credentials_ = read_credentials(manifest, connector.options_);
    for (const OptionSpec &option : connector.options_)
        all.types[option.name] = option.type;
    all.types["base_url"] = OptionSpec::Type::url;
    if (manifest.has("base_url"))
        check_url(manifest.at("base_url"), connector.options_);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many()) {
        connector.auth_.push_back(read_auth(auth));
        if (auth.has("token_url"))
            check_url(auth.at("token_url"), connector.options_);
    }
    check_credentials_are_used(manifest, connector.options_, connector.credentials_);
    if (manifest.at("objects").members().empty())
        manifest.at("objects").fail("must name at least one object");

    UnsetOptions unset;
    unset.types = {{"base_url", OptionSpec::Type::url}, {"object", OptionSpec::Type::text}};
    ManifestFilling filling(pause);
    for (const OptionSpec &option : connector.options_)
        if (option.fallback || !option.example.empty())
            filling.set(option, option.fallback.value_or(option.example));
        else
            unset.types[option.name] = option.type;
    Json filled = *connector.manifest_;
    filled.erase("options");
    filled.erase("credentials");
    try {
        filling.fill_in(filled);
    } catch (const SettingError &error) {
        manifest.at("options").fail(std::string("give a value that does not fit: ") + error.what());
    }
    check_parts(ManifestNode(filled, "", &unset), pause);
    unset.types.erase("object");
    const ManifestNode of_account(filled, "", &unset);
    if (of_account.has("check"))
        read_check(of_account.at("check"));
    if (of_account.has("statement"))
        read_statement(of_account.at("statement"));
    if (of_account.has("files"))
        read_files(of_account.at("files"));
    if (of_account.has("discover") && of_account.at("discover").has("objects"))
        read_object_discovery(of_account.at("discover").at("objects"));
    return connector;
}

std::vector<std::string> Connector::object_names() const {
    std::vector<std::string> names;
    for (const auto &[name, object] : manifest_->at("objects").items())
        if (name != others)
            names.push_back(name);
    return names;
}

bool Connector::has_others() const {
    return manifest_->at("objects").contains(others);
}

std::string Connector::manifest() const {
    return manifest_->dump();
}

Object Connector::object(const std::string &name, const Settings &settings) const {
    const std::string own = name_in_manifest(name);
    if (own.empty())
        throw lacks_object(name);
    UnsetOptions unset;
    ManifestFilling filling = filling_of(options_, settings, unset);
    filling.set_text("object", name);
    Object object;
    object.connector = name_;
    object.name = name;
    object.base_url = base_url(filling, settings);
    filling.set_text("base_url", object.base_url, OptionSpec::Type::url);

    // Of the objects only this one: there may be a thousand others.
    Json filled = Json::object();
    for (const auto &[member, value] : manifest_->items())
        if (member != "options" && member != "credentials" && member != "objects")
            filled[member] = value;
    filled["objects"][own] = manifest_->at("objects").at(own);
    filling.fill_in(filled);
    ManifestNode manifest(filled, "", &unset);
    ManifestNode node = manifest.at("objects").at(own);
    object.description = node.literal("description", "");
    read_identity(manifest, node, settings, object);
    read_values(manifest, object);
    if (manifest.has("headers"))
        object.headers = read_headers(manifest.at("headers"), object.id_headers);
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        object.auth.push_back(read_auth(auth));
    for (const CredentialSpec &credential : credentials_)
        object.credentials.push_back(credential.name);
    read_columns(manifest, node, object);
    object.derived = read_derived(manifest, node);
    object.discovery = read_field_discovery(manifest, node);
    check_is_set(unset);
    read_operations(manifest, node, object);
    choose_insert(node, object);
    return object;
}

/// The object under which the manifest says what holds for that one; "" for none.
std::string Connector::name_in_manifest(const std::string &name) const {
    const Json &objects = manifest_->at("objects");
    if (name == others || name.empty())
        return "";
    if (objects.contains(name))
        return name;
    return has_others() && has_form_of_others(objects.at(others), name) ? others : "";
}

SettingError Connector::lacks_object(const std::string &name) const {
    std::string known;
    for (const std::string &object : object_names())
        known += (known.empty() ? "" : ", ") + object;
    if (has_others())
        known += (known.empty() ? "" : ", ") + std::string("and those of the account");
    return SettingError("connector \"" + name_ + "\" has no object \"" + name + "\"",
                        "Its objects are: " + known + ".");
}

} // namespace reverse_etl
