#pragma once

#include "engine/manifest/operation_spec.h"

#include <map>
#include <memory>
#include <string>

namespace reverse_etl {

/// A request with placeholders of the engine's whose values are known only when it is made: those of a job, {job.NAME},
/// those of a statement, {statement.NAME}, and those of files, {files.NAME}.
struct RequestTemplate {
    OperationSpec spec;                  ///< as it was read, with the placeholders in it
    std::shared_ptr<const Json> written; ///< with options filled in
};

/// What stands for the placeholders, by the part of their names behind the dot.
using RequestValues = std::map<std::string, std::string>;

/// The request of `written` with the values in the places of {prefixNAME}: they are no more than values there. `prefix`
/// has the dot. Those of `paths` are parts of a path, percent-encoded already. Limits, rules for answers and reasons
/// are those of the template. Throws SettingError where a value cannot stand.
OperationSpec filled_request(const RequestTemplate &request, const Json &written, const std::string &prefix,
                             const RequestValues &values, const RequestValues &paths = {});

} // namespace reverse_etl
