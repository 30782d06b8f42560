#include "postgres/files/files_sample.h"

#include "postgres/border/names.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/identity.h"
#include "postgres/files/files_scan.h"

namespace reverse_etl {

std::vector<SampledColumn> sample_of_server(Oid server, Oid role, const Settings &options_of_table) {
    Settings settings = options_of_server(server);
    for (const auto &[name, value] : options_of_table)
        settings[name] = value;
    const auto connector = find_connector(settings.contains("connector") ? settings.at("connector") : "");
    std::optional<ConnectorFiles> found = connector->files(settings);
    if (!found)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "connector \"" + connector->name() + "\" of server \"" + server_name(server) + "\" reads no files",
                    "", "A manifest says how in its member \"files\".");
    identity::refuse_copy();
    const auto how = std::make_shared<const ConnectorFiles>(std::move(*found));
    const PathPattern pattern(settings.at("files"));
    Policy policy = policy_of(settings);
    policy.account = account_of(role, server);
    OpenFiles files(how, folder_of(*how, settings), signer_of_account(server, role, how->object), policy, nullptr);
    std::vector<SampledColumn> columns;
    try {
        columns = sample_files(files.store(), pattern, files_format_of(settings), serve_interrupts);
    } catch (const DestinationError &error) {
        throw Error(sqlstate_of(error.fault),
                    "could not read the files of server \"" + server_name(server) + "\": " + error.what(), error.detail,
                    error.hint);
    } catch (const FileFault &fault) {
        throw Error(ERRCODE_FDW_ERROR, fault.what());
    }
    if (columns.empty())
        throw Error(ERRCODE_FDW_TABLE_NOT_FOUND,
                    "server \"" + server_name(server) + "\" has no files \"" + settings.at("files") + "\"",
                    "Files without content do not count, nor those whose names begin with \".\" or \"_\".");
    return columns;
}

} // namespace reverse_etl
