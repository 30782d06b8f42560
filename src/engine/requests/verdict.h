#pragma once

#include "engine/requests/answer.h"
#include "engine/requests/compiled_operation.h"

namespace reverse_etl {

/// What an answer means for its request as a whole.
struct Verdict {
    Action action = Action::proceed;
    std::string reason;                ///< the destination's own words where it has any; "" if it is done
    std::optional<Milliseconds> delay; ///< for wait and retry, if the answer names one
    Jitter jitter = Jitter::little;    ///< of the delay
    Fault fault = Fault::unreachable;  ///< for unauthorized, stop, and attempts that run out
    bool never_arrived = false;        ///< for retry: the request surely had no effect
    const ErrorRule *rule = nullptr;   ///< for react: the operation's rule that says so
};

/// Judges by the operation's rules, then by the status as HTTP defines it.
Verdict judge(const CompiledOperation &operation, Answer &answer);

} // namespace reverse_etl
