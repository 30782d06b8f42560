#include "engine/manifest/column_spec.h"

#include <algorithm>

namespace reverse_etl {

bool ColumnSpec::is_written_by(OperationKind operation) const {
    bool named = std::find(written_by.begin(), written_by.end(), operation) != written_by.end();
    return writable && (written_by.empty() || named);
}

} // namespace reverse_etl
