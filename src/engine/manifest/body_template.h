#pragma once

#include "engine/manifest/manifest_node.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Where a template stands: what it may speak of follows from that.
struct TemplatePlace {
    bool of_row = false;     ///< within the rows, or in a body of one row
    bool of_column = false;  ///< it is written once for each column
    bool of_columns = false; ///< the same, of all rows' values at once
    bool no_rows = false;    ///< rows do not stand in it: they stand around it, or it becomes a text
    bool in_text = false;    ///< it becomes a text, in which ids could not be written when the request is sent
    /// What rows have in common is spoken of beside them, as ids are.
    const std::vector<std::string> *group_by = nullptr;
};

/// Each fails where the template does not fit its place.
void check_template(const ManifestNode &node, const TemplatePlace &place);
void check_text(const ManifestNode &node, const TemplatePlace &place);

/// The nodes of a body in JSON where rows stand.
std::vector<ManifestNode> rows_of(const ManifestNode &node);

/// Bodies of these formats. `group_by` are the fields whose values the rows of one have in common.
void check_json(const ManifestNode &node, const std::vector<std::string> &group_by);
void check_form(const ManifestNode &node);

} // namespace reverse_etl
