#include "engine/manifest/header_spec_reader.h"

#include "engine/text/lower_case.h"

namespace reverse_etl {

namespace {

/// Reads "header" or "body", of which there is one.
void read_place(const ManifestNode &node, std::string &header, std::optional<std::string> &body) {
    if (node.has("header") == node.has("body"))
        node.fail("must have one member, \"header\" or \"body\"");
    if (node.has("header"))
        header = lower_case(node.at("header").literal());
    else
        body = node.at("body").json_pointer();
}

} // namespace

ToldTime read_told_time(const ManifestNode &node) {
    static constexpr ToldTime::Unit units[] = {ToldTime::Unit::seconds, ToldTime::Unit::milliseconds,
                                               ToldTime::Unit::epoch_seconds, ToldTime::Unit::http_date,
                                               ToldTime::Unit::iso8601};
    node.only({"header", "body", "unit"});
    ToldTime told;
    read_place(node, told.name, told.body);
    if (node.has("unit"))
        told.unit = units[node.at("unit").one_of({"s", "ms", "epoch_s", "http_date", "iso8601"})];
    return told;
}

ToldTime read_wait(const ManifestNode &node) {
    if (!node.has("seconds"))
        return read_told_time(node);
    node.only({"seconds"});
    ToldTime told;
    told.always = node.at("seconds").positive_integer();
    return told;
}

ToldNumber read_told_number(const ManifestNode &limit, const char *member) {
    ToldNumber told;
    if (!limit.has(member))
        return told;
    const ManifestNode node = limit.at(member);
    node.only({"header", "after", "body"});
    read_place(node, told.name, told.body);
    if (told.body && node.has("after"))
        node.at("after").fail("means nothing beside \"body\": what stands there is the number");
    told.after = node.literal("after", "");
    return told;
}

} // namespace reverse_etl
