#include "engine/catalog/connector_facts.h"

#include "engine/manifest/job_spec.h"
#include "engine/manifest/operation_merging.h"
#include "engine/text/json.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

/// The texts of a note, which may be of any form.
std::string text_of(const Json &note) {
    if (note.is_string())
        return note.get<std::string>();
    std::string texts;
    if (note.is_structured())
        for (const Json &part : note)
            if (const std::string text = text_of(part); !text.empty())
                texts += (texts.empty() ? "" : " ") + text;
    return texts;
}

/// Of several ways to look up, what stands at the first that has one.
const Json &note_of_operation(const Json &operation) {
    static const Json nothing;
    if (!operation.is_array())
        return member(operation, "note");
    const auto found = std::find_if(operation.begin(), operation.end(),
                                    [](const Json &one) { return !member(one, "note").is_null(); });
    return found == operation.end() ? nothing : member(*found, "note");
}

std::string note_of(const Json &manifest, const Json &object, const char *operation) {
    for (const Json *note : {&note_of_operation(member(member(object, "operations"), operation)),
                             &note_of_operation(member(member(manifest, "operations"), operation)),
                             &member(member(manifest, "defaults"), "note"), &member(manifest, "note")})
        if (const std::string text = text_of(*note); !text.empty())
            return text;
    return "";
}

std::vector<std::string> kinds_of_auth(const Json &auth) {
    std::vector<std::string> kinds;
    const auto add = [&](const Json &one) {
        const std::string kind = one.at("kind").get<std::string>();
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
            kinds.push_back(kind);
    };
    if (!auth.is_array())
        add(auth);
    else
        for (const Json &one : auth)
            add(one);
    return kinds;
}

std::string text_of_member(const Json &manifest, const char *name) {
    const Json &text = member(manifest, name);
    return text.is_string() ? text.get<std::string>() : "";
}

std::string range(const std::set<int> &numbers) {
    const std::string most = std::to_string(*numbers.rbegin());
    return numbers.size() == 1 ? most : std::to_string(*numbers.begin()) + " to " + most;
}

/// What stands for all objects that the manifest does not list, as if it listed one.
Object other_object(Json manifest, const Settings &settings, void (*pause)()) {
    const std::string name = "other";
    Json object = std::move(manifest.at("objects").at("*"));
    object.erase("pattern");
    manifest["objects"] = Json::object();
    manifest["objects"][name] = std::move(object);
    if (member(member(manifest, "discover"), "fields").is_null())
        manifest.erase("discover");
    else
        manifest.at("discover").erase("objects");
    Object other = Connector::parse(manifest.dump(), pause).object(name, settings);
    other.name = "*";
    return other;
}

} // namespace

std::vector<std::string> ConnectorFacts::operation_names() const {
    std::vector<std::string> names;
    for (const auto &[name, kind] : reverse_etl::operation_names)
        if (std::any_of(operations.begin(), operations.end(),
                        [&, name = std::string(name)](const OperationFact &fact) { return fact.operation == name; }))
            names.emplace_back(name);
    return names;
}

std::string ConnectorFacts::batch_sizes() const {
    std::set<int> requests, jobs;
    for (const Object &object : objects)
        for (const auto &[kind, spec] : object.operations) {
            if (is_read_only(kind) || spec.by_lookup)
                continue;
            if (!spec.has_only_job())
                requests.insert(spec.rows);
            if (spec.job != nullptr)
                jobs.insert(spec.job->rows);
        }
    std::string text;
    if (!requests.empty())
        text = range(requests) + (requests == std::set{1} ? " row" : " rows") + " a request";
    if (!jobs.empty())
        text += (text.empty() ? "" : ", ") + range(jobs) + " a job";
    return text;
}

ConnectorFacts facts_of(const Connector &connector, const Truth &truth, void (*pause)()) {
    const Json manifest = Json::parse(connector.manifest());
    const Settings settings = typical_settings(connector);
    ConnectorFacts facts;
    facts.category = text_of_member(manifest, "category");
    facts.version = text_of_member(manifest, "version");
    facts.documentation = text_of_member(manifest, "documentation");
    facts.auth = kinds_of_auth(manifest.at("auth"));
    facts.is_of_user = text_of_member(manifest, "base_url").starts_with("{base_url}");
    std::vector<std::string> names = connector.object_names();
    if (connector.has_others())
        names.emplace_back("*");
    for (const std::string &name : names) {
        if (pause != nullptr)
            pause();
        facts.objects.push_back(name == "*" ? other_object(manifest, settings, pause)
                                            : connector.object(name, settings));
        for (const auto &[operation, kind] : operation_names)
            if (facts.objects.back().operation(kind) != nullptr)
                facts.operations.push_back({name, operation, truth.of(name, operation),
                                            note_of(manifest, manifest.at("objects").at(name), operation)});
    }
    return facts;
}

std::string typical_value(const OptionSpec &option) {
    if (!option.example.empty())
        return option.example;
    if (!option.one_of.empty())
        return option.one_of.front();
    switch (option.type) {
    case OptionSpec::Type::integer:
        return "1";
    case OptionSpec::Type::boolean:
        return "true";
    case OptionSpec::Type::json:
        return "{}";
    case OptionSpec::Type::path:
        return "/path";
    case OptionSpec::Type::host:
        return "api.example.com";
    case OptionSpec::Type::label:
        return "example";
    case OptionSpec::Type::url:
        return typical_url;
    case OptionSpec::Type::query:
        return "SELECT email, name FROM people";
    case OptionSpec::Type::text:
        break;
    }
    return "...";
}

Settings typical_settings(const Connector &connector) {
    Settings settings = {{"base_url", typical_url}};
    for (const OptionSpec &option : connector.options())
        if (!option.fallback)
            settings[option.name] = typical_value(option);
    return settings;
}

} // namespace reverse_etl
