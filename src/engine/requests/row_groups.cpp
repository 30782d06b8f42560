#include "engine/requests/row_groups.h"

#include "engine/requests/batch_cut.h"
#include "engine/text/json_text.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace reverse_etl {

namespace {

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
    for (Batch &batch : by_group)
        batch = in_order(batch);
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

void RowReferences::group(const Object &object, const OperationSpec &spec) {
    if (is_read_only(spec.kind))
        return;
    for (const std::string &field : spec.group_by)
        grouping_.push_back(keep(statement_column(object, spec, field)));
}

bool RowReferences::is_of_group(std::size_t kept) const {
    const auto column = static_cast<std::size_t>(kept_[kept]);
    const int source = column < columns_.size() ? kept_[kept] : derived_[column - columns_.size()].source;
    return std::any_of(grouping_.begin(), grouping_.end(),
                       [&](std::size_t of_group) { return kept_[of_group] == source; });
}

std::string RowReferences::group_mark_of(const OperationSpec &spec, const std::string &placeholder) {
    for (std::size_t i = 0; i < grouping_.size(); i++)
        if (placeholder == "row." + spec.group_by[i]) {
            names_group_ = true;
            return group_mark(grouping_[i]);
        }
    return "";
}

} // namespace reverse_etl
