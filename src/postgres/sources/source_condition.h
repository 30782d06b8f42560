#pragma once

#include "postgres/sources/source_plan.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What an expression of a plan has given: ForeignScan::fdw_exprs.
struct GivenDatum {
    Oid type = InvalidOid;
    Datum value = 0;
    bool is_null = false;
    std::string later = ""; ///< how the query will give it, where it is only shown; "": the value is there
};
using GivenDatums = std::function<GivenDatum(int)>;

/// A condition of a plan with its values.
struct SaidCondition {
    enum class Kind {
        said,
        never,  ///< it holds of no row
        unsaid, ///< the source cannot be told of it
    } kind = Kind::unsaid;
    SqlCondition condition = {};
    bool is_whole = true; ///< and nothing of it is left out
};

/// Call outside of pg_call.
SaidCondition said_condition(const Destination &destination, const ShippedCondition &condition,
                             const GivenDatums &given);

/// All conditions of a plan into the query; false where no row can fulfil them. What is not said is evaluated here; an
/// Error where the plan has left nothing of it to be. `is_whole` is unset where something is not said.
bool add_conditions(const Destination &destination, const SourcePlan &plan, const GivenDatums &given,
                    SourceQuery &query, bool &is_whole);

/// A value as the source takes it, whatever the session's settings; nothing for one that it has no word for.
std::optional<std::string> source_value(Oid type, Datum value);

} // namespace reverse_etl
