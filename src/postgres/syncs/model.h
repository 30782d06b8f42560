#pragma once

#include <string>
#include <vector>

#include "postgres/syncs/definition.h"

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
    std::vector<std::string> needs; ///< what it uses beside them
    TupleDesc descriptor = nullptr; ///< of its rows; valid while the connection to SPI is open

    const ModelColumn *column(const std::string &name) const;
};

/// The types and collations by which the state of a sync tells rows apart. An Error says which column cannot be part of
/// a key.
struct KeyTypes {
    std::vector<Oid> types, collations;
};
KeyTypes key_types(const Model &model, const std::vector<std::string> &key);

/// Analyses the query, in the connection to SPI that is open. An error points into the query.
Model analyse_model(const std::string &query);

/// The model of a sync, analysed as its owner. An Error tells if the key has not the types that the state was made for.
Model model_of(const SyncDefinition &sync);

} // namespace reverse_etl
