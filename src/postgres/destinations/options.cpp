#include "postgres/destinations/options.h"

#include "engine/http/client_certificate.h"
#include "engine/http/proxy.h"
#include "engine/manifest/encoding_reader.h"
#include "engine/manifest/option_value.h"
#include "postgres/border/border.h"
#include "postgres/destinations/connectors.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
}

namespace reverse_etl {

namespace {

constexpr unsigned on_server = static_cast<unsigned>(OptionPlace::server);
constexpr unsigned on_table = static_cast<unsigned>(OptionPlace::table);
constexpr unsigned on_column = static_cast<unsigned>(OptionPlace::column);
constexpr unsigned on_user_mapping = static_cast<unsigned>(OptionPlace::user_mapping);

/// An option that a place accepts, with what it needs to be checked.
struct AcceptedOption {
    std::string name;
    unsigned places;
    std::string type;
    bool superuser_only;
    std::shared_ptr<const Connector> connector; ///< of an option that it adds: keeps `of_connector`
    const OptionSpec *of_connector;             ///< nullptr for any other
};

const char *place_name(OptionPlace place) {
    switch (place) {
    case OptionPlace::server:
        return "a server";
    case OptionPlace::table:
        return "a foreign table";
    case OptionPlace::column:
        return "a column";
    case OptionPlace::user_mapping:
        return "a user mapping";
    }
    return "";
}

/// A dump makes servers and tables before it fills reverse_etl_internal.custom_connectors, and says by this setting, as
/// for functions, that what is referred to may come later. Their connector and its options are checked when they are
/// used.
bool restoring() {
    return !check_function_bodies;
}

std::vector<AcceptedOption> built_in_accepted() {
    std::vector<AcceptedOption> accepted;
    for (const OptionDescription &option : built_in_options())
        accepted.push_back({option.name, option.places, option.type, option.superuser_only, nullptr, nullptr});
    return accepted;
}

/// Every option of every place: the built-in ones and those of the connectors. A connector that is known narrows the
/// list to its own; a table does not tell the validator its server.
std::vector<AcceptedOption> accepted_options(const std::string &known) {
    std::vector<AcceptedOption> accepted = built_in_accepted();
    std::vector<std::shared_ptr<const Connector>> connectors;
    if (!known.empty() && !restoring())
        connectors.push_back(find_connector(known));
    else
        connectors = all_connectors();
    for (const auto &connector : connectors) {
        for (const OptionSpec &option : connector->options())
            accepted.push_back({option.name, option.on_server ? on_server : on_table, "", false, connector, &option});
        for (const CredentialSpec &credential : connector->credentials())
            accepted.push_back(
                {credential.name, static_cast<unsigned>(OptionPlace::user_mapping), "secret", false, nullptr, nullptr});
    }
    return accepted;
}

std::string valid_names(const std::vector<AcceptedOption> &accepted, OptionPlace place) {
    std::vector<std::string> names;
    for (const AcceptedOption &option : accepted)
        if ((option.places & static_cast<unsigned>(place)) != 0)
            names.push_back(option.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string list;
    for (const std::string &name : names)
        list += (list.empty() ? "" : ", ") + name;
    return list;
}

/// What may stand there, for whoever wrote what may not. Of a user mapping only the names that its own connector has.
std::string hint_of(const std::vector<AcceptedOption> &accepted, OptionPlace place, const std::string &connector) {
    if (place == OptionPlace::user_mapping && connector.empty())
        return "reverse_etl.credentials lists what each connector takes.";
    const std::string names = valid_names(accepted, place);
    if (names.empty())
        return "Connector \"" + connector + "\" takes none.";
    return "Valid options for " + std::string(place_name(place)) +
           (place == OptionPlace::user_mapping ? " of connector \"" + connector + "\"" : "") + " are: " + names + ".";
}

/// Where an option belongs that may not stand in a place; "" if nowhere.
std::string detail_of(const std::string &name, OptionPlace place, const std::string &connector) {
    std::string owners;
    if (place == OptionPlace::user_mapping)
        for (const auto &connector : all_connectors())
            for (const CredentialSpec &credential : connector->credentials())
                if (credential.name == name)
                    owners += (owners.empty() ? "\"" : ", \"") + connector->name() + "\"";
    if (!owners.empty())
        return "It is a credential of other connectors: " + owners + ".";
    for (const AcceptedOption &option : accepted_options(place == OptionPlace::server ? connector : ""))
        for (OptionPlace other :
             {OptionPlace::server, OptionPlace::table, OptionPlace::column, OptionPlace::user_mapping})
            if (option.name == name && other != place && (option.places & static_cast<unsigned>(other)) != 0)
                return "It is an option of " + std::string(place_name(other)) + ".";
    return "";
}

[[noreturn]] void refuse_value(const std::string &name, const std::string &needs) {
    // The value is not repeated: it may be a secret put in the wrong place.
    throw Error(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE, "invalid value for option \"" + name + "\"",
                "The option " + needs + ".");
}

void check_word(const std::string &name, const std::string &value, const std::string &words) {
    // words: "a|b|c"
    for (std::size_t begin = 0; begin <= words.size();) {
        std::size_t end = std::min(words.find('|', begin), words.size());
        if (words.compare(begin, end - begin, value) == 0)
            return;
        begin = end + 1;
    }
    std::string list = words;
    for (std::size_t bar; (bar = list.find('|')) != std::string::npos;)
        list.replace(bar, 1, ", ");
    refuse_value(name, "must be one of " + list);
}

void check_value(const std::string &name, const std::string &value, const std::string &type) {
    if (type == "url") {
        if (!is_base_url(value))
            refuse_value(name,
                         "must be a URL such as https://api.example.com, without user, password, query and fragment");
    } else if (type == "milliseconds") {
        if (duration_ms(name, value) < 1)
            refuse_value(name, "must be a time greater than zero");
    } else if (type.starts_with("integer ")) {
        long lowest = std::stol(type.substr(8)), highest = std::stol(type.substr(type.find("..") + 2));
        long number = integer_option(name, value);
        if (number < lowest || number > highest)
            refuse_value(name, "must be between " + std::to_string(lowest) + " and " + std::to_string(highest));
    } else if (type == "bytes") {
        if (byte_size(name, value) < 1)
            refuse_value(name, "must be a size greater than zero");
    } else if (type == "proxy") {
        if (!is_proxy(value))
            refuse_value(name,
                         "must be \"none\" or a URL such as http://proxy.example.com:3128, without user, password, "
                         "path and query");
    } else if (type == "certificate" || type == "private key") {
        // Only these have several lines.
        if (type == "certificate" ? !is_certificate(value) : !is_private_key(value))
            refuse_value(name,
                         "must be a " + type + " in PEM" + (type == "certificate" ? "" : ", without a passphrase"));
        return;
    } else if (type == "encoding") {
        encoding_option(name, value);
    } else if (type == "comparison") {
        if (!key_form(value))
            refuse_value(name, "must be exact, case_insensitive, trimmed, or several of these with commas");
    } else if (type == "operations") {
        operations_option(name, value);
    } else if (type.find('|') != std::string::npos) {
        check_word(name, value, type);
    }
    if (value.find_first_of("\r\n") != std::string::npos)
        refuse_value(name, "must not hold a line break");
}

} // namespace

const std::vector<OptionDescription> &built_in_options() {
    static const std::vector<OptionDescription> options = {
        {"connector", on_server, "text", nullptr, false, "the connector that speaks with the destination"},
        {"base_url", on_server, "url", "the connector's", false, "where the API is"},
        {"ca_file", on_server, "text", "the system's", true, "file with the certificate authorities to trust"},
        {"proxy", on_server, "proxy", "the environment's", true, "the proxy through which requests go, or none"},
        {"folder", on_server, "text", nullptr, true, "the folder of the server that files are read from"},
        {"connect_timeout", on_server, "milliseconds", "10s", false, "longest time to connect"},
        {"request_timeout", on_server, "milliseconds", "60s", false, "longest time for a request and its answer"},
        {"rate_limit", on_server, "published|none", "published", false,
         "whether the limits that the connector names are kept"},
        {"delivery", on_server | on_table, "auto|immediate|queued", "auto", false,
         "when rows leave: at once, when the transaction has committed, or whichever cannot be rolled back"},
        {"max_attempts", on_server | on_table, "integer 1..100", "8", false,
         "how often a request is made before its destination counts as down"},
        {"max_in_flight", on_server | on_table, "integer 1..64", "8", false, "requests under way at once"},
        {"on_reject", on_server | on_table, "store|error", "store", false,
         "what a rejected row does: it is kept in reverse_etl.rejected_rows, or it ends the statement"},
        {"outbox_max_attempts", on_server | on_table, "integer 1..1000000", "20", false,
         "how often a queued row is tried that fails while others do not, before it is rejected"},
        {"outbox_max_bytes", on_server | on_table, "bytes", "20GB", false, "most bytes that the queued rows may take"},
        {"outbox_max_rows", on_server | on_table, "integer 1..1000000000", "50000000", false,
         "most rows that may be queued"},
        {"outbox_ttl", on_server | on_table, "milliseconds", "7d", false,
         "how long a queued row waits for its delivery before it is rejected"},
        {"null_as", on_server | on_table, "omit|null|clear", "omit", false,
         "how NULL is sent: not at all, as null, or as the value that clears a field at the destination"},
        {"object", on_table, "text", "the table's name", false, "the object of the connector"},
        {"statement_timeout", on_server | on_table, "milliseconds", "1h", false,
         "longest time that a statement runs at a source"},
        {"pushdown", on_server | on_table, "on|off", "on", false,
         "whether a source evaluates conditions, order, limits and aggregates, or gives all rows of the columns that "
         "are "
         "needed"},
        {"key", on_table, "text", "the object's", false, "field that names a row at the destination"},
        {"insert_as", on_table, "create|upsert", "the object's", false, "the operation that INSERT means"},
        {"batch_size", on_table, "integer 1..10000", "the operation's", false, "most rows a request"},
        {"bulk_from", on_table, "integer 1..1000000000", "the operation's", false,
         "from how many queued rows on they leave in a job, where the operation has both, a request and a job"},
        {"field", on_column, "text", "the column's name", false, "the API's name of the column"},
        {"source_type", on_column, "text", nullptr, false,
         "the type that the column is at its source, as IMPORT FOREIGN SCHEMA found it: WHERE is shipped where both "
         "are one"},
        {"compare", on_column, "comparison", "the connector's", false,
         "how the destination compares the column's values where they name rows"},
        {"encode", on_column, "encoding", "the connector's", false, "how the column's values are written"},
        {"write", on_column, "operations", "the connector's", false,
         "the operations that write the column: create, update, upsert, several with commas, or none"},
        {"client_certificate", on_user_mapping, "certificate", "none", false,
         "what shows the destination over TLS who we are"},
        {"client_key", on_user_mapping, "private key", "none", false, "the key of the client certificate"},
    };
    return options;
}

ValueEncoding encoding_option(const std::string &name, const std::string &value) {
    try {
        return encoding_of_option(value);
    } catch (const ManifestError &error) {
        const std::string place = error.pointer.empty() ? "" : "has at \"" + error.pointer + "\" what ";
        refuse_value(name, place + error.what());
    }
}

std::vector<OperationKind> operations_option(const std::string &name, const std::string &value) {
    std::vector<OperationKind> operations;
    for (std::size_t begin = 0; value != "none" && begin <= value.size();) {
        const std::size_t end = std::min(value.find(',', begin), value.size());
        const std::string word = value.substr(begin, end - begin);
        if (word != "create" && word != "update" && word != "upsert")
            refuse_value(name, "must be none, create, update, upsert, or several of these with commas");
        operations.push_back(word == "create"   ? OperationKind::create
                             : word == "update" ? OperationKind::update
                                                : OperationKind::upsert);
        begin = end + 1;
    }
    return operations;
}

long integer_option(const std::string &name, const std::string &value) {
    char *end = nullptr;
    errno = 0;
    long number = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0' || errno != 0)
        refuse_value(name, "must be an integer");
    return number;
}

long byte_size(const std::string &name, const std::string &value) {
    try {
        return pg_call([&] { return DatumGetInt64(DirectFunctionCall1(pg_size_bytes, text_datum(value))); });
    } catch (const PostgresError &) {
        refuse_value(name, "must be a size such as 500MB or 20GB");
    }
}

long duration_ms(const std::string &name, const std::string &value) {
    int milliseconds = 0;
    const char *hint = nullptr;
    bool valid = pg_call([&] { return parse_int(value.c_str(), &milliseconds, GUC_UNIT_MS, &hint); });
    if (!valid)
        refuse_value(name, "must be a time such as 500ms, 10s or 2min");
    return milliseconds;
}

namespace {

/// A table does not tell the validator its connector: a value is right if it is for one that has such an option, and is
/// looked at again when the table is used.
void check_value(const std::string &name, const std::string &value, const std::vector<AcceptedOption> &meanings) {
    std::string needs;
    for (const AcceptedOption &meaning : meanings) {
        if (meaning.of_connector == nullptr) {
            check_value(name, value, meaning.type);
            return;
        }
        needs = needs_of_option(*meaning.of_connector, value);
        if (needs.empty())
            return;
    }
    refuse_value(name, needs);
}

/// What a connector cannot be used without is asked for when its server is made.
void check_required(const Settings &options, const std::vector<AcceptedOption> &accepted) {
    for (const AcceptedOption &option : accepted) {
        const bool is_required = option.of_connector != nullptr && option.of_connector->required;
        if (is_required && (option.places & on_server) != 0 && !options.contains(option.name))
            throw Error(ERRCODE_FDW_OPTION_NAME_NOT_FOUND, "option \"" + option.name + "\" is required", "",
                        "Add " + option.name + " '" +
                            (option.of_connector->example.empty() ? "..." : option.of_connector->example) +
                            "' to the OPTIONS: " + option.of_connector->description + ".");
    }
}

} // namespace

void validate_options(const Settings &options, OptionPlace place, const std::string &connector) {
    if (place == OptionPlace::server && !options.contains("connector"))
        throw Error(ERRCODE_FDW_OPTION_NAME_NOT_FOUND, "option \"connector\" is required", "",
                    "Name the connector, as in OPTIONS (connector 'http'); reverse_etl.connectors lists them.");
    const std::string known = place == OptionPlace::server ? options.at("connector") : connector;
    // No connector adds options to columns, of which an import makes half a million: none of them is read for one.
    const std::vector<AcceptedOption> accepted =
        place == OptionPlace::column ? built_in_accepted() : accepted_options(known);
    if (place == OptionPlace::server && !restoring())
        check_required(options, accepted);
    for (const auto &given : options) {
        const std::string &name = given.first, &value = given.second;
        std::vector<AcceptedOption> here;
        std::copy_if(accepted.begin(), accepted.end(), std::back_inserter(here), [&](const AcceptedOption &option) {
            return option.name == name && (option.places & static_cast<unsigned>(place)) != 0;
        });
        if (!here.empty()) {
            check_value(name, value, here);
            if (here.front().superuser_only && !pg_call([] { return superuser(); }))
                throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied to set option \"" + name + "\"", "",
                            "Only superusers may set it, since " +
                                (name == "proxy" ? std::string("every request would go through it")
                                                 : std::string("it names a file of the server")) +
                                ".");
            continue;
        }
        if (restoring())
            continue;
        throw Error(ERRCODE_FDW_INVALID_OPTION_NAME, "invalid option \"" + name + "\"", detail_of(name, place, known),
                    hint_of(accepted, place, known));
    }
}

} // namespace reverse_etl
