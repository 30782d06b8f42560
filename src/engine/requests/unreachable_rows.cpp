/// Rows that a request cannot name: what they put into it would name something else, or all rows at once.

#include "engine/requests/compiled_operation.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Several keys stand with commas between them: one that holds a comma would be two. Where the parameter is repeated
/// for each, nothing is joined.
bool is_joined_by_comma(const UrlSegment &segment) {
    return segment.kind == UrlSegment::Kind::kept_of_all && segment.text == UrlSegment::comma;
}

} // namespace

std::vector<BatchRow> CompiledOperation::take_unreachable(Batch &batch) const {
    std::vector<BatchRow> taken;
    if (!url_names_row_ && references_.naming().empty())
        return taken;
    std::vector<std::size_t> others;
    for (std::size_t row = 0; row < batch.rows().size(); row++)
        if (reaches(batch, row))
            others.push_back(row);
        else
            taken.push_back(batch.rows()[row]);
    if (!taken.empty())
        batch = batch.subset(others);
    return taken;
}

std::string CompiledOperation::unreachable_name(const Batch &batch) const {
    for (std::size_t row = 0; row < batch.rows().size(); row++) {
        if (reaches(batch, row))
            continue;
        std::string names;
        bool is_empty = false;
        for (const NameColumn &name : names_) {
            const std::string_view text = batch.kept(row, name.kept);
            is_empty |= text.empty();
            names += (names.empty() ? "\"" : ", \"") + std::string(text) + "\"";
        }
        if (!is_empty)
            return names;
    }
    return "";
}

bool CompiledOperation::reaches(const Batch &batch, std::size_t row) const {
    // In a body, too, no destination knows a row by such a name.
    for (const std::size_t kept : references_.naming()) {
        const std::string_view name = batch.kept(row, kept);
        if (name.empty() || name == "." || name == "..")
            return false;
    }
    return !url_names_row_ || url_reaches(batch, row);
}

bool CompiledOperation::url_reaches(const Batch &batch, std::size_t row) const {
    // As the destination sees it once it has decoded the path; some take a backslash for a slash.
    std::string path = "/";
    for (const UrlSegment &segment : path_) {
        if (segment.kind == UrlSegment::Kind::literal)
            path += segment.text;
        if (segment.kind != UrlSegment::Kind::kept && segment.kind != UrlSegment::Kind::kept_of_all)
            continue;
        const std::string_view text = batch.kept(row, segment.kept);
        if (text.empty() || (is_joined_by_comma(segment) && text.find(',') != text.npos))
            return false;
        path += text;
    }
    std::replace(path.begin(), path.end(), '\\', '/');
    path += '/';
    if (path.find("/./") != path.npos || path.find("/../") != path.npos)
        return false;
    const bool may_be_empty = spec_.kind == OperationKind::create || spec_.kind == OperationKind::upsert;
    for (const UrlParameter &parameter : query_)
        for (const UrlSegment &segment : parameter.segments) {
            if (segment.kind != UrlSegment::Kind::kept && segment.kind != UrlSegment::Kind::kept_of_all)
                continue;
            const std::string_view text = batch.kept(row, segment.kept);
            if ((text.empty() && !may_be_empty) || (is_joined_by_comma(segment) && text.find(',') != text.npos))
                return false;
        }
    return true;
}

} // namespace reverse_etl
