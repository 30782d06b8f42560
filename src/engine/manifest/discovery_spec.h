#pragma once

#include "engine/manifest/operation_spec.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// What a field that is found becomes.
struct FoundType {
    std::string type = "text"; ///< a Postgres type
    std::string encode;        ///< as the column's option has it; "" for none
};

/// Values that a field may have.
struct ChoicesSpec {
    Pointers at;           ///< of the array; empty: none are told
    std::string value;     ///< pointer within one
    Condition only_when;   ///< which count
    Condition closed_when; ///< of the field: it takes no others; empty: never
};

/// How the fields of an object are found.
struct FieldDiscovery {
    OperationSpec operation; ///< a list
    std::string field;       ///< pointer to the name within a record
    Condition only_when;     ///< which count
    Pointers type_at;
    std::map<std::string, FoundType> types;
    FoundType otherwise;
    /// When an operation writes it, create and update; none: all do.
    std::vector<std::pair<OperationKind, Condition>> write;
    Condition required; ///< it is never empty; empty: not known
    ChoicesSpec choices;
    Pointers description;
};

/// How objects are found that the manifest does not list.
struct ObjectDiscovery {
    OperationSpec operation; ///< a list
    std::string object;      ///< pointer to the name that requests have
    std::string table;       ///< pointer to the name that its table gets
    Condition only_when;
};

} // namespace reverse_etl
