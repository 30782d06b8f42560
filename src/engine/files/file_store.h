#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// A file as a listing tells of it.
struct FileEntry {
    std::string name; ///< from the store's root on, with slashes
    std::uint64_t size = 0;
    std::string version; ///< what changes with its content; "" where nothing is told
};

/// A part of what a store has.
struct FileListing {
    std::vector<FileEntry> files;
    std::vector<std::string> folders; ///< whole names, with the slash at their end
    std::string next;                 ///< what names the next part; "": there is none
};

/// The bytes of a file, from the first to the last. Throws DestinationError, also where the file changes meanwhile.
class FileBytes {
  public:
    virtual ~FileBytes() = default;
    /// Replaces the bytes by those that follow, 2 MB at most; false behind the last.
    virtual bool next(std::string &bytes) = 0;
    /// Has what comes next be on its way, without waiting.
    virtual void begin() {}
};

/// Where files lie.
class FileStore {
  public:
    virtual ~FileStore() = default;
    /// What has a name that begins with the prefix, in the order of the names' bytes. `by_folder`: what goes on behind
    /// the next slash of its name is named once, as a folder. `part`: "" for the first. Throws DestinationError.
    virtual FileListing list(const std::string &prefix, bool by_folder, const std::string &part) = 0;
    /// Whether it can only be listed folder by folder.
    virtual bool lists_folders_only() const = 0;
    /// Whether it can be listed folder by folder.
    virtual bool lists_folders() const = 0;
    virtual std::unique_ptr<FileBytes> open(const FileEntry &file) = 0;
    /// Where the file is, for people.
    virtual std::string address(const std::string &name) const = 0;
};

} // namespace reverse_etl
