#pragma once

#include <string>
#include <vector>

#include "postgres/postgres.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace reverse_etl {

struct ModelColumn {
    std::string name;
    Oid type = InvalidOid; ///< a domain's base type
    Oid collation = InvalidOid;
};

/// What the query of a sync yields and reads.
struct Model {
    std::vector<ModelColumn> columns;
    std::vector<Oid> relations;
    TupleDesc descriptor = nullptr; ///< of its rows; valid while the connection to SPI is open

    const ModelColumn *column(const std::string &name) const;
};

/// Analyses the query, in the connection to SPI that is open. An error points into the query.
Model analyse_model(const std::string &query);

} // namespace reverse_etl
