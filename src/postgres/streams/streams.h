#pragma once

#include "postgres/streams/mapping.h"
#include "postgres/streams/statements.h"

#include <optional>

namespace reverse_etl {

class Destination;

/// What reverse_etl.streams says of a stream, or the arguments of a trigger that somebody wrote by hand.
struct StreamDefinition {
    std::string name; ///< empty: written by hand
    Oid source = InvalidOid;
    Oid destination = InvalidOid;
    std::string mapping;
    std::vector<std::string> columns; ///< empty: those that the mapping yields
    std::string on_delete = "delete", on_truncate = "delete";
    Oid owner = InvalidOid; ///< invalid: whoever fires the trigger
    std::string search_path;

    bool deletes() const { return on_delete == "delete"; }
};

/// Reads reverse_etl.streams.
std::optional<StreamDefinition> find_stream(const std::string &name);

/// The columns of the source that the destination has too, and takes.
std::string mapping_by_name(Oid source, const Destination &destination);

/// A stream's statements and what its mapping is about. In the open connection to SPI, as the stream's owner.
struct AnalysedStream {
    Mapping mapping;
    std::vector<std::string> columns, key;
    StreamStatements statements;
};
AnalysedStream analyse(const StreamDefinition &stream);

} // namespace reverse_etl
