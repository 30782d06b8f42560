#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/compiled_operation.h"
#include "engine/text/json_text.h"

#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

constexpr const char *built_in_connectors[] = {"http", "hubspot", "salesforce", "slack"};

/// The text of a manifest that the extension brings along.
inline std::string built_in_manifest(const std::string &name) {
    std::ifstream file(PROJECT_DIR "/connectors/" + name + ".json");
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        throw std::runtime_error("cannot read the manifest of " + name);
    return text.str();
}

inline Connector built_in_connector(const std::string &name) {
    return Connector::parse(built_in_manifest(name));
}

/// A manifest with one object, "things", and these operations; `more` are members of the manifest, each with a comma
/// behind it.
inline std::string small_manifest(std::string_view operations, std::string_view more = "") {
    return R"({"manifest": 1, "name": "small", "title": "Small", "base_url": "https://api.example.com",
               "auth": {"kind": "none"}, )" +
           std::string(more) + R"("objects": {"things": {"id": "id", "key": "email",
               "columns": {"id": {"type": "text", "write": false}, "email": "text", "name": "text"},
               "operations": )" +
           std::string(operations) + "}}}";
}

inline Connector small_connector(std::string_view operations, std::string_view more = "") {
    return Connector::parse(small_manifest(operations, more));
}

/// An operation of a connector, compiled for a statement that gives these fields; the key is the field of that name.
struct BoundOperation {
    BoundOperation(const Connector &connector, const std::string &name, OperationKind kind,
                   const std::vector<std::string> &written, const std::string &key = "", const Settings &settings = {},
                   const std::vector<std::string> &asked_for = {})
        : object(connector.object(name, settings)),
          operation(object, object.operations.at(kind), columns_of(object, written, key), position(written, key),
                    asked_for) {}
    BoundOperation(const BoundOperation &) = delete;
    BoundOperation &operator=(const BoundOperation &) = delete;

    const Object object;
    const CompiledOperation operation;

  private:
    /// A key that is not among the fields only names the row.
    static std::vector<StatementColumn> columns_of(const Object &object, const std::vector<std::string> &written,
                                                   const std::string &key) {
        std::vector<StatementColumn> columns;
        for (const std::string &field : written)
            columns.push_back({field, true, object.form_of(field)});
        if (position(written, key) == static_cast<int>(written.size()))
            columns.push_back({key, false, object.form_of(key)});
        return columns;
    }

    static int position(const std::vector<std::string> &written, const std::string &key) {
        for (std::size_t i = 0; i < written.size(); ++i)
            if (written[i] == key)
                return static_cast<int>(i);
        return key.empty() ? -1 : static_cast<int>(written.size());
    }
};

/// A row's values, one for each column of its statement; nothing for NULL.
using Values = std::vector<std::optional<std::string>>;

/// Writes a row of text values as the server's row encoder does; NULLs are left out.
inline void add_row(Batch &batch, const CompiledOperation &operation, std::uint64_t number, const Values &values) {
    std::string &out = batch.begin_row();
    const bool form = operation.spec().form;
    for (const RowSegment &segment : operation.row()) {
        const std::string *value = segment.column >= 0 && values[segment.column] ? &*values[segment.column] : nullptr;
        switch (segment.kind) {
        case RowSegment::Kind::literal:
            out += segment.text;
            break;
        case RowSegment::Kind::row_number:
            out += std::to_string(number);
            break;
        case RowSegment::Kind::value:
            append_json_string(out, *value);
            break;
        case RowSegment::Kind::in_string: {
            std::string text;
            append_json_string(text, *value);
            out += text.substr(1, text.size() - 2);
            break;
        }
        case RowSegment::Kind::form_value:
            append_percent_encoded(out, *value);
            break;
        case RowSegment::Kind::member:
            if (!value)
                break;
            if (form ? out.size() > batch.row_begin() : out.back() != '{')
                out += form ? '&' : ',';
            out += segment.text;
            if (form)
                append_percent_encoded(out, *value);
            else
                append_json_string(out, *value);
            break;
        }
    }
    for (const int column : operation.kept_columns())
        batch.keep(values[column].value());
    batch.end_row(number);
}

/// A batch of these rows, numbered from 1 on.
inline Batch batch_of(const CompiledOperation &operation, const std::vector<Values> &rows) {
    Batch batch(operation.frame());
    std::uint64_t number = 0;
    for (const Values &row : rows)
        add_row(batch, operation, ++number, row);
    return batch;
}

} // namespace reverse_etl
