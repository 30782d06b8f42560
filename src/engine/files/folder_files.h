#pragma once

#include "engine/files/file_store.h"

namespace reverse_etl {

/// Files below a folder of this machine. No symbolic link below it is followed, and nothing but regular files is read:
/// who may write into the folder chooses what is read, but only of what lies in it.
class FolderFiles : public FileStore {
  public:
    /// `root`: an absolute path.
    explicit FolderFiles(std::string root) : root_(std::move(root)) {}

    FileListing list(const std::string &prefix, bool by_folder, const std::string &part) override;
    bool lists_folders_only() const override { return true; }
    bool lists_folders() const override { return true; }
    std::unique_ptr<FileBytes> open(const FileEntry &file) override;
    std::string address(const std::string &name) const override;

  private:
    [[noreturn]] void fail(const std::string &name, int error) const;
    int open_folder(const std::string &name) const;

    const std::string root_;
};

} // namespace reverse_etl
