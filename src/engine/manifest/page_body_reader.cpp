#include "engine/manifest/page_body_reader.h"

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_page = {"{cursor}"};

void check_directive(const ManifestNode &object, const std::string &name, const ManifestNode &member) {
    if (object.value().size() != 1)
        member.fail("must be the only member of its object");
    if (name == "$number") {
        if (member.text() != "{cursor}")
            member.fail("must be \"{cursor}\" in the body of a list");
    } else if (name == "$filters") {
        member.one_of({"all"});
    } else {
        member.fail("is no directive; those of a list's body are \"$filters\" and \"$number\"");
    }
}

} // namespace

void check_page_body(const ManifestNode &node) {
    if (node.value().is_string() && node.value() != "{fields}")
        node.template_text(of_page);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_page_body(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name.starts_with("$")) {
                check_directive(node, name, member);
                continue;
            }
            member.literal_name(name);
            check_page_body(member);
        }
}

Json with_keys_as_rows(const Json &body) {
    if (body == "{keys}")
        return {{"$rows", "{key}"}};
    Json result = body;
    if (result.is_structured())
        for (Json &member : result)
            member = with_keys_as_rows(member);
    return result;
}

} // namespace reverse_etl
