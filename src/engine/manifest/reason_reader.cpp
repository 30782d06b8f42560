#include "engine/manifest/reason_reader.h"

namespace reverse_etl {

namespace {

std::vector<TextPart> read_text(const ManifestNode &node, PlaceholderNames names) {
    node.only({"text"});
    const ManifestNode text = node.at("text");
    if (text.text_of_something().find_first_of("\r\n") != std::string::npos)
        text.fail("must be one line");
    std::vector<TextPart> parts = split_placeholders(text.template_text(names));
    for (const TextPart &part : parts)
        if (part.is_placeholder && text.may_be_set_later(part.text))
            text.unset()->met.insert(part.text);
    return parts;
}

} // namespace

ReasonSpec read_reason(const ManifestNode &node, PlaceholderNames names) {
    ReasonSpec reason;
    for (const ManifestNode &one : node.one_or_many()) {
        if (!reason.text.empty())
            one.fail("is never looked at: the text before it is always there");
        if (one.value().is_object())
            reason.text = read_text(one, names);
        else
            reason.at.push_back(one.json_pointer());
    }
    return reason;
}

} // namespace reverse_etl
