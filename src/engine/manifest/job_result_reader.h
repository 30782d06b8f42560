#pragma once

#include "engine/manifest/job_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// What a result of a job says beside its request: how it is written, and how its pages follow.
JobResult read_job_result(const ManifestNode &node);

/// Reads what one answer of a job, of several perhaps, says of rows. `is_paged`: it does not speak of all of them.
void read_job_outcome(const ManifestNode &node, OperationSpec &spec, bool is_paged);

} // namespace reverse_etl
