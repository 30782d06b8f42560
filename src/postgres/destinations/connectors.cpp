#include "postgres/destinations/connectors.h"

#include "engine/manifest/manifest_filling.h"
#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"

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

struct ParsedManifest {
    std::string manifest;
    std::shared_ptr<const Connector> connector;
};

std::shared_ptr<const Connector> parse(const std::string &name, const std::string &manifest) {
    static std::map<std::string, ParsedManifest> parsed;
    ParsedManifest &entry = parsed[name];
    if (entry.connector == nullptr || entry.manifest != manifest)
        entry = {manifest, std::make_shared<Connector>(parse_connector(manifest))};
    return entry.connector;
}

} // namespace

Connector parse_connector(std::string_view manifest) {
    return Connector::parse(manifest, [] { pg_call([] { CHECK_FOR_INTERRUPTS(); }); });
}

std::vector<std::string> built_in_connector_names() {
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
    std::ifstream file(connector_directory() / (name + ".json"), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::shared_ptr<const Connector> find_connector(const std::string &name) {
    // The files change only with the installation, and the library with them.
    static std::map<std::string, std::shared_ptr<const Connector>> known;
    if (auto found = known.find(name); found != known.end())
        return found->second;
    std::vector<std::string> built_in = built_in_connector_names();
    if (std::find(built_in.begin(), built_in.end(), name) != built_in.end())
        return known[name] = parse(name, built_in_manifest(name));
    std::vector<CustomConnector> custom = custom_connectors(&name);
    if (!custom.empty())
        return parse(name, custom.front().manifest);
    std::string names;
    for (const std::string &one : built_in)
        names += (names.empty() ? "" : ", ") + one;
    for (const CustomConnector &one : custom_connectors(nullptr))
        names += ", " + one.name;
    throw Error(ERRCODE_UNDEFINED_OBJECT, "connector \"" + name + "\" does not exist", "",
                "The connectors are: " + names + ".");
}

std::vector<std::shared_ptr<const Connector>> all_connectors() {
    std::vector<std::shared_ptr<const Connector>> connectors;
    for (const std::string &name : built_in_connector_names())
        connectors.push_back(find_connector(name));
    for (const CustomConnector &custom : custom_connectors(nullptr))
        connectors.push_back(parse(custom.name, custom.manifest));
    return connectors;
}

/// reverse_etl_internal.built_in_connectors() returns setof (name text, manifest text)
SQL_FUNCTION(reverse_etl_built_in_connectors) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const std::string &name : built_in_connector_names()) {
            std::string manifest = built_in_manifest(name);
            pg_call([&] {
                Datum values[] = {text_datum(name), text_datum(manifest)};
                bool nulls[] = {false, false};
                tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            });
        }
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.check_manifest(name text, manifest text): raises what is wrong with it
SQL_FUNCTION(reverse_etl_check_manifest) {
    guard([&] {
        // Whatever is too large is not even copied.
        check_manifest_size(pg_call([&] { return toast_raw_datum_size(PG_GETARG_DATUM(1)); }) - VARHDRSZ);
        std::string name = text_argument(fcinfo, 0);
        Connector connector = parse_connector(text_argument(fcinfo, 1));
        if (connector.name() != name)
            throw ManifestError("/name", "must be the connector's name, " + name);
        for (const std::string &built_in : built_in_connector_names())
            if (built_in == name)
                throw Error(ERRCODE_DUPLICATE_OBJECT, "connector \"" + built_in + "\" already exists",
                            "It came with the extension.", "Give your own another name.");
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
