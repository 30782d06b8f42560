#include "postgres/row_identity.h"

#include <algorithm>
#include <vector>

extern "C" {
#include "common/hashfn.h"
}

namespace reverse_etl {

namespace {

KeyForm form_of(const Destination &destination, const std::string &name) {
    for (const DestinationColumn &column : destination.columns)
        if (column.name == name)
            return column.compare;
    return {};
}

} // namespace

std::string identity_of(const JsonRow &row, const Destination &destination) {
    std::vector<std::string> members;
    std::string json, text;
    for (std::size_t i = row.of_row(); i < row.names().size(); i++) {
        json.clear();
        text.clear();
        row.json(static_cast<int>(i), json);
        row.text(static_cast<int>(i), text);
        std::string value;
        append_json_in_form(form_of(destination, row.names()[i]), json, text, value);
        members.push_back(row.names()[i] + "=" + std::to_string(value.size()) + ":" + value);
    }
    std::sort(members.begin(), members.end());
    std::string identity;
    for (const std::string &member : members)
        identity += member;
    return identity;
}

std::int64_t hash_of(const std::string &identity) {
    return static_cast<std::int64_t>(hash_bytes_extended(reinterpret_cast<const unsigned char *>(identity.data()),
                                                         static_cast<int>(identity.size()), 0));
}

} // namespace reverse_etl
