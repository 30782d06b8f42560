#pragma once

#include "engine/manifest/condition.h"

#include <optional>
#include <string>

namespace reverse_etl {

/// How a list goes on after a page.
struct PageSpec {
    enum class By {
        nothing, ///< there is one page
        cursor,  ///< what stands at `pointer` in the answer
        url,     ///< the address at `pointer` in the answer
        link,    ///< the address in the Link header by `relation`
        offset,  ///< the number of the page's first record
        page,    ///< the number of the page
        last     ///< what stands at `pointer` in the page's last record
    } by = By::nothing;
    std::string pointer;
    std::string relation;
    int first = 0;       ///< the first page's number, or its first record's
    int size = 0;        ///< of a page by offset; 0: as many records as it has
    std::string total;   ///< pointer to the number of records by offset, or of pages; "" for none
    Condition more_when; ///< the list ends where this does not hold

    /// What tells the next page is sent as {cursor}.
    bool has_cursor() const { return by == By::cursor || by == By::offset || by == By::page || by == By::last; }
};

/// Where in an answer the records stand.
struct RecordsSpec {
    Pointers at = {""};                ///< of the array, or of the only one
    std::optional<std::string> of_map; ///< they are members of an object: where in a member its record stands
    Condition none_when;               ///< the answer says that there are none
};

} // namespace reverse_etl
