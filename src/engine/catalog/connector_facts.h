#pragma once

#include "engine/catalog/truth.h"
#include "engine/manifest/connector.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// An operation of an object, and what it rests on.
struct OperationFact {
    std::string object, operation;
    OperationTruth truth;
    std::string note; ///< what the manifest says besides: the vendor's page and the day it was read
};

/// What people are told about a connector, read once for all who tell.
struct ConnectorFacts {
    std::string category, version, documentation; ///< "" where the manifest does not say
    std::vector<Object> objects; ///< those of the manifest; the last may be "*", for those that it does not list
    std::vector<OperationFact> operations;
    std::vector<std::string> auth; ///< its kinds, each once
    bool is_of_user = false;       ///< whether the API is the user's own, of which no vendor tells

    /// The names of the operations that some object has.
    std::vector<std::string> operation_names() const;
    /// How many rows go at once, operation by operation: "1 to 100 rows a request, 10000 a job"; "" where none are
    /// sent.
    std::string batch_sizes() const;
};

/// Options are taken to have values as typical_value() gives them. `pause` is called now and then, and may throw.
ConnectorFacts facts_of(const Connector &connector, const Truth &truth, void (*pause)() = nullptr);

/// A value that an option may have: its example, if the manifest has one.
std::string typical_value(const OptionSpec &option);

/// The same of all options without a default.
Settings typical_settings(const Connector &connector);

/// What stands for the URL of an API of the user's own.
inline constexpr const char *typical_url = "https://api.example.com";

} // namespace reverse_etl
