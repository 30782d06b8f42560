#pragma once

#include "engine/files/file_search.h"
#include "engine/manifest/files_spec.h"

#include <functional>
#include <string>
#include <vector>

namespace reverse_etl {

struct SampledColumn {
    std::string field;
    std::string type; ///< the Postgres type that takes all values that were seen
    bool is_of_name = false;
};

/// The columns of files, by the first rows of some of them, and the values in the names of the first thousand. Those
/// of the names come last. Empty where there is no file. Throws DestinationError.
std::vector<SampledColumn> sample_files(FileStore &store, const PathPattern &pattern, const FilesFormat &format,
                                        const std::function<void()> &pause);

} // namespace reverse_etl
