#include "engine/manifest/filter_reader.h"

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_filter = {"{value}"};

/// The number of places where the value stands.
int check_element(const ManifestNode &node) {
    int values = 0;
    if (node.value().is_string() && node.template_text(of_filter).find("{value}") != std::string::npos)
        values++;
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            values += check_element(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name.starts_with("$"))
                member.fail("is no directive here");
            member.literal_name(name);
            values += check_element(member);
        }
    return values;
}

FilterSpec read_filter(const ManifestNode &node, Comparison comparison) {
    FilterSpec spec;
    if (node.value().is_object()) {
        spec.element = std::make_shared<const Json>(node.value());
        if (check_element(node) == 0)
            node.fail("must hold \"{value}\"");
        return spec;
    }
    spec.is_repeated = comparison == Comparison::one_of && node.value().is_array() && node.value().size() == 1;
    spec.parameter = (spec.is_repeated ? node.elements().front() : node).literal();
    if (spec.parameter.empty())
        node.fail("must be the name of a parameter, or an object that stands where the body has \"$filters\"");
    return spec;
}

} // namespace

const char *comparison_name(Comparison comparison) {
    for (const auto &[name, one] : comparison_names)
        if (one == comparison)
            return name;
    return "";
}

FilterSpecs read_filters(const ManifestNode &node) {
    FilterSpecs specs;
    for (const auto &[field, comparisons] : node.members())
        for (const auto &[name, target] : comparisons.members()) {
            if (name == "note")
                continue;
            const std::pair<const char *, Comparison> *known = nullptr;
            for (const auto &one : comparison_names)
                if (name == one.first)
                    known = &one;
            if (known == nullptr)
                target.fail("is no comparison; those are \"=\", \"<\", \"<=\", \">\", \">=\" and \"in\"");
            specs[field][known->second] = read_filter(target, known->second);
        }
    return specs;
}

} // namespace reverse_etl
