#include "engine/manifest/option_names.h"

#include <algorithm>
#include <iterator>

namespace reverse_etl {

namespace {

/// Names that every server, table or column has as an option, or will have, and names of the engine's placeholders.
constexpr const char *reserved_names[] = {"connector",
                                          "base_url",
                                          "ca_file",
                                          "folder",
                                          "proxy",
                                          "client_certificate",
                                          "client_key",
                                          "connect_timeout",
                                          "request_timeout",
                                          "rate_limit",
                                          "max_attempts",
                                          "delivery",
                                          "on_reject",
                                          "null_as",
                                          "max_in_flight",
                                          "batch_size",
                                          "insert_as",
                                          "statement_timeout",
                                          "pushdown",
                                          "outbox_max_attempts",
                                          "outbox_max_bytes",
                                          "outbox_max_rows",
                                          "outbox_ttl",
                                          "object",
                                          "key",
                                          "field",
                                          "compare",
                                          "encode",
                                          "keys",
                                          "key_field",
                                          "unique_field",
                                          "fields",
                                          "cursor",
                                          "row",
                                          "row_number"};

} // namespace

void check_option_name(const std::string &name, const ManifestNode &node) {
    bool plain = !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                 name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!plain)
        node.fail("must have a name of lower-case letters, digits and \"_\" that begins with a letter");
    if (std::find(std::begin(reserved_names), std::end(reserved_names), name) != std::end(reserved_names))
        node.fail("must have another name: this one has a meaning of its own");
}

} // namespace reverse_etl
