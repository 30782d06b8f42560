#include "engine/manifest/error_rule_reader.h"

#include "engine/manifest/header_reader.h"
#include "engine/manifest/header_spec_reader.h"
#include "engine/manifest/reaction_reader.h"
#include "engine/manifest/reason_reader.h"
#include "engine/text/headers.h"
#include "engine/text/lower_case.h"

#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

namespace {

std::vector<std::pair<std::string, std::vector<std::string>>> read_header_condition(const ManifestNode &node) {
    std::vector<std::pair<std::string, std::vector<std::string>>> headers;
    for (const auto &[written, condition] : node.members()) {
        const std::string name = condition.literal_name(written);
        if (!is_token(name))
            condition.fail("is not named as a header may be: letters, digits and \"-\"");
        std::vector<std::string> values;
        for (const ManifestNode &value : condition.one_or_many())
            values.push_back(value.literal());
        headers.emplace_back(lower_case(name), std::move(values));
    }
    if (headers.empty())
        node.fail("must name at least one header");
    return headers;
}

ErrorRule read_error_rule(const ManifestNode &node, bool may_react) {
    node.only({"status", "header", "body", "then", "for", "jitter", "reason"});
    ErrorRule rule;
    if (!node.has("status") && !node.has("header") && !node.has("body"))
        node.fail("must name a \"status\", a \"header\" or a \"body\" to look for");
    if (node.has("status"))
        for (const ManifestNode &status : node.at("status").one_or_many()) {
            int code = status.positive_integer();
            if (code < 100 || code > 599)
                status.fail("must be an HTTP status: 100 to 599");
            rule.statuses.push_back(code);
        }
    if (node.has("header"))
        rule.headers = read_header_condition(node.at("header"));
    if (node.has("body"))
        rule.body = node.at("body").condition();
    static constexpr Action actions[] = {Action::wait,   Action::retry,        Action::reject, Action::absent,
                                         Action::accept, Action::unauthorized, Action::stop,   Action::proceed};
    if (const ManifestNode then = node.at("then"); then.value().is_object()) {
        if (!may_react)
            then.fail("tries another operation, which only rules of \"create\", \"update\", \"upsert\" and \"delete\" "
                      "may do");
        rule.then = Action::react;
        rule.reaction = read_reaction(then);
        for (const char *name : {"for", "jitter"})
            if (node.has(name))
                node.at(name).fail("is how long to wait, and nothing waits here");
    } else {
        rule.then =
            actions[then.one_of({"wait", "retry", "reject", "absent", "accept", "unauthorized", "stop", "outcome"})];
    }
    if (node.has("for"))
        rule.wait = read_wait(node.at("for"));
    if (node.has("jitter"))
        rule.jitter = static_cast<Jitter>(node.at("jitter").one_of({"none", "little", "full"}));
    if (node.has("reason"))
        rule.reason = read_reason(node.at("reason"));
    return rule;
}

} // namespace

std::vector<ErrorRule> read_error_rules(const ManifestNode &node, bool may_react) {
    std::vector<ErrorRule> rules;
    for (const ManifestNode &rule : node.elements())
        rules.push_back(read_error_rule(rule, may_react));
    return rules;
}

} // namespace reverse_etl
