#include "engine/manifest/entry_rule_reader.h"

#include "engine/manifest/reason_reader.h"

#include <utility>

namespace reverse_etl {

namespace {

EntryRule read_entry_rule(const ManifestNode &node, PlaceholderNames names) {
    static constexpr Action actions[] = {Action::accept, Action::reject, Action::absent, Action::wait, Action::retry};
    node.only({"when", "then", "reason"});
    EntryRule rule;
    if (node.has("when"))
        rule.when = node.at("when").condition();
    rule.then = actions[node.at("then").one_of({"accept", "reject", "absent", "wait", "retry"})];
    if (node.has("reason")) {
        if (rule.then == Action::accept)
            node.at("reason").fail("means nothing here: a row that is accepted has no reason");
        rule.reason = read_reason(node.at("reason"), names);
    }
    return rule;
}

std::vector<EntryRule> read_rules(const ManifestNode &node, PlaceholderNames names) {
    std::vector<EntryRule> rules;
    for (const ManifestNode &rule : node.elements()) {
        if (!rules.empty() && rules.back().when.empty())
            rule.fail("is never asked: the rule before it has no \"when\", so it fits every entry");
        rules.push_back(read_entry_rule(rule, names));
    }
    if (rules.empty())
        node.fail("must not be empty");
    return rules;
}

} // namespace

std::vector<EntryRule> read_entry_rules(const ManifestNode &result, PlaceholderNames names) {
    if (result.has("entries")) {
        for (const char *member : {"is", "accepted_when", "wait_when", "absent_when"})
            if (result.has(member))
                result.at(member).fail("must not stand beside \"entries\", for a part of which it is short");
        return read_rules(result.at("entries"), names);
    }
    const bool is_rejected = result.has("is") && result.at("is").one_of({"accepted", "rejected"}) == 1;
    std::vector<EntryRule> rules;
    for (const auto &[member, then] : {std::pair("accepted_when", Action::accept), std::pair("wait_when", Action::wait),
                                       std::pair("absent_when", Action::absent)})
        if (result.has(member))
            rules.push_back({result.at(member).condition(), then, {}});
    // Without a word of what is accepted all entries are, or none; and only of others it matters what they wait for.
    if (!is_rejected && !result.has("accepted_when"))
        return {{{}, Action::accept, {}}};
    rules.push_back({{}, Action::reject, {}});
    return rules;
}

} // namespace reverse_etl
