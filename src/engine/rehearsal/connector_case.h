#pragma once

#include "engine/manifest/connector.h"
#include "engine/text/json.h"

#include <string>
#include <vector>

namespace reverse_etl {

struct CaseResult {
    std::string name;
    std::string fault; ///< what differs, and where in the cases; "": it passed
};

/// Runs cases of a connector, a JSON array of them, without a network: requests against what they should be, answers
/// against what should follow from them. A case that cannot be read has not passed. Throws ManifestError if there is no
/// array at all.
std::vector<CaseResult> run_cases(const Connector &connector, const Json &cases);

} // namespace reverse_etl
