#pragma once

#include <string>

#include "postgres/border/border.h"

namespace reverse_etl {

/// Pieces of SQL that is written by code.

/// A name as it has to stand in a statement.
std::string quoted_name(const std::string &name);

/// A text as a literal.
std::string quoted_text(const std::string &text);

/// What `write` makes of each item, with the separator between them.
template <class Items, class Write>
std::string joined(const Items &items, const char *separator, Write &&write) {
    std::string all;
    for (const auto &item : items)
        all += (all.empty() ? "" : separator) + write(item);
    return all;
}

} // namespace reverse_etl
