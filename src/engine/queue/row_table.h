#pragma once

#include "engine/queue/number_map.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace reverse_etl {

/// Rows by their numbers. Rows that wait have numbers that follow each other, and go in about that order, so numbers
/// that lie side by side share an entry: it is in the cache when the next of them is looked for, where an entry for
/// each would be a miss for each.
template <class Row>
class RowTable {
  public:
    std::size_t size() const { return size_; }

    /// nullptr if there is none.
    Row *find(std::uint64_t number) const {
        const Entry *entry = entries_.find(number / side_by_side);
        return entry == nullptr ? nullptr : (*entry)[number % side_by_side].get();
    }
    bool contains(std::uint64_t number) const { return find(number) != nullptr; }

    /// Adds a row whose number is not there yet.
    void insert(std::uint64_t number, std::unique_ptr<Row> row) {
        (*entries_.insert(number / side_by_side).first)[number % side_by_side] = std::move(row);
        size_++;
    }

    /// Removes a row that is there.
    std::unique_ptr<Row> extract(std::uint64_t number) {
        Entry &entry = *entries_.find(number / side_by_side);
        std::unique_ptr<Row> row = std::move(entry[number % side_by_side]);
        size_--;
        for (const std::unique_ptr<Row> &other : entry)
            if (other != nullptr)
                return row;
        entries_.extract(number / side_by_side);
        return row;
    }

  private:
    static constexpr std::size_t side_by_side = 8;
    using Entry = std::array<std::unique_ptr<Row>, side_by_side>;

    NumberMap<Entry> entries_;
    std::size_t size_ = 0;
};

} // namespace reverse_etl
