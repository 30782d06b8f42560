#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/compiled_operation.h"
#include "engine/requests/row_writer.h"
#include "engine/text/json.h"
#include "engine/text/json_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// The names of the connectors that the extension brings along, as their files are called.
inline const std::vector<std::string> built_in_connectors = [] {
    std::vector<std::string> names;
    for (const auto &file : std::filesystem::directory_iterator(PROJECT_DIR "/connectors"))
        if (const std::string name = file.path().filename().string(); std::count(name.begin(), name.end(), '.') == 1)
            names.push_back(file.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}();

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

/// Options with which each of its objects can be used: those that have no default have an example, or words to choose
/// from.
inline Settings sample_settings(const std::string &name) {
    Settings settings = {{"base_url", "https://example.com"}};
    const Json options = Json::parse(built_in_manifest(name)).value("options", Json::object());
    for (const auto &[option, said] : options.items()) {
        if (!said.is_object() || said.contains("default"))
            continue;
        const Json value = said.contains("example") ? said["example"] : said.value("one_of", Json::array({""}))[0];
        settings[option] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return settings;
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

/// A row's values as texts.
class TextValues final : public RowValues {
  public:
    explicit TextValues(const Values &values) : values_(values) {}
    bool is_null(int column) const override { return !values_[column]; }
    void json(int column, std::string &out) const override { append_json_string(out, *values_[column]); }
    void text(int column, std::string &out) const override { out += *values_[column]; }

  private:
    const Values &values_;
};

/// Writes a row of text values as the server's row encoder does.
inline void add_row(Batch &batch, const CompiledOperation &operation, std::uint64_t number, const Values &values,
                    NullAs null_as = NullAs::omit) {
    std::string &out = batch.begin_row();
    try {
        RowWriter(operation, null_as).write(TextValues(values), number, batch, out);
    } catch (...) {
        batch.drop_row();
        throw;
    }
    batch.end_row(number);
}

/// A batch of these rows, numbered from 1 on.
inline Batch batch_of(const CompiledOperation &operation, const std::vector<Values> &rows,
                      NullAs null_as = NullAs::omit) {
    Batch batch(operation.frame());
    std::uint64_t number = 0;
    for (const Values &row : rows)
        add_row(batch, operation, ++number, row, null_as);
    return batch;
}

} // namespace reverse_etl
