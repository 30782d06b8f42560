#pragma once

#include "engine/requests/batch.h"
#include "engine/requests/row_references.h"
#include "engine/requests/row_segment.h"
#include "engine/text/json_fwd.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// The template of a body, compiled for the columns of one statement.
struct CompiledBody {
    BatchFrame frame;
    RowSegments row;
    std::string media_type;
    bool one_row = false; ///< it speaks of one row, whatever the operation's limit says
};

/// Compiles it: one file for each family of formats.
class BodyCompiler {
  public:
    /// `fields` is what {fields} stands for.
    BodyCompiler(const Object &object, const OperationSpec &spec, const std::vector<std::string> &fields,
                 RowReferences &references);

    /// Throws SettingError when a column is missing.
    CompiledBody compile();

  private:
    /// What a text has to be where it stands.
    enum class Place { json_string, form, raw, escaped, quoted };

    // body_json.cpp
    void json_body(const Json &body);
    void json(const Json &value, RowSegments &out);
    void json_string(const std::string &text, RowSegments &out);
    void json_object(const Json &object, RowSegments &out);
    void json_array(const Json &array, RowSegments &out);
    std::optional<RowSegment> condition_of(const Json &value) const;
    std::optional<RowSegment> condition_of_text(const std::string &text) const;
    bool names_own_id(const Json &member) const;

    // body_rows.cpp
    bool rows(const Json &value, RowSegments &out);
    void rows_by_name(const Json &map, RowSegments &out);
    bool shaped_columns(const Json &value, RowSegments &out);
    void columns_as_arrays(const Json &how, RowSegments &out);
    void columns_as_pairs(const Json &how, RowSegments &out);
    void member(int column, RowSegments &out);
    void value_of(int column, RowSegments &out);

    // body_texts.cpp
    void text(const std::string &text, Place place, RowSegments &out);
    void text_of(const Json &value, RowSegments &out);
    void placeholder(const std::string &name, Place place, RowSegments &out);

    // body_form.cpp
    void form_body(const Json &body);
    void form(const Json &value, const std::string &name, RowSegments &columns);
    void form_columns(const Json &which, const std::string &name, RowSegments &columns);
    void form_array(const Json &array, const std::string &name, RowSegments &columns);

    // body_files.cpp
    void lines_body(const Json &rows);
    void csv_body(const Json &rows);
    void text_body(const Json &body);
    void multipart_body(const Json &body);
    void file(const Json &file);

    /// The columns that a "$columns" means.
    std::vector<int> columns_of(const Json &which) const;
    const std::string &part_of(const std::string &field) const;
    const std::string &field_of(int column) const { return references_.columns()[column].field; }
    int use(const std::string &placeholder) { return references_.use(object_, spec_, placeholder); }

    const Object &object_;
    const OperationSpec &spec_;
    const std::vector<std::string> &fields_;
    RowReferences &references_;
    std::string key_field_;
    CompiledBody body_;
    bool holds_rows_ = false;
    bool column_wise_ = false; ///< its rows are values of arrays, one for each column
    bool beside_rows_ = false; ///< of what rows have in common: a mark, until the request is sent
    int column_ = -1;          ///< of which {column.value} speaks
    std::string number_;       ///< {column.number}
    bool in_write_as_ = false; ///< {column.value} is the value itself
};

} // namespace reverse_etl
