#pragma once

#include "engine/manifest/connector.h"
#include "postgres/border/postgres.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Where an option may stand.
enum class OptionPlace : unsigned { server = 1, table = 2, column = 4, user_mapping = 8 };

/// Checks the options of a CREATE or ALTER statement. Throws an Error whose HINT holds the options that are valid
/// there. Of a user mapping `connector` is its server's, or "" where that is not known.
void validate_options(const Settings &options, OptionPlace place, const std::string &connector = "");

/// The built-in options, for the reference that reverse_etl.options shows.
struct OptionDescription {
    const char *name;
    unsigned places; ///< of OptionPlace
    const char *type;
    const char *fallback;
    bool superuser_only;
    const char *description;
};
const std::vector<OptionDescription> &built_in_options();

/// The option's value in milliseconds: "500ms", "10s", "2min", or a number of milliseconds.
long duration_ms(const std::string &name, const std::string &value);
/// The option's value in bytes: "500MB", "20GB", or a number of bytes.
long byte_size(const std::string &name, const std::string &value);
/// The option's value as an encoding of values.
ValueEncoding encoding_option(const std::string &name, const std::string &value);
/// The option's value as the operations that write a column; "none" is none of them.
std::vector<OperationKind> operations_option(const std::string &name, const std::string &value);
long integer_option(const std::string &name, const std::string &value);

} // namespace reverse_etl
