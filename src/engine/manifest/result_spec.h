#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/error_rule.h"
#include "engine/manifest/reason_spec.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// How an entry of an answer finds its row.
struct Pairing {
    enum class By {
        number, ///< the number that was sent with the row
        key,
        index, ///< its place in the request, counted from 0
    } by = By::number;
    std::string pointer;
    bool by_name = false; ///< by the entry's name in its map, not by what stands at the pointer
};

/// What an entry means.
struct EntryRule {
    Condition when; ///< empty: whatever it says
    Action then = Action::accept;
    ReasonSpec reason; ///< empty: the result's
};

/// A header in which an answer tells the id of its one row.
struct IdHeader {
    std::string name;   ///< in lower case
    std::string after;  ///< the id stands behind the last of these; "": it begins the header
    std::string before; ///< and before the next of these; "": it ends the header
};

/// How one part of an answer tells what became of rows.
struct ResultSpec {
    enum class In {
        answer, ///< it is the one entry
        array,
        object, ///< of which each member is an entry
    } in = In::answer;
    std::string pointer; ///< to the array or object
    bool by_position = false;
    std::vector<Pairing> pairings;
    Condition only_when;            ///< entries that count; empty: all
    std::vector<EntryRule> entries; ///< the first that fits an entry decides; nobody knows what any other means
    std::optional<std::string> id;  ///< pointer to the destination's id of the row
    std::optional<IdHeader> id_header;
    ReasonSpec reason;

    bool has_entries() const { return in != In::answer; }
    bool can_accept() const {
        return std::any_of(entries.begin(), entries.end(),
                           [](const EntryRule &rule) { return rule.then == Action::accept; });
    }
    /// Whether an entry is accepted whatever it says.
    bool always_accepts() const { return entries.front().when.empty() && entries.front().then == Action::accept; }
};

/// What an answer means for the rows that it does not mention.
enum class Others { unknown, accepted, rejected, absent };

} // namespace reverse_etl
