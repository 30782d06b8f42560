#include "engine/manifest/result_reader.h"

#include "engine/manifest/entry_rule_reader.h"
#include "engine/manifest/reason_reader.h"
#include "engine/text/headers.h"
#include "engine/text/lower_case.h"

#include <algorithm>
#include <vector>

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_entry = {"{key_field}"};
/// In the reason of an entry that has a name, and of one that has none.
constexpr PlaceholderNames of_member = {"{entry.name}"}, of_element = {};

constexpr Pairing::By ways[] = {Pairing::By::number, Pairing::By::key, Pairing::By::index};

Pairing read_pairing(const ManifestNode &node, const ResultSpec &result) {
    if (node.value().is_string()) {
        if (result.in != ResultSpec::In::object)
            node.fail("must be an object, as {\"number\": \"/row\"}: only an entry of a \"map\" has a name");
        return {ways[node.one_of({"number", "key", "index"})], "", true};
    }
    static constexpr const char *members[] = {"number", "key", "index"};
    node.only({"number", "key", "index"});
    if (std::count_if(std::begin(members), std::end(members), [&](auto name) { return node.has(name); }) != 1)
        node.fail("must have one member, \"number\", \"key\" or \"index\"");
    const std::size_t way = node.has("number") ? 0 : node.has("key") ? 1 : 2;
    return {ways[way], node.at(members[way]).json_pointer(of_entry)};
}

void read_row(const ManifestNode &node, ResultSpec &result) {
    if (result.in != ResultSpec::In::object && node.value().is_string()) {
        if (node.text() != "position")
            node.fail("must be \"position\", or say where an entry names its row, as {\"number\": \"/row\"}, "
                      "{\"key\": \"/id\"} or {\"index\": \"/index\"}");
        result.by_position = true;
        return;
    }
    for (const ManifestNode &pairing : node.one_or_many())
        result.pairings.push_back(read_pairing(pairing, result));
}

IdHeader read_id_header(const ManifestNode &node, const ResultSpec &result) {
    node.only({"header", "after", "before"});
    if (result.has_entries())
        node.fail("must be a JSON pointer: a header tells the id of one row, and there are entries for several");
    IdHeader id{lower_case(node.at("header").literal()), node.literal("after", ""), node.literal("before", "")};
    if (!is_token(id.name))
        node.at("header").fail("is not named as a header may be: letters, digits and \"-\"");
    return id;
}

} // namespace

ResultSpec read_result(const ManifestNode &node) {
    node.only({"each", "map", "row", "only_when", "entries", "is", "accepted_when", "wait_when", "absent_when", "id",
               "reason"});
    ResultSpec result;
    if (node.has("each") && node.has("map"))
        node.at("map").fail("must not stand beside \"each\": what stands there is an array or an object");
    for (const auto &[member, in] :
         {std::pair("each", ResultSpec::In::array), std::pair("map", ResultSpec::In::object)})
        if (node.has(member)) {
            result.in = in;
            result.pointer = node.at(member).json_pointer();
            if (!node.has("row"))
                node.fail("with \"" + std::string(member) +
                          "\" there must be \"row\", which pairs an entry with its row");
        }
    if (node.has("row"))
        read_row(node.at("row"), result);
    if (node.has("only_when")) {
        if (!result.has_entries() || result.by_position)
            node.at("only_when").fail("needs entries that name their rows, so that some can be left out");
        result.only_when = node.at("only_when").condition();
    }
    const PlaceholderNames names = result.in == ResultSpec::In::object ? of_member : of_element;
    result.entries = read_entry_rules(node, names);
    if (node.has("id") && node.at("id").value().is_object())
        result.id_header = read_id_header(node.at("id"), result);
    else if (node.has("id"))
        result.id = node.at("id").json_pointer();
    if (node.has("reason"))
        result.reason = read_reason(node.at("reason"), names);
    return result;
}

void read_outcome(const ManifestNode &node, OperationSpec &spec) {
    if (node.value().is_string()) {
        node.one_of({"status"});
        return;
    }
    bool has_others = false;
    for (const ManifestNode &result : node.one_or_many()) {
        if (!result.has("others")) {
            spec.results.push_back(read_result(result));
            continue;
        }
        result.only({"others"});
        if (has_others)
            result.fail("must stand only once: there are no others than the others");
        has_others = true;
        static constexpr Others words[] = {Others::accepted, Others::rejected, Others::absent};
        spec.others = words[result.at("others").one_of({"accepted", "rejected", "absent"})];
        if (spec.others == Others::absent && (spec.kind == OperationKind::create || spec.kind == OperationKind::upsert))
            result.at("others").fail("means nothing to a \"" + std::string(operation_name(spec.kind)) +
                                     "\": only an \"update\" and a \"delete\" want rows that are there");
    }
    if (spec.results.empty())
        node.fail("must say which rows it speaks of before it says what the others are");
    const auto names_only_failures = [](const ResultSpec &result) {
        return result.has_entries() && !result.can_accept();
    };
    if (!has_others && std::all_of(spec.results.begin(), spec.results.end(), names_only_failures))
        node.fail("names only failures, so it must say what all other rows are: {\"others\": \"accepted\"}");
}

} // namespace reverse_etl
