#include "engine/manifest/header_spec_reader.h"

#include "engine/text/lower_case.h"

namespace reverse_etl {

TimeHeader read_time_header(const ManifestNode &node) {
    static constexpr TimeHeader::Unit units[] = {TimeHeader::Unit::seconds, TimeHeader::Unit::milliseconds,
                                                 TimeHeader::Unit::epoch_seconds};
    node.only({"header", "unit"});
    TimeHeader header;
    header.name = lower_case(node.at("header").literal());
    if (node.has("unit"))
        header.unit = units[node.at("unit").one_of({"s", "ms", "epoch_s"})];
    return header;
}

NumberHeader read_number_header(const ManifestNode &limit, const char *member) {
    if (!limit.has(member))
        return {};
    limit.at(member).only({"header", "after"});
    return {lower_case(limit.at(member).at("header").literal()), limit.at(member).literal("after", "")};
}

} // namespace reverse_etl
