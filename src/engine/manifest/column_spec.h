#pragma once

#include "engine/manifest/key_form.h"
#include "engine/manifest/operation_spec.h"
#include "engine/manifest/value_encoding.h"
#include "engine/text/json_fwd.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

struct ColumnSpec {
    std::string field;  ///< the API's name
    std::string column; ///< the foreign table's name for it
    std::string type;   ///< a Postgres type
    ValueEncoding encoding;
    std::optional<KeyForm> compare; ///< where the field names rows; none: as the object says
    std::string read;               ///< JSON pointer to the value within a record
    bool writable = true;
    std::vector<OperationKind> written_by; ///< the operations that write it; empty: all
    std::string part;                      ///< of the body, where its value stands; "": wherever "all" columns do
    std::shared_ptr<const Json> write_as;  ///< a template of its value; nullptr: the value alone
    std::string description;

    bool is_written_by(OperationKind operation) const;
};

} // namespace reverse_etl
