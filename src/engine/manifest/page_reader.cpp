#include "engine/manifest/page_reader.h"

#include "engine/text/headers.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

using By = PageSpec::By;

constexpr std::pair<const char *, By> ways[] = {{"cursor", By::cursor}, {"url", By::url},   {"link", By::link},
                                                {"offset", By::offset}, {"page", By::page}, {"last", By::last}};

/// A number, or an object with more to say.
void read_counted(const ManifestNode &node, const char *total, PageSpec &spec) {
    if (!node.value().is_object()) {
        spec.first = node.integer_from(0);
        return;
    }
    if (spec.by == By::offset)
        node.only({"first", "size", "total"});
    else
        node.only({"first", "pages"});
    spec.first = node.at("first").integer_from(0);
    if (node.has("size"))
        spec.size = node.at("size").positive_integer();
    if (node.has(total))
        spec.total = node.at(total).json_pointer();
}

bool holds_cursor(const ManifestNode &node) {
    const auto holds_it = [](const ManifestNode &within) { return holds_cursor(within); };
    if (node.value().is_string())
        for (const TextPart &part : split_placeholders(node.text()))
            if (part.is_placeholder &&
                (part.text == "cursor" ||
                 node.may_be_set_later(part.text, {OptionSpec::Type::path, OptionSpec::Type::json})))
                return true;
    if (node.value().is_array())
        return std::ranges::any_of(node.elements(), holds_it);
    if (node.value().is_object())
        return std::ranges::any_of(node.members(), [&](const auto &member) { return holds_it(member.second); });
    return false;
}

} // namespace

bool names_cursor(const ManifestNode &operation) {
    return std::ranges::any_of(std::initializer_list<const char *>{"request", "query", "body"}, [&](const char *name) {
        return operation.has(name) && holds_cursor(operation.at(name));
    });
}

PageSpec read_next(const ManifestNode &node) {
    node.only({"cursor", "url", "link", "offset", "page", "last", "more_when"});
    PageSpec spec;
    for (const auto &[name, by] : ways) {
        if (!node.has(name))
            continue;
        if (spec.by != By::nothing)
            node.fail("must have one member: \"cursor\", \"url\", \"link\", \"offset\", \"page\" or \"last\"");
        spec.by = by;
        const ManifestNode way = node.at(name);
        if (by == By::link) {
            spec.relation = way.literal();
            if (!is_token(spec.relation))
                way.fail("must be the relation of a link, as in \"next\"");
        } else if (by == By::offset || by == By::page) {
            read_counted(way, by == By::offset ? "total" : "pages", spec);
        } else {
            spec.pointer = way.json_pointer();
        }
    }
    if (node.has("more_when")) {
        if (spec.by == By::nothing)
            node.at("more_when").fail("needs a way to go on beside it");
        spec.more_when = node.at("more_when").condition();
    }
    return spec;
}

RecordsSpec read_records_spec(const ManifestNode &operation) {
    RecordsSpec spec;
    if (operation.has("records")) {
        const ManifestNode records = operation.at("records");
        if (records.value().is_object()) {
            records.only({"map", "record"});
            spec.at = {records.at("map").json_pointer()};
            spec.of_map = records.has("record") ? records.at("record").json_pointer() : "";
        } else {
            spec.at = records.pointers();
        }
    }
    if (operation.has("none_when"))
        spec.none_when = operation.at("none_when").condition();
    return spec;
}

} // namespace reverse_etl
