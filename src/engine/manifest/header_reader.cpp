#include "engine/manifest/header_reader.h"

#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

bool names_id(const std::string &text) {
    const std::vector<TextPart> parts = split_placeholders(text);
    return std::any_of(parts.begin(), parts.end(), [](const TextPart &part) {
        return part.is_placeholder && (part.text == "request.id" || part.text == "entry.id");
    });
}

/// A text in which nothing is left to fill in but ids.
std::string template_of(const ManifestNode &node) {
    const std::string text = node.template_text({"{request.id}", "{entry.id}"});
    for (const TextPart &part : split_placeholders(text))
        if (part.is_placeholder && node.may_be_set_later(part.text))
            node.unset()->met.insert(part.text);
    return text;
}

} // namespace

void check_header_name(const ManifestNode &node, const std::string &name) {
    if (!is_token(name))
        node.fail("is not named as a header may be: letters, digits and \"-\"");
    if (frames_a_message(name))
        node.fail("cannot set the header \"" + name + "\", which says how a message is framed: the engine writes it");
}

Headers read_headers(const ManifestNode &node, Headers &with_ids) {
    Headers headers;
    for (const auto &[written, value] : node.members()) {
        const std::string name = value.literal_name(written);
        check_header_name(value, name);
        if (has_header(headers, name) || has_header(with_ids, name))
            value.fail("stands twice: names of headers that differ in case only are one");
        const bool has_id = names_id(value.text());
        const std::string text = has_id ? template_of(value) : value.literal();
        if (breaks_a_header(text))
            value.fail("must not hold a line break");
        (has_id ? with_ids : headers).emplace_back(name, text);
    }
    return headers;
}

} // namespace reverse_etl
