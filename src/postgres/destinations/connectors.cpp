#include "postgres/destinations/connectors.h"

#include "engine/manifest/known_names.h"
#include "engine/manifest/manifest_filling.h"
#include "engine/text/json.h"
#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/sql_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

extern "C" {
#include "access/detoast.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// Where the installation put connectors/*.json.
std::filesystem::path connector_directory() {
    char share[MAXPGPATH];
    get_share_path(my_exec_path, share);
    return std::filesystem::path(share) / "reverse_etl" / "connectors";
}

/// A file of connectors/; "" where there is none.
std::string connector_file(const std::string &file_name) {
    std::ifstream file(connector_directory() / file_name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The names of the files of connectors/, in order.
std::vector<std::string> installed_connectors() {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto &entry : std::filesystem::directory_iterator(connector_directory(), ignored)) {
        std::string file = entry.path().filename().string();
        // connector.schema.json is the language's description, no connector.
        if (file.ends_with(".json") && file.find('.') == file.size() - 5)
            names.push_back(file.substr(0, file.size() - 5));
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string built_in_manifest(const std::string &name) {
    return connector_file(name + ".json");
}

struct CustomConnector {
    std::string name, manifest;
};

/// Reads reverse_etl_internal.custom_connectors: the row of that name, or all rows.
std::vector<CustomConnector> custom_connectors(const std::string *name) {
    static constexpr const char *query =
        "SELECT name, manifest::pg_catalog.text FROM reverse_etl_internal.custom_connectors "
        "WHERE $1 IS NULL OR name OPERATOR(pg_catalog.=) $1 ORDER BY name";
    struct Found {
        uint64 count = 0;
        ServerText *names = nullptr, *manifests = nullptr;
    };
    AsMachine machine;
    Found found = pg_call([&] {
        Found result;
        MemoryContext caller = CurrentMemoryContext;
        // While the extension itself is being created or dropped there may be no such table.
        Oid schema = get_namespace_oid(internal_schema, true);
        if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("custom_connectors", schema)))
            return result;
        bool pushed = !ActiveSnapshotSet();
        if (pushed)
            PushActiveSnapshot(GetTransactionSnapshot());
        SPI_connect();
        Oid types[] = {TEXTOID};
        Datum values[] = {name != nullptr ? text_datum(*name) : static_cast<Datum>(0)};
        char nulls[] = {name != nullptr ? ' ' : 'n'};
        if (SPI_execute_with_args(query, 1, types, values, nulls, true, 0) != SPI_OK_SELECT)
            elog(ERROR, "could not read reverse_etl_internal.custom_connectors");
        result.count = SPI_processed;
        MemoryContext spi = MemoryContextSwitchTo(caller);
        result.names = static_cast<ServerText *>(palloc0(sizeof(ServerText) * (result.count + 1)));
        result.manifests = static_cast<ServerText *>(palloc0(sizeof(ServerText) * (result.count + 1)));
        for (uint64 i = 0; i < result.count; i++) {
            result.names[i] = sql::printed(i, 1);
            result.manifests[i] = sql::printed(i, 2);
        }
        MemoryContextSwitchTo(spi);
        SPI_finish();
        if (pushed)
            PopActiveSnapshot();
        return result;
    });
    std::vector<CustomConnector> connectors;
    for (uint64 i = 0; i < found.count; i++)
        connectors.push_back({found.names[i].utf8(), found.manifests[i].utf8()});
    return connectors;
}

bool is_built_in(const std::string &name) {
    const std::vector<std::string> &names = built_in_connector_names();
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string in_quotation_marks(const std::string &name) {
    return "\"" + name + "\"";
}

void pause() {
    pg_call([] { CHECK_FOR_INTERRUPTS(); });
}

/// A connector's own manifest; nothing if there is no such connector.
std::optional<std::string> find_manifest(const std::string &name) {
    if (is_built_in(name))
        return built_in_manifest(name);
    std::vector<CustomConnector> custom = custom_connectors(&name);
    return custom.empty() ? std::nullopt : std::optional(custom.front().manifest);
}

/// A connector, and the manifests that it was made of: its own, and those that it extends.
struct ParsedManifest {
    std::map<std::string, std::string> manifests;
    std::shared_ptr<const Connector> connector;

    bool is_of(const std::string &name, const std::string &manifest) const {
        return connector != nullptr && std::all_of(manifests.begin(), manifests.end(), [&](const auto &known) {
                   return known.second == (known.first == name ? manifest : find_manifest(known.first));
               });
    }
};

std::shared_ptr<const Connector> parse(const std::string &name, const std::string &manifest) {
    static std::map<std::string, ParsedManifest> parsed;
    ParsedManifest &entry = parsed[name];
    if (!entry.is_of(name, manifest)) {
        ParsedManifest made = {{{name, manifest}}, nullptr};
        made.connector = std::make_shared<Connector>(Connector::parse(manifest, pause, [&](const std::string &base) {
            std::optional<std::string> text = find_manifest(base);
            if (text)
                made.manifests[base] = *text;
            return text;
        }));
        entry = std::move(made);
    }
    return entry.connector;
}

/// Those who extend a connector have to stay right when it is replaced.
void check_extenders(const std::string &name, const std::string &manifest) {
    for (const CustomConnector &custom : custom_connectors(nullptr)) {
        if (custom.name == name || custom.manifest.find("\"extends\"") == custom.manifest.npos)
            continue;
        bool extends = false;
        try {
            Connector::parse(custom.manifest, pause, [&](const std::string &base) {
                extends |= base == name;
                return base == name ? std::optional(manifest) : find_manifest(base);
            });
        } catch (const ManifestError &error) {
            if (extends)
                throw Error(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
                            "connector \"" + custom.name + "\", which extends \"" + name + "\", would be wrong",
                            "There \"" + error.pointer + "\" " + error.what() + ".",
                            "Change or drop \"" + custom.name + "\" before.");
        }
    }
}

} // namespace

Connector parse_connector(std::string_view manifest) {
    return Connector::parse(manifest, pause, find_manifest);
}

std::shared_ptr<const Connector> find_connector(const std::string &name) {
    // The files change only with the installation, and the library with them.
    static std::map<std::string, std::shared_ptr<const Connector>> known;
    if (auto found = known.find(name); found != known.end())
        return found->second;
    if (is_built_in(name))
        return known[name] = parse(name, built_in_manifest(name));
    std::vector<CustomConnector> custom = custom_connectors(&name);
    if (!custom.empty())
        return parse(name, custom.front().manifest);
    const std::vector<std::string> near = nearest_names(name, connector_names());
    throw Error(ERRCODE_UNDEFINED_OBJECT, "connector \"" + name + "\" does not exist", "",
                (near.empty() ? "" : "Perhaps " + joined(near, " or ", in_quotation_marks) + " is meant. ") +
                    std::string("reverse_etl.connectors lists them."));
}

std::vector<std::shared_ptr<const Connector>> all_connectors() {
    std::vector<std::shared_ptr<const Connector>> connectors;
    for (const std::string &name : built_in_connector_names())
        connectors.push_back(find_connector(name));
    for (const CustomConnector &custom : custom_connectors(nullptr))
        connectors.push_back(parse(custom.name, custom.manifest));
    return connectors;
}

const std::vector<std::string> &built_in_connector_names() {
    // The files change only with the installation, and the library with them: a session that has met some of them does
    // not mix them with those of another installation.
    static const std::vector<std::string> names = installed_connectors();
    return names;
}

std::vector<std::string> connector_names() {
    std::vector<std::string> names = built_in_connector_names();
    for (const CustomConnector &one : custom_connectors(nullptr))
        names.push_back(one.name);
    return names;
}

std::string manifest_of(const std::string &name) {
    std::optional<std::string> own = find_manifest(name);
    return !own || Json::parse(*own).contains("extends") ? find_connector(name)->manifest() : *own;
}

std::optional<Truth> truth_of(const std::string &name) {
    if (!is_built_in(name))
        return std::nullopt;
    const std::string found = connector_file(name + ".truth.json");
    return found.empty() ? Truth() : Truth(found);
}

/// reverse_etl.check_manifest(name text, manifest text): raises what is wrong with it
SQL_FUNCTION(reverse_etl_check_manifest) {
    guard([&] {
        // Whatever is too large is not even copied.
        check_manifest_size(pg_call([&] { return toast_raw_datum_size(PG_GETARG_DATUM(1)); }) - VARHDRSZ);
        std::string name = text_argument(fcinfo, 0), manifest = text_argument(fcinfo, 1);
        Connector connector = parse_connector(manifest);
        if (connector.name() != name)
            throw ManifestError("/name", "must be the connector's name, " + name);
        if (is_built_in(name))
            throw Error(ERRCODE_DUPLICATE_OBJECT, "connector \"" + name + "\" already exists",
                        "It came with the extension.", "Give your own another name.");
        check_extenders(name, manifest);
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
