#include "engine/requests/body_compiler.h"

#include "engine/text/json.h"
#include "engine/text/placeholders.h"

namespace reverse_etl {

BodyCompiler::BodyCompiler(const Object &object, const OperationSpec &spec, const std::vector<std::string> &fields,
                           RowReferences &references)
    : object_(object), spec_(spec), fields_(fields), references_(references) {
    if (references.key() >= 0)
        key_field_ = field_of(references.key());
}

CompiledBody BodyCompiler::compile() {
    const BodyKind kind = spec_.format.kind;
    const bool is_file = kind == BodyKind::ndjson || kind == BodyKind::csv || kind == BodyKind::multipart;
    if (is_file && spec_.body->is_string()) // an option gives the body, and has no value
        throw lacks_option(object_, spec_, sole_placeholder(spec_.body->get<std::string>()).value_or(""));
    switch (kind) {
    case BodyKind::json:
        json_body(*spec_.body);
        break;
    case BodyKind::form:
        form_body(*spec_.body);
        break;
    case BodyKind::ndjson:
        lines_body(spec_.body->at("$rows"));
        break;
    case BodyKind::csv:
        csv_body(spec_.body->at("$rows"));
        break;
    case BodyKind::multipart:
        multipart_body(*spec_.body);
        break;
    case BodyKind::text:
        text_body(*spec_.body);
        break;
    }
    return std::move(body_);
}

const std::string &BodyCompiler::part_of(const std::string &field) const {
    const ColumnSpec *spec = object_.column_of_field(field);
    return spec == nullptr ? object_.part : spec->part;
}

std::vector<int> BodyCompiler::columns_of(const Json &which) const {
    const std::string part = which.is_object() ? which.value("part", "") : "";
    std::vector<int> columns;
    for (std::size_t i = 0; i < references_.columns().size(); i++)
        if (references_.columns()[i].written && part_of(references_.columns()[i].field) == part)
            columns.push_back(static_cast<int>(i));
    return columns;
}

} // namespace reverse_etl
