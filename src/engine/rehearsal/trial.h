#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/rehearsal.h"
#include "engine/text/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// One operation of a connector on rows that are at hand, without Postgres and without a network.
struct Trial {
    std::string object;
    OperationKind operation = OperationKind::create;
    Settings options;                    ///< of server and table
    std::optional<Settings> credentials; ///< nothing: stars stand for each
    std::vector<Json> rows;              ///< objects: fields and values
    std::string by;                      ///< the field that names the rows; "": the one that the operation asks for
    std::vector<std::string> asks;       ///< a read: the fields that it asks for; empty: all of the object's
};

/// What became of a row.
struct TrialOutcome {
    enum class Kind { unasked, accepted, rejected, absent, unknown, again, failed } kind = Kind::unasked;
    std::string text; ///< the destination's id for an accepted row, the reason for any other
};

/// The name of a kind: "accepted".
const char *outcome_name(TrialOutcome::Kind kind);

/// What a rehearsal throws when it has no answer left. The trial ends there; rows that were to be sent again have that
/// outcome.
struct NoMoreAnswers {};

struct TrialResult {
    std::vector<TrialOutcome> rows; ///< of an operation that writes, or looks up
    std::vector<Json> records;      ///< of a read: fields and values
    std::string failure;            ///< why the statement would end; "": it would not
};

/// Runs the trial against the rehearsal. Throws SettingError and ManifestError for what cannot be tried.
TrialResult run_trial(const Connector &connector, const Trial &trial, Rehearsal &rehearsal);
/// The same with an object whose options are filled in already.
TrialResult run_trial(const Object &object, const Trial &trial, Rehearsal &rehearsal);

} // namespace reverse_etl
