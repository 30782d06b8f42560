#include "engine/manifest/header_reader.h"

namespace reverse_etl {

void check_header_name(const ManifestNode &node, const std::string &name) {
    if (!is_token(name))
        node.fail("is not named as a header may be: letters, digits and \"-\"");
    if (frames_a_message(name))
        node.fail("cannot set the header \"" + name + "\", which says how a message is framed: the engine writes it");
}

Headers read_headers(const ManifestNode &node) {
    Headers headers;
    for (const auto &[written, value] : node.members()) {
        const std::string name = value.literal_name(written);
        check_header_name(value, name);
        if (has_header(headers, name))
            value.fail("stands twice: names of headers that differ in case only are one");
        const std::string text = value.literal();
        if (breaks_a_header(text))
            value.fail("must not hold a line break");
        headers.emplace_back(name, text);
    }
    return headers;
}

} // namespace reverse_etl
