#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/header_spec.h"
#include "engine/manifest/reason_spec.h"

#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// What an error rule says to do with an answer.
enum class Action {
    proceed,      ///< the answer tells what became of each row: read the outcomes
    wait,         ///< declined without being looked at; ask again later
    retry,        ///< a transient fault; what was asked may have been done
    reject,       ///< the rows are at fault
    absent,       ///< there is no such row
    accept,       ///< as good as done
    unauthorized, ///< the credentials are at fault
    stop,         ///< nothing more can be sent for now
    react,        ///< nothing was done; another operation is tried for the row
};

/// How much is added by chance to a wait that an answer, or the rule, names: what was refused together does not come
/// back together.
enum class Jitter {
    none,
    little, ///< a tenth of the usual pause
    full,   ///< up to as long again
};

/// A field of the row that a refusal tells.
struct KeptField {
    std::string field;
    Pointers at;        ///< where it stands in the answer
    std::string after;  ///< there, behind the last of these; "": it begins there
    std::string before; ///< and before the next of these; "": it ends there
};

/// What is tried for a row in reaction to an answer.
struct ReactionSpec {
    static constexpr const char *again = "again";
    std::string name; ///< one of the object's operations, or of its reactions
    std::string next; ///< made then: "again" for the operation once more, or another; "": what is tried takes its place
    std::string with; ///< a field of the record that a look-up found, which goes with it then; "": none
    std::vector<KeptField> keep; ///< what goes with the row from here on
};

struct ErrorRule {
    std::vector<long> statuses; ///< empty: any
    /// For every header, its name in lower case, one of the values must stand there, in any case.
    std::vector<std::pair<std::string, std::vector<std::string>>> headers;
    Condition body;
    Action then = Action::reject;
    ToldTime wait; ///< how long to wait, if not as Retry-After says
    Jitter jitter = Jitter::little;
    ReasonSpec reason;     ///< empty: the connector's
    ReactionSpec reaction; ///< with Action::react
};

} // namespace reverse_etl
