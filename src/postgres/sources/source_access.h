#pragma once

#include "engine/requests/words.h"
#include "engine/sources/result_page.h"
#include "engine/sources/sql_text.h"
#include "postgres/destinations/destination.h"
#include "postgres/sources/source_plan.h"

#include <cstddef>
#include <functional>
#include <optional>

namespace reverse_etl {

/// What the source of a table may be asked for by who does not want the rows of a scan, but something else that is told
/// of the same rows: with the scan's rights, credentials and limits. It lives as long as the scan.
class SourceAccess {
  public:
    virtual ~SourceAccess() = default;

    virtual const Destination &table() const = 0;
    virtual const SourcePlan &plan() const = 0;
    /// How what the source says is told to people.
    virtual const Words &words() = 0;
    /// The rows that the scan would read; nothing where WHERE holds of none. `is_whole` is unset where a condition is
    /// left out, since the source cannot be told its value.
    virtual std::optional<SourceQuery> query(bool &is_whole) = 0;

    using TakeRow = std::function<void(const ResultPage &page, std::size_t row)>;
    /// Runs a statement, whose result has so many columns. Errors are those of a scan.
    virtual void run(const SqlText &sql, std::size_t columns, const TakeRow &take) = 0;
};

} // namespace reverse_etl
