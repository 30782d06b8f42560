#include "engine/manifest/result_reader.h"

#include <algorithm>
#include <vector>

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_entry = {"{key_field}"};

Pairing read_pairing(const ManifestNode &node) {
    node.only({"number", "key"});
    if (node.has("number") == node.has("key"))
        node.fail("must have one member, \"number\" or \"key\"");
    const bool by_number = node.has("number");
    return {by_number ? Pairing::By::number : Pairing::By::key,
            node.at(by_number ? "number" : "key").json_pointer(of_entry)};
}

ResultSpec read_result(const ManifestNode &node) {
    node.only({"each", "is", "row", "accepted_when", "wait_when", "absent_when", "id", "reason"});
    ResultSpec result;
    if (node.has("each"))
        result.each = node.at("each").json_pointer();
    if (node.has("is"))
        result.rejected = node.at("is").one_of({"accepted", "rejected"}) == 1;
    if (node.has("row")) {
        ManifestNode row = node.at("row");
        if (row.value().is_string())
            result.by_position = row.one_of({"position"}) == 0;
        else
            for (const ManifestNode &pairing : row.one_or_many())
                result.pairings.push_back(read_pairing(pairing));
    } else if (result.each) {
        node.fail("with \"each\" there must be \"row\", which pairs an entry with its row");
    }
    if (node.has("accepted_when"))
        result.accepted_when = node.at("accepted_when").condition();
    if (node.has("wait_when"))
        result.wait_when = node.at("wait_when").condition();
    if (node.has("absent_when"))
        result.absent_when = node.at("absent_when").condition();
    if (node.has("id"))
        result.id = node.at("id").json_pointer();
    if (node.has("reason"))
        result.reason = node.at("reason").pointers();
    return result;
}

/// Whether it speaks of the rows that failed and of no other.
bool names_only_failures(const ResultSpec &result) {
    return result.each && result.rejected && result.accepted_when.empty();
}

} // namespace

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
        const bool are_accepted = result.at("others").one_of({"accepted", "rejected"}) == 0;
        spec.others = are_accepted ? Others::accepted : Others::rejected;
    }
    if (spec.results.empty())
        node.fail("must say which rows it speaks of before it says what the others are");
    if (!has_others && std::all_of(spec.results.begin(), spec.results.end(), names_only_failures))
        node.fail("names only failures, so it must say what all other rows are: {\"others\": \"accepted\"}");
}

} // namespace reverse_etl
