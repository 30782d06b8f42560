#include "engine/files/file_search.h"

#include "engine/text/errors.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Folders may lie so deep below a **.
constexpr std::size_t most_levels = 100;

} // namespace

FileSearch::FileSearch(FileStore &store, const PathPattern &pattern, const PathFilter &filter,
                       std::function<void()> pause)
    : store_(store), pattern_(pattern), filter_(filter), pause_(std::move(pause)) {
    const std::size_t values = pattern_.names().size();
    enter("", 0, PathValues(values), std::vector<bool>(values));
}

/// Goes on from a folder: through what the pattern names as it is, to where something is to be found out.
void FileSearch::enter(std::string folder, std::size_t part, PathValues values, std::vector<bool> known) {
    if (levels_.size() == most_levels)
        throw DestinationError(Fault::unintelligible, store_.address(folder) + ": folders lie more than " +
                                                          std::to_string(most_levels) + " deep");
    const std::size_t last = pattern_.parts() - 1;
    for (; part < last && pattern_.is_literal(part); part++)
        folder += pattern_.beginning(part) + "/";
    bool filters_folders = false;
    for (std::size_t i = part; i < last && !pattern_.is_any_folders(i); i++)
        for (const std::size_t value : pattern_.values_of(i))
            filters_folders |= !filter_.concerns.empty() && filter_.concerns[value];
    Level level{std::move(folder), part, std::move(values), std::move(known)};
    level.by_folder = store_.lists_folders_only() || (store_.lists_folders() && filters_folders);
    levels_.push_back(std::move(level));
}

/// Whether there was more to list.
bool FileSearch::list_more(Level &level) {
    if (level.is_begun && level.listing.next.empty())
        return false;
    pause_();
    const std::string part = level.is_begun ? level.listing.next : "";
    const std::string beginning = pattern_.is_any_folders(level.part) ? "" : pattern_.beginning(level.part);
    level.listing = store_.list(level.folder + beginning, level.by_folder, part);
    if (!level.listing.next.empty() && level.listing.next == part)
        throw DestinationError(Fault::unintelligible, store_.address(level.folder) +
                                                          ": the next part of the list of files is one that was read "
                                                          "before");
    level.is_begun = true;
    level.file = level.next_folder = 0;
    return true;
}

std::optional<FoundFile> FileSearch::wanted(const Level &level, FileEntry &file) const {
    FoundFile found{std::move(file), level.values};
    // Names that end in a slash are what some tools make of an empty folder.
    if (found.file.size == 0 || found.file.name.ends_with('/') || !pattern_.matches(found.file.name, found.values))
        return std::nullopt;
    if (!filter_.concerns.empty() && !filter_.holds(found.values, std::vector<bool>(found.values.size(), true)))
        return std::nullopt;
    return found;
}

void FileSearch::enter_folder(const Level &level, const std::string &folder) {
    if (!folder.starts_with(level.folder) || folder.size() < level.folder.size() + 2)
        return;
    const std::string_view name =
        std::string_view(folder).substr(level.folder.size(), folder.size() - level.folder.size() - 1);
    PathValues values = level.values;
    std::vector<bool> known = level.known;
    if (pattern_.is_any_folders(level.part)) {
        if (!name.starts_with('.') && !name.starts_with('_'))
            enter(folder, level.part, std::move(values), std::move(known));
        return;
    }
    if (level.part + 1 == pattern_.parts() || !pattern_.matches_part(level.part, name, values))
        return;
    for (const std::size_t value : pattern_.values_of(level.part))
        known[value] = true;
    if (filter_.concerns.empty() || filter_.holds(values, known))
        enter(folder, level.part + 1, std::move(values), std::move(known));
}

std::optional<FoundFile> FileSearch::next() {
    while (!levels_.empty()) {
        Level &level = levels_.back();
        if (level.file < level.listing.files.size()) {
            if (auto found = wanted(level, level.listing.files[level.file++]))
                return found;
        } else if (level.next_folder < level.listing.folders.size()) {
            const Level of_folder{level.folder, level.part, level.values, level.known};
            const std::string folder = level.listing.folders[level.next_folder++];
            enter_folder(of_folder, folder); // which may move the levels
        } else if (!list_more(level)) {
            levels_.pop_back();
        }
    }
    return std::nullopt;
}

} // namespace reverse_etl
