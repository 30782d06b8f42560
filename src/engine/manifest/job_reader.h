#pragma once

#include "engine/manifest/job_spec.h"
#include "engine/manifest/manifest_node.h"

#include <map>
#include <memory>
#include <string>

namespace reverse_etl {

/// What the steps of a job kept, by name.
using JobValues = RequestValues;

/// Reads the member "job" of an operation. What the operation says of headers, errors and limits goes for each of the
/// job's requests.
std::shared_ptr<JobSpec> read_job(const ManifestNode &operation, const OperationSpec &spec);

/// The request with these values in the places of {job.NAME}: they are no more than values there. Throws SettingError
/// where one cannot stand.
OperationSpec request_with(const JobRequest &request, const JobValues &values);

/// The same of the address of an upload.
std::string address_with(const JobStep &step, const JobValues &values);

} // namespace reverse_etl
