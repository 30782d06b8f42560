#pragma once

#include "engine/requests/compiled_operation.h"
#include "engine/requests/row_writer.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What a rule of an operation tries for a row in reaction to an answer. The operations know the statement's columns by
/// their numbers.
struct CompiledReaction {
    const ErrorRule *rule;
    std::string obstacle;                   ///< why the statement's rows cannot be tried so; "": they can
    std::optional<CompiledOperation> tried; ///< none: there is an obstacle
    NullAs null_as = NullAs::null;
    /// The operation once more, with the value that was found, if one is wanted, behind its columns. None: what is
    /// tried takes its place.
    std::optional<CompiledOperation> again;

    const ReactionSpec &spec() const { return rule->reaction; }
};

using Reactions = std::vector<CompiledReaction>;

/// Those of the operation's rules; for most operations there are none. `null_as` is the operation's own, the other that
/// of rows which are created.
Reactions compile_reactions(const CompiledOperation &operation, NullAs null_as, NullAs null_as_created);

} // namespace reverse_etl
