#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl::sandbox {

// The records of one object. A record is a compact JSON object kept as text in an arena; it is found by its position
// (which the vendors turn into their ids) or by the value of any member, through an index made when first asked for.
class Table {
  public:
    struct Record {
        char *data;
        std::uint32_t size;
        std::uint32_t capacity;
        std::int64_t created_ms;
        std::int64_t updated_ms;
        bool live;

        std::string_view json() const { return {data, size}; }
    };

    Table();

    std::optional<std::size_t> find(std::string_view name, std::string_view value); // value as written, unquoted
    bool holds(std::size_t position) const { return position < records_.size() && records_[position].live; }
    const Record &operator[](std::size_t position) const { return records_[position]; }

    std::size_t insert(std::string_view json, std::int64_t now);
    void replace(std::size_t position, std::string_view json, std::int64_t now);
    void remove(std::size_t position);
    std::size_t count_only(); // takes a position for a record that is not kept

    std::size_t end() const { return records_.size(); }
    std::size_t live() const { return live_ + counted_; }

  private:
    // Open addressing over positions: the keys are read from the records, so a million of them cost 16 MB and an insert
    // touches one line of memory.
    struct Index {
        struct Slot {
            std::uint32_t hash;
            std::uint32_t position;
        };
        std::vector<Slot> slots; // a power of two
        std::size_t used = 0;    // slots that are not free
    };

    std::string_view key_at(std::size_t position, std::string_view name) const;
    void enter(std::string_view name, Index &index, std::size_t position);
    void leave(std::string_view name, Index &index, std::size_t position);
    void grow(Index &index);

    // Never gives memory back before the table goes: a stand-in lives as long as one test.
    std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;
    std::deque<Record> records_;
    std::map<std::string, Index, std::less<>> indexes_;
    std::size_t live_ = 0;
    std::size_t counted_ = 0;
};

// All tables, by connector and object.
class Store {
  public:
    Table &table(std::string_view connector, std::string_view object);
    Table *existing(std::string_view connector, std::string_view object);
    const auto &tables() const { return tables_; }

  private:
    std::map<std::string, Table, std::less<>> tables_;
};

} // namespace reverse_etl::sandbox
