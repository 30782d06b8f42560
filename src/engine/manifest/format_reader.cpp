#include "engine/manifest/format_reader.h"

#include "engine/text/json.h"

namespace reverse_etl {

namespace {

void read_csv(const ManifestNode &node, CsvFormat &csv) {
    node.only({"kind", "header", "null", "omitted", "separator", "line_end"});
    csv.header = node.flag("header", true);
    csv.null = node.literal("null", "");
    csv.omitted = node.literal("omitted", csv.omitted);
    for (const char *word : {"null", "omitted"})
        if (node.has(word) && node.literal(word, "").find_first_of("\"\r\n") != std::string::npos)
            node.at(word).fail("must be a word without quotation marks and ends of lines");
    if (node.has("separator")) {
        static constexpr char separators[] = {',', ';', '|', '^', '\t'};
        csv.separator = separators[node.at("separator").one_of({",", ";", "|", "^", "\t"})];
    }
    if (node.has("line_end"))
        csv.line_end = node.at("line_end").one_of({"lf", "crlf"}) == 1 ? "\r\n" : "\n";
}

void read_options(const ManifestNode &node, BodyFormat &format) {
    switch (format.kind) {
    case BodyKind::form:
        node.only({"kind", "arrays"});
        if (node.has("arrays"))
            format.arrays =
                static_cast<BodyFormat::Arrays>(node.at("arrays").one_of({"json", "indexed", "brackets", "repeated"}));
        break;
    case BodyKind::csv:
        read_csv(node, format.csv);
        break;
    case BodyKind::text:
        node.only({"kind", "escape", "quoted"});
        if (node.has("escape"))
            format.escape = read_escapes(node.at("escape"));
        if (node.has("quoted"))
            format.quoted = read_escapes(node.at("quoted"));
        break;
    case BodyKind::json:
    case BodyKind::ndjson:
    case BodyKind::multipart:
        node.only({"kind"});
        break;
    }
}

} // namespace

Escapes read_escapes(const ManifestNode &node) {
    Escapes escapes;
    for (const auto &[name, written] : node.members()) {
        if (name.size() != 1 || static_cast<unsigned char>(name[0]) > 127)
            written.fail("must replace one ASCII character");
        escapes[name[0]] = written.literal();
    }
    return escapes;
}

void read_format(const ManifestNode &node, BodyFormat &format) {
    const ManifestNode kind = node.value().is_object() ? node.at("kind") : node;
    format.kind = static_cast<BodyKind>(kind.one_of({"json", "form", "ndjson", "csv", "multipart", "text"}));
    if (node.value().is_object())
        read_options(node, format);
}

void read_file_format(const ManifestNode &node, BodyFormat &format) {
    static constexpr BodyKind kinds[] = {BodyKind::json, BodyKind::ndjson, BodyKind::csv};
    const ManifestNode kind = node.value().is_object() ? node.at("kind") : node;
    format.file = kinds[kind.one_of({"json", "ndjson", "csv"})];
    if (!node.value().is_object())
        return;
    if (format.file == BodyKind::csv)
        read_csv(node, format.csv);
    else
        node.only({"kind"});
}

} // namespace reverse_etl
