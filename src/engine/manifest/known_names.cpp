#include "engine/manifest/known_names.h"

#include "engine/text/lower_case.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace reverse_etl {

namespace {

constexpr std::size_t most_edits = 2;

/// How many letters have to be put in, taken out, replaced, or swapped with their neighbour.
std::size_t edits_between(std::string_view left, std::string_view right) {
    std::vector<std::vector<std::size_t>> edits(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
    for (std::size_t i = 0; i <= left.size(); i++)
        for (std::size_t j = 0; j <= right.size(); j++) {
            if (i == 0 || j == 0) {
                edits[i][j] = i + j;
                continue;
            }
            const bool differ = left[i - 1] != right[j - 1];
            edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, edits[i - 1][j - 1] + differ});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
        }
    return edits[left.size()][right.size()];
}

} // namespace

std::string listed(std::initializer_list<const char *> names) {
    std::string list;
    for (const char *name : names)
        list += (list.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    return list;
}

std::string perhaps_meant(std::string_view written, std::initializer_list<const char *> known) {
    std::string_view nearest;
    std::size_t fewest = most_edits + 1;
    for (const std::string_view candidate : known) {
        // What was written may be as long as a manifest.
        if (written.size() > candidate.size() + most_edits)
            continue;
        // In short names two letters make another word.
        const std::size_t bearable = candidate.size() < 7 ? 1 : most_edits;
        const std::size_t edits = edits_between(lower_case(written), candidate);
        if (edits <= bearable && edits < fewest) {
            fewest = edits;
            nearest = candidate;
        }
    }
    return nearest.empty() ? "" : "; perhaps \"" + std::string(nearest) + "\" is meant";
}

} // namespace reverse_etl
