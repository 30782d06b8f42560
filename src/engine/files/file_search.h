#pragma once

#include "engine/files/file_store.h"
#include "engine/files/path_pattern.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What WHERE says of the values in files' names.
struct PathFilter {
    std::vector<bool> concerns; ///< whether it says something of the value; empty: of none
    /// Whether there may be rows of these values. `known`: those that are known yet; of others nothing is said.
    std::function<bool(const PathValues &values, const std::vector<bool> &known)> holds;
};

struct FoundFile {
    FileEntry file;
    PathValues values;
};

/// Goes through the files that a pattern names, page by page of the store's listings. Where a filter concerns a
/// folder's value, folders are listed first, and only those are gone into that it lets pass.
class FileSearch {
  public:
    /// `pause` is called now and then; it may throw. All must stay as long as this does.
    FileSearch(FileStore &store, const PathPattern &pattern, const PathFilter &filter, std::function<void()> pause);

    /// Nothing behind the last. Throws DestinationError.
    std::optional<FoundFile> next();

  private:
    /// What a prefix has, part by part of its listing.
    struct Level {
        std::string folder; ///< "", or a name with a slash at its end
        std::size_t part;   ///< of the pattern, for what lies in it
        PathValues values;
        std::vector<bool> known;
        bool by_folder = true;
        bool is_begun = false;
        FileListing listing = {};
        std::size_t file = 0, next_folder = 0;
    };

    void enter(std::string folder, std::size_t part, PathValues values, std::vector<bool> known);
    bool list_more(Level &level);
    std::optional<FoundFile> wanted(const Level &level, FileEntry &file) const;
    void enter_folder(const Level &level, const std::string &folder);

    FileStore &store_;
    const PathPattern &pattern_;
    const PathFilter &filter_;
    const std::function<void()> pause_;
    std::vector<Level> levels_;
};

} // namespace reverse_etl
