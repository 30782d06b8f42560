#pragma once

#include "engine/manifest/filter_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// A comparison that a list's request says, with the values of one statement.
struct AppliedFilter {
    const FilterSpec *spec = nullptr;
    std::vector<std::string> texts;  ///< as a parameter has them
    std::vector<std::string> values; ///< as JSON
    bool is_list = false;            ///< of "in"

    /// Whether it can be said so that the API reads what is meant.
    bool can_be_said() const;
};

using ListFilter = std::vector<AppliedFilter>;

/// The URL with the parameters of the filter.
std::string with_filter(std::string url, const ListFilter &filter);

/// The body of a list's request, made of its template. What names the page is left out of the first, the place for
/// filters, and what would hold nothing else, where there are none.
Json page_body_of(const Json &body, const std::vector<std::string> &fields, const std::string &cursor,
                  const ListFilter &filter);

} // namespace reverse_etl
