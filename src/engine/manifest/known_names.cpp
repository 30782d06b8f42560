#include "engine/manifest/known_names.h"

#include "engine/text/lower_case.h"

#include <algorithm>
#include <cstddef>
#include <utility>
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

/// In short names two letters make another word.
std::size_t bearable_edits(std::string_view name) {
    return name.size() < 7 ? 1 : most_edits;
}

/// How far a name is from what was written; more than is bearable where it is another word.
std::size_t distance_to(std::string_view candidate, std::string_view written) {
    // What was written may be as long as a manifest.
    if (written.size() > candidate.size() + most_edits)
        return most_edits + 1;
    return edits_between(lower_case(written), candidate);
}

/// Whether one of two names is a part of the other; a letter or two are a part of many.
bool is_part(std::string_view left, std::string_view right) {
    constexpr std::size_t shortest = 3;
    return left.size() >= shortest && right.size() >= shortest &&
           (left.find(right) != left.npos || right.find(left) != right.npos);
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
        const std::size_t edits = distance_to(candidate, written);
        if (edits <= bearable_edits(candidate) && edits < fewest) {
            fewest = edits;
            nearest = candidate;
        }
    }
    return nearest.empty() ? "" : "; perhaps \"" + std::string(nearest) + "\" is meant";
}

std::vector<std::string> nearest_names(std::string_view written, const std::vector<std::string> &known) {
    constexpr std::size_t most = 3, longest = 63;
    if (written.size() > longest)
        return {};
    const std::string name = lower_case(written);
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const std::string &candidate : known)
        if (const std::size_t edits = distance_to(candidate, name); edits <= bearable_edits(candidate))
            near.emplace_back(edits, candidate);
        else if (is_part(candidate, name))
            near.emplace_back(most_edits + 1, candidate);
    std::stable_sort(near.begin(), near.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<std::string> names;
    for (std::size_t i = 0; i < near.size() && i < most; i++)
        names.push_back(near[i].second);
    return names;
}

} // namespace reverse_etl
