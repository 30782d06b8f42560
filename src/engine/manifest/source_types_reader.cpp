#include "engine/manifest/source_types_reader.h"

#include "engine/manifest/condition_reader.h"

namespace reverse_etl {

namespace {

constexpr std::size_t most_rules = 100;

} // namespace

std::string read_source_type_name(const ManifestNode &node) {
    node.one_of({"text", "boolean", "smallint", "integer", "bigint", "numeric", "real", "double precision", "date",
                 "time", "timestamp", "timestamptz", "interval", "bytea", "uuid", "json", "jsonb", "text[]"});
    return node.text();
}

SourceTypeRules read_source_types(const ManifestNode &node) {
    SourceTypeRules rules;
    for (const ManifestNode &one : node.elements()) {
        one.only({"when", "type", "cell"});
        if (!rules.empty() && rules.back().when.empty())
            one.fail("is never asked: the rule before it holds of all columns");
        SourceTypeRule rule;
        if (one.has("when"))
            rule.when = read_condition(one.at("when"));
        if (one.has("when") && rule.when.empty())
            one.at("when").fail("must ask for something");
        rule.type = read_source_type_name(one.at("type"));
        if (one.has("cell"))
            rule.cell =
                static_cast<CellForm>(one.at("cell").one_of({"text", "days", "seconds", "moment", "moment_at", "micros",
                                                             "day_second", "hex", "base64", "iso", "json"}));
        rules.push_back(std::move(rule));
    }
    if (rules.empty() || rules.size() > most_rules)
        node.fail("must be an array of 1 to " + std::to_string(most_rules) + " rules");
    if (!rules.back().when.empty())
        node.fail("must end with a rule that has no \"when\", for all columns that no other speaks of");
    return rules;
}

} // namespace reverse_etl
