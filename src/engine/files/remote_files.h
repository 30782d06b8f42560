#pragma once

#include "engine/files/file_store.h"
#include "engine/manifest/connector.h"
#include "engine/requests/discovery.h"

namespace reverse_etl {

/// Files that requests list and read, as a manifest says.
class RemoteFiles : public FileStore {
  public:
    /// All must stay as long as this does. The observer is told of every request; it may be nullptr.
    RemoteFiles(const ConnectorFiles &source, Authenticator &authenticator, const AccountLine &line,
                RequestObserver *observer);

    FileListing list(const std::string &prefix, bool by_folder, const std::string &part) override;
    bool lists_folders_only() const override { return false; }
    bool lists_folders() const override { return !source_.spec.folders.empty(); }
    std::unique_ptr<FileBytes> open(const FileEntry &file) override;
    std::string address(const std::string &name) const override;

  private:
    class Step;
    class Bytes;

    const ConnectorFiles &source_;
    Authenticator &authenticator_;
    const AccountLine &line_;
    RequestObserver *observer_;
};

} // namespace reverse_etl
