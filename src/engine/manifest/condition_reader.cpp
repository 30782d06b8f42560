#include "engine/manifest/condition_reader.h"

#include <utility>

namespace reverse_etl {

namespace {

Demand read_demand(const ManifestNode &node);

std::vector<Scalar> read_scalars(const ManifestNode &node) {
    std::vector<Scalar> values;
    for (const ManifestNode &value : node.one_or_many())
        values.push_back(value.scalar());
    return values;
}

double read_number(const ManifestNode &node) {
    if (!node.value().is_number())
        node.fail("must be a number");
    return node.value().get<double>();
}

Demand read_demands(const ManifestNode &node) {
    node.only({"exists", "empty", "below", "in", "matches", "not"});
    if (node.value().empty())
        node.fail(
            "must ask for something: the members are \"exists\", \"empty\", \"below\", \"in\", \"matches\", \"not\"");
    Demand demand;
    if (node.has("exists"))
        demand.exists = node.flag("exists", true);
    if (node.has("empty"))
        demand.empty = node.flag("empty", true);
    if (node.has("below"))
        demand.below = read_number(node.at("below"));
    if (node.has("in")) {
        if (!node.at("in").value().is_array())
            node.at("in").fail("must be an array of values");
        demand.in = read_scalars(node.at("in"));
    }
    if (node.has("matches"))
        demand.matches = read_pattern(node.at("matches"));
    if (node.has("not"))
        demand.none.push_back(read_demand(node.at("not")));
    return demand;
}

Demand read_demand(const ManifestNode &node) {
    if (node.value().is_object())
        return read_demands(node);
    Demand demand;
    demand.in = read_scalars(node);
    return demand;
}

} // namespace

std::shared_ptr<const TextPattern> read_pattern(const ManifestNode &node) {
    std::optional<TextPattern> pattern = TextPattern::parse(node.literal());
    if (!pattern)
        node.fail(
            "must be a pattern: characters, classes as [a-z], \".\", and \"?\", \"*\", \"+\" or {{2,5}} behind one");
    return std::make_shared<const TextPattern>(*std::move(pattern));
}

Condition read_condition(const ManifestNode &node) {
    Condition condition;
    for (const auto &[name, member] : node.members()) {
        if (name == "note")
            continue;
        const std::string pointer = member.literal_name(name);
        if (!pointer.empty() && pointer[0] != '/')
            member.fail("its name must be a JSON pointer");
        condition.push_back({pointer, read_demand(member)});
    }
    if (condition.empty())
        node.fail("must name at least one JSON pointer");
    return condition;
}

} // namespace reverse_etl
