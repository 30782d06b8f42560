#include "postgres/fdw/key_turns.h"

#include "postgres/border/border.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace reverse_etl {

KeyTurns::KeyTurns(const Destination &destination, const PushPlan &plan,
                   const std::vector<const DestinationColumn *> &columns) {
    for (std::size_t i = plan.written.size(); i < columns.size(); i++)
        columns_.push_back({static_cast<int>(i), columns[i]->compare});
    if (!columns_.empty())
        return;
    for (const std::string &field : destination.object.key) {
        auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const DestinationColumn *candidate) { return candidate->field == field; });
        if (column == columns.end()) {
            columns_.clear();
            return;
        }
        columns_.push_back({static_cast<int>(column - columns.begin()), (*column)->compare});
    }
}

std::size_t KeyTurns::next(const ColumnEncoders &values, MemoryContext scratch) {
    if (columns_.empty())
        return 0;
    key_.clear();
    for (const KeyColumn &column : columns_) {
        if (values.is_null(column.position))
            return 0;
        json_.clear();
        pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(scratch);
            values.json(column.position, json_);
            MemoryContextSwitchTo(caller);
            MemoryContextReset(scratch);
        });
        std::string_view text = json_;
        if (text.starts_with('"'))
            text = text.substr(1, text.size() - 2);
        append_json_in_form(column.compare, json_, text, key_);
        key_ += '\n'; // which stands in no JSON
    }
    return rows_[std::hash<std::string>()(key_)]++;
}

} // namespace reverse_etl
