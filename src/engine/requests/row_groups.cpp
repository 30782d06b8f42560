#include "engine/requests/row_groups.h"

#include "engine/text/json_text.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace reverse_etl {

namespace {

using Kind = UrlSegment::Kind;

/// What tells groups apart: each text with its length, so that no two groups read alike.
std::string group_of(const CompiledOperation &operation, const Batch &batch, std::size_t row) {
    std::string group;
    for (const std::size_t kept : operation.grouping()) {
        const std::string_view text = batch.kept(row, kept);
        group += std::to_string(text.size()) + ':';
        group += text;
    }
    return group;
}

bool is_one_group(const CompiledOperation &operation, const std::vector<Batch> &batches) {
    if (batches.size() != 1 || batches.front().rows().empty())
        return batches.empty();
    const Batch &batch = batches.front();
    const std::string first = group_of(operation, batch, 0);
    for (std::size_t row = 1; row < batch.rows().size(); row++)
        if (group_of(operation, batch, row) != first)
            return false;
    return true;
}

bool has_room(const CompiledOperation &operation, const Batch &batch, const BatchRow &row) {
    const std::size_t more = operation.frame().separator.size() + row.end - row.begin;
    return batch.rows().size() < operation.rows_per_batch() && batch.bytes() + more <= operation.spec().bytes;
}

} // namespace

std::vector<Batch> grouped(const CompiledOperation &operation, std::vector<Batch> batches) {
    if (operation.grouping().empty() || is_one_group(operation, batches))
        return batches;
    std::vector<Batch> by_group;
    std::unordered_map<std::string, std::size_t> open; ///< the batch of each group that may have room
    for (const Batch &batch : batches)
        for (std::size_t row = 0; row < batch.rows().size(); row++) {
            const auto [found, is_new] = open.emplace(group_of(operation, batch, row), by_group.size());
            if (!is_new && !has_room(operation, by_group[found->second], batch.rows()[row]))
                found->second = by_group.size();
            if (found->second == by_group.size())
                by_group.emplace_back(operation.frame());
            by_group[found->second].append(batch, row);
        }
    return by_group;
}

std::string group_mark(std::size_t kept) {
    return std::string("\xfd") + static_cast<char>('0' + kept);
}

void fill_in_group(const CompiledOperation &operation, const Batch &batch, std::string &body) {
    for (const std::size_t kept : operation.grouping()) {
        std::string text;
        append_json_string(text, batch.rows().empty() ? "" : batch.kept(0, kept));
        text = text.substr(1, text.size() - 2);
        const std::string mark = group_mark(kept);
        for (std::size_t at = body.find(mark); at != body.npos; at = body.find(mark, at + text.size()))
            body.replace(at, mark.size(), text);
    }
}

/// What the rows of a request must have in common.
void CompiledOperation::set_grouping() {
    if (is_read_only(spec_.kind))
        return;
    for (const std::string &field : spec_.group_by)
        grouping_.push_back(keep(statement_column(field)));
}

bool CompiledOperation::is_of_group(std::size_t kept) const {
    const auto column = static_cast<std::size_t>(kept_columns_[kept]);
    const int source = column < columns_.size() ? kept_columns_[kept] : derived_[column - columns_.size()].source;
    return std::any_of(grouping_.begin(), grouping_.end(),
                       [&](std::size_t of_group) { return kept_columns_[of_group] == source; });
}

/// Whether something of it is not the same for all rows of a request.
bool CompiledOperation::speaks_of_row(const std::vector<UrlSegment> &segments) const {
    return std::any_of(segments.begin(), segments.end(), [&](const UrlSegment &segment) {
        return segment.kind == Kind::kept && !is_of_group(segment.kept);
    });
}

/// Whether a placeholder beside the rows is what they have in common, for which a mark stands until the request is
/// sent.
bool CompiledOperation::is_group(const std::string &placeholder, std::string &mark) {
    if (!placeholder.starts_with("row."))
        return false;
    for (std::size_t i = 0; i < spec_.group_by.size(); i++)
        if (placeholder.substr(4) == spec_.group_by[i]) {
            mark = group_mark(grouping_[i]);
            names_group_ = true;
            return true;
        }
    return false;
}

} // namespace reverse_etl
