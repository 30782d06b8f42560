#include "engine/manifest/option_reader.h"

#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/notes.h"
#include "engine/manifest/option_names.h"
#include "engine/manifest/option_value.h"
#include "engine/text/placeholders.h"
#include "engine/text/text_pattern.h"

#include <algorithm>

namespace reverse_etl {

namespace {

using Type = OptionSpec::Type;

/// They are looked for one after the other, by every placeholder.
constexpr std::size_t most_options = 100;

/// A value that the manifest itself gives, as an option's text.
std::string read_value(const ManifestNode &node, const OptionSpec &option) {
    std::string value;
    if (option.type == Type::json || (option.type == Type::integer && node.value().is_number_integer()) ||
        (option.type == Type::boolean && node.value().is_boolean()))
        value = node.value().dump();
    else if (option.type == Type::integer)
        node.fail("must be an integer");
    else if (option.type == Type::boolean)
        node.fail("must be true or false");
    else
        value = node.text();
    if (const std::string needs = needs_of_option(option, value); !needs.empty())
        node.fail(needs);
    return value;
}

Type read_type(const ManifestNode &node) {
    static constexpr Type types[] = {Type::text, Type::integer, Type::boolean, Type::json,
                                     Type::path, Type::host,    Type::label,   Type::url};
    const std::size_t type =
        node.one_of({"text", "integer", "boolean", "json", "path", "host", "label", "url", "secret"});
    if (type == std::size(types))
        node.fail(
            "must not be \"secret\": options of servers and tables can be read by everyone. A secret is a credential "
            "of the user mapping, which a placeholder in \"auth\" makes");
    return types[type];
}

OptionSpec read_option(const std::string &name, const ManifestNode &node) {
    check_option_name(name, node);
    node.only({"on", "type", "required", "default", "example", "one_of", "pattern", "description"});
    OptionSpec option;
    option.name = name;
    option.on_server = node.at("on").one_of({"server", "table"}) == 0;
    if (node.has("type"))
        option.type = read_type(node.at("type"));
    option.required = node.flag("required", false);
    if (option.required && node.has("default"))
        node.at("default").fail("must not stand where the option is required: it would never count");
    if (node.has("one_of"))
        for (const ManifestNode &word : node.at("one_of").elements())
            option.one_of.push_back(word.text());
    if (node.has("one_of") && option.one_of.empty())
        node.at("one_of").fail("must not be empty");
    option.pattern = node.text("pattern", "");
    if (node.has("pattern") && !TextPattern::parse(option.pattern))
        node.at("pattern").fail(
            "is no pattern; it may hold characters, classes as [a-z0-9], \".\", \"|\", and behind one "
            "of these \"?\", \"*\", \"+\" or {2,5}");
    if (node.has("default"))
        option.fallback = read_value(node.at("default"), option);
    if (node.has("example"))
        option.example = read_value(node.at("example"), option);
    option.description = node.at("description").text();
    return option;
}

const OptionSpec *find_option(const std::vector<OptionSpec> &options, const std::string &name) {
    auto found =
        std::find_if(options.begin(), options.end(), [&](const OptionSpec &option) { return option.name == name; });
    return found == options.end() ? nullptr : &*found;
}

bool is_bounded(const OptionSpec &option) {
    return !option.one_of.empty() || !option.pattern.empty() || option.type == Type::host ||
           option.type == Type::label || option.type == Type::integer;
}

} // namespace

std::vector<OptionSpec> read_options(const ManifestNode &manifest) {
    std::vector<OptionSpec> options;
    if (!manifest.has("options"))
        return options;
    if (manifest.at("options").value().size() > most_options)
        manifest.at("options").fail("has more than " + std::to_string(most_options) + " members");
    for (const auto &[name, node] : manifest.at("options").members())
        options.push_back(read_option(name, node));
    return options;
}

void check_url(const ManifestNode &node, const std::vector<OptionSpec> &options) {
    const std::vector<TextPart> parts = split_placeholders(node.template_text({}));
    const OptionSpec *whole = !parts.empty() && parts[0].is_placeholder ? find_option(options, parts[0].text) : nullptr;
    if (!parts.empty() && parts[0].is_placeholder &&
        (parts[0].text == "base_url" || (whole != nullptr && whole->type == Type::url))) {
        if (parts.size() > 1 && (parts[1].is_placeholder || parts[1].text[0] != '/'))
            node.fail("must go on with \"/\" behind \"{" + parts[0].text + "}\"");
        return;
    }
    const std::string begin = parts.empty() || parts[0].is_placeholder ? "" : parts[0].text;
    const std::size_t scheme = begin.starts_with("https://") ? 8 : begin.starts_with("http://") ? 7 : 0;
    if (scheme == 0)
        node.fail("must begin with \"https://\" or \"http://\", or with an option of type \"url\"");
    for (std::size_t i = 0; i < parts.size(); i++) {
        if (!parts[i].is_placeholder) {
            if (parts[i].text.find('/', i == 0 ? scheme : 0) != std::string::npos)
                return;
            continue;
        }
        const OptionSpec *option = find_option(options, parts[i].text);
        if (option == nullptr || !is_bounded(*option))
            node.fail(
                "\"{" + parts[i].text +
                "}\" stands in the host, so the option must have \"one_of\", a \"pattern\", or the type \"host\" or "
                "\"label\"; its value could choose another host");
    }
}

Json json_of_option(const OptionSpec &option, const std::string &value) {
    try {
        Json parsed = parse_json(value);
        remove_notes(parsed);
        return parsed;
    } catch (const ManifestError &error) {
        throw SettingError("option \"" + option.name + "\" " + error.what());
    } catch (const Json::parse_error &) {
        return value; // a word such as status may stand without its quotes
    }
}

} // namespace reverse_etl
