#include "engine/manifest/column_reader.h"

#include "engine/manifest/body_reader.h"
#include "engine/manifest/encoding_reader.h"
#include "engine/text/json.h"
#include "engine/text/json_pointer.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <optional>

namespace reverse_etl {

namespace {

KeyForm read_key_form(const ManifestNode &node) {
    KeyForm form;
    for (const ManifestNode &word : node.one_or_many()) {
        word.one_of({"exact", "case_insensitive", "trimmed"});
        KeyForm one = *key_form(word.text());
        form.case_insensitive |= one.case_insensitive;
        form.trimmed |= one.trimmed;
    }
    return form;
}

std::string read_part(const ManifestNode &node) {
    return node.has("part") ? node.at("part").plain_name() : "";
}

} // namespace

void read_values(const ManifestNode &manifest, Object &object) {
    object.read = "/{field}";
    if (!manifest.has("values"))
        return;
    ManifestNode values = manifest.at("values");
    values.only({"encode", "clear", "compare", "read", "part"});
    if (values.has("encode"))
        object.encoding = read_encoding(values.at("encode"));
    object.part = read_part(values);
    if (values.has("compare"))
        object.compare = read_key_form(values.at("compare"));
    if (values.has("clear"))
        object.clear = values.at("clear").scalar();
    if (values.has("read"))
        object.read = values.at("read").json_pointer({"{field}"});
}

std::string pointer_for(const std::string &read, const std::string &field) {
    return substitute(read, [&](const std::string &name) {
        return name == "field" ? std::optional(pointer_token(field)) : std::nullopt;
    });
}

std::string read_type_name(const ManifestNode &node) {
    node.one_of({"text", "boolean", "integer", "bigint", "numeric", "double precision", "date", "timestamptz", "uuid",
                 "jsonb", "text[]"});
    return node.text();
}

ColumnSpec read_column(const std::string &field, const ManifestNode &node, const std::string &read) {
    ColumnSpec column;
    column.field = field;
    column.column = lower_case(field);
    column.read = pointer_for(read, field);
    if (node.value().is_string()) {
        column.type = read_type_name(node);
        return column;
    }
    node.only({"type", "column", "encode", "compare", "read", "write", "part", "write_as", "description"});
    column.type = read_type_name(node.at("type"));
    if (node.has("column")) {
        column.column = node.at("column").literal();
        if (column.column.empty() || column.column.size() > 63)
            node.at("column").fail("must be a name of 1 to 63 bytes");
    }
    if (node.has("encode"))
        column.encoding = read_encoding(node.at("encode"));
    if (node.has("compare"))
        column.compare = read_key_form(node.at("compare"));
    if (node.has("read"))
        column.read = node.at("read").json_pointer();
    if (node.has("write") && node.at("write").value().is_array()) {
        static constexpr OperationKind writers[] = {OperationKind::create, OperationKind::update,
                                                    OperationKind::upsert};
        for (const ManifestNode &operation : node.at("write").one_or_many())
            column.written_by.push_back(writers[operation.one_of({"create", "update", "upsert"})]);
    } else {
        column.writable = node.flag("write", true);
    }
    column.part = read_part(node);
    if (node.has("write_as")) {
        check_column_template(node.at("write_as"));
        column.write_as = std::make_shared<const Json>(node.at("write_as").value());
    }
    column.description = node.text("description", "");
    return column;
}

} // namespace reverse_etl
