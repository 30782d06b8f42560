#include "engine/manifest/page_reader.h"

namespace reverse_etl {

void read_next(const ManifestNode &node, OperationSpec &spec) {
    node.only({"cursor", "url", "offset", "page"});
    if (node.has("cursor") + node.has("url") + node.has("offset") + node.has("page") > 1)
        node.fail("must have one member: \"cursor\", \"url\", \"offset\" or \"page\"");
    if (node.has("cursor"))
        spec.next_cursor = node.at("cursor").json_pointer();
    if (node.has("url"))
        spec.next_url = node.at("url").json_pointer();
    if (node.has("offset"))
        spec.next_offset = node.at("offset").integer_from(0);
    if (node.has("page"))
        spec.next_page = node.at("page").integer_from(0);
}

} // namespace reverse_etl
