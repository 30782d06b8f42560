#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/rehearsal.h"
#include "engine/text/json.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A statement of a connector, without Postgres and without a network.
struct StatementTrial {
    std::string sql;
    std::vector<std::pair<std::string, std::string>> parameters; ///< Postgres types, and values
    Settings options;
    std::optional<Settings> credentials; ///< nothing: stars stand for each
};

struct StatementTrialResult {
    Json columns = Json::object(); ///< Postgres types by name
    Json rows = Json::array();     ///< arrays of texts and null
    std::string failure;           ///< why the statement would end; "": it would not
};

/// The id that such a statement has.
inline constexpr const char *id_of_trial = "00000000-0000-4000-8000-000000000000";

/// Runs the trial against the rehearsal, to its last page. Throws SettingError and ManifestError for what cannot be
/// tried.
StatementTrialResult run_statement_trial(const Connector &connector, const StatementTrial &trial, Rehearsal &rehearsal);

} // namespace reverse_etl
