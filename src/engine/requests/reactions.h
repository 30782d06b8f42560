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
    /// What is made then: the operation once more or another, with the value that was found, if one is wanted, or what
    /// the refusal told behind its columns. None: what is tried takes its place.
    std::optional<CompiledOperation> next;
    NullAs null_as_next = NullAs::null;

    const ReactionSpec &spec() const { return rule->reaction; }
};

using Reactions = std::vector<CompiledReaction>;

/// How NULL is sent by an operation, and by those that take its place.
struct NullForms {
    NullAs own, created;
    NullAs changed = own; ///< of rows that turn out to be there
};

/// Those of the operation's rules; for most operations there are none.
Reactions compile_reactions(const CompiledOperation &operation, const NullForms &nulls);

} // namespace reverse_etl
