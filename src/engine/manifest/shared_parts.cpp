#include "engine/manifest/shared_parts.h"

#include "engine/manifest/error_rule_reader.h"
#include "engine/manifest/job_spec.h"
#include "engine/manifest/option_value.h"
#include "engine/manifest/rate_limit_reader.h"

#include <utility>

namespace reverse_etl {

namespace {

SettingError lacks_option(const std::string &name) {
    return SettingError("the destination needs the option \"" + name + "\"", "Set it for the table or its server.");
}

void check_option(const OptionSpec &option, const std::string &value) {
    if (const std::string needs = needs_of_option(option, value); !needs.empty())
        throw SettingError("invalid value for option \"" + option.name + "\"", "The option " + needs + ".");
}

} // namespace

std::optional<std::string> setting(const Settings &settings, const std::string &name) {
    auto found = settings.find(name);
    return found == settings.end() ? std::nullopt : std::optional(found->second);
}

void check_is_set(const UnsetOptions &unset) {
    if (!unset.met.empty())
        throw lacks_option(*unset.met.begin());
}

ManifestFilling filling_of(const std::vector<OptionSpec> &options, const Settings &settings, UnsetOptions &unset) {
    ManifestFilling filling;
    for (const OptionSpec &option : options) {
        std::optional<std::string> value = setting(settings, option.name);
        if (value)
            check_option(option, *value);
        else
            value = option.fallback;
        if (value)
            filling.set(option, *value);
        else if (option.required)
            throw lacks_option(option.name);
        else
            unset.types[option.name] = option.type;
    }
    return filling;
}

void add_shared(const ManifestNode &manifest, OperationSpec &spec) {
    if (spec.job != nullptr)
        for_each_request(*spec.job, [&](OperationSpec &request) { add_shared(manifest, request); });
    if (manifest.has("errors"))
        for (ErrorRule &rule : read_error_rules(manifest.at("errors")))
            spec.errors.push_back(std::move(rule));
    if (manifest.has("rate_limits"))
        for (RateLimitSpec &limit : read_rate_limits(manifest.at("rate_limits")))
            spec.rate_limits.push_back(std::move(limit));
    if (manifest.has("reason"))
        spec.reason = manifest.at("reason").pointers();
}

} // namespace reverse_etl
