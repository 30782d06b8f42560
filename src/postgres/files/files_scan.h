#pragma once

#include "engine/requests/discovery.h"
#include "postgres/files/files_plan.h"
#include "postgres/sources/table_scan.h"

#include <functional>
#include <memory>

extern "C" {
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// A scan of a table that is read from files.
std::unique_ptr<TableScan> make_files_scan(const Destination &destination, FilesPlan plan, Oid user,
                                           ForeignScanState *node);

/// What files are read through, by requests or from a folder of this machine.
class OpenFiles {
  public:
    /// `policy` and `observer` must stay as long as this does; the observer may be nullptr.
    OpenFiles(std::shared_ptr<const ConnectorFiles> how, const std::string &folder,
              std::shared_ptr<Authenticator> authenticator, const Policy &policy, RequestObserver *observer);

    FileStore &store() { return *store_; }

  private:
    const std::shared_ptr<const ConnectorFiles> how_;
    const std::shared_ptr<Authenticator> authenticator_;
    const AccountLine line_;
    std::unique_ptr<FileStore> store_;
};

/// What engine code calls now and then, so that a statement can be cancelled. Throws a PostgresError.
void serve_interrupts();

} // namespace reverse_etl
