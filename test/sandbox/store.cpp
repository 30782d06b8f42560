#include "store.h"

#include <cstdlib>
#include <sys/mman.h>

#include "json.h"

namespace reverse_etl::sandbox {

namespace {

// Chunks in huge pages: faulting in a gigabyte page by page costs more than all the parsing.
class HugePages : public std::pmr::memory_resource {
    static constexpr std::size_t page = 2 << 20;

    void *do_allocate(std::size_t bytes, std::size_t) override {
        void *chunk = std::aligned_alloc(page, (bytes + page - 1) / page * page);
        if (!chunk)
            throw std::bad_alloc();
        madvise(chunk, bytes, MADV_HUGEPAGE);
        return chunk;
    }
    void do_deallocate(void *chunk, std::size_t, std::size_t) override { std::free(chunk); }
    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }
};

// An update mostly has the size of what it replaces: a little room lets it take the same place.
constexpr std::uint32_t spare_bytes = 16;

constexpr std::size_t small_chunk = 1 << 16;
constexpr std::uint32_t free_slot = 0xffffffff;
constexpr std::uint32_t left_slot = 0xfffffffe;

std::uint32_t hash_of(std::string_view key) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(key));
}

std::string_view key_of(std::string_view json, std::string_view name) {
    std::string_view value = member(json, name);
    return is_empty_value(value) ? std::string_view() : inner(value);
}

} // namespace

Table::Table() {
    static HugePages huge_pages;
    arena_ = std::make_unique<std::pmr::monotonic_buffer_resource>(small_chunk, &huge_pages);
}

std::optional<std::size_t> Table::find(std::string_view name, std::string_view value) {
    auto found = indexes_.find(name);
    if (found == indexes_.end()) {
        found = indexes_.emplace(name, Index()).first;
        for (std::size_t position = 0; position < records_.size(); ++position)
            if (records_[position].live)
                enter(name, found->second, position);
    }
    const Index &index = found->second;
    std::uint32_t hash = hash_of(value);
    for (std::size_t at = hash; !index.slots.empty(); ++at) {
        const Index::Slot &slot = index.slots[at & (index.slots.size() - 1)];
        if (slot.position == free_slot)
            break;
        if (slot.hash == hash && slot.position != left_slot && key_at(slot.position, name) == value)
            return slot.position;
    }
    return std::nullopt;
}

std::size_t Table::insert(std::string_view json, std::int64_t now) {
    auto size = static_cast<std::uint32_t>(json.size());
    char *data = static_cast<char *>(arena_->allocate(size + spare_bytes, 1));
    std::memcpy(data, json.data(), size);
    records_.push_back({data, size, size + spare_bytes, now, now, true});
    ++live_;
    std::size_t position = records_.size() - 1;
    for (auto &[name, index] : indexes_)
        enter(name, index, position);
    return position;
}

void Table::replace(std::size_t position, std::string_view json, std::int64_t now) {
    Record &record = records_[position];
    std::vector<decltype(indexes_)::value_type *> changed;
    for (auto &index : indexes_)
        if (key_of(record.json(), index.first) != key_of(json, index.first)) {
            leave(index.first, index.second, position);
            changed.push_back(&index);
        }
    if (json.size() > record.capacity) {
        record.capacity = static_cast<std::uint32_t>(json.size() + spare_bytes);
        record.data = static_cast<char *>(arena_->allocate(record.capacity, 1));
    }
    std::memcpy(record.data, json.data(), json.size());
    record.size = static_cast<std::uint32_t>(json.size());
    record.updated_ms = now;
    for (auto *index : changed)
        enter(index->first, index->second, position);
}

void Table::remove(std::size_t position) {
    for (auto &[name, index] : indexes_)
        leave(name, index, position);
    records_[position].live = false;
    --live_;
}

std::size_t Table::count_only() {
    return records_.size() + counted_++;
}

std::string_view Table::key_at(std::size_t position, std::string_view name) const {
    return key_of(records_[position].json(), name);
}

void Table::enter(std::string_view name, Index &index, std::size_t position) {
    std::string_view key = key_at(position, name);
    if (key.empty())
        return;
    if (index.used * 2 >= index.slots.size())
        grow(index);
    std::uint32_t hash = hash_of(key);
    std::size_t at = hash;
    while (index.slots[at & (index.slots.size() - 1)].position != free_slot)
        ++at;
    index.slots[at & (index.slots.size() - 1)] = {hash, static_cast<std::uint32_t>(position)};
    ++index.used;
}

void Table::leave(std::string_view name, Index &index, std::size_t position) {
    std::string_view key = key_at(position, name);
    if (key.empty())
        return;
    std::size_t at = hash_of(key);
    while (index.slots[at & (index.slots.size() - 1)].position != position)
        ++at;
    index.slots[at & (index.slots.size() - 1)].position = left_slot;
}

void Table::grow(Index &index) {
    std::vector<Index::Slot> before(std::max<std::size_t>(1024, index.slots.size() * 2), {0, free_slot});
    before.swap(index.slots);
    index.used = 0;
    for (const Index::Slot &slot : before) {
        if (slot.position == free_slot || slot.position == left_slot)
            continue;
        std::size_t at = slot.hash;
        while (index.slots[at & (index.slots.size() - 1)].position != free_slot)
            ++at;
        index.slots[at & (index.slots.size() - 1)] = slot;
        ++index.used;
    }
}

Table &Store::table(std::string_view connector, std::string_view object) {
    std::string name = std::string(connector).append("/").append(object);
    return tables_[name];
}

Table *Store::existing(std::string_view connector, std::string_view object) {
    auto found = tables_.find(std::string(connector).append("/").append(object));
    return found == tables_.end() ? nullptr : &found->second;
}

} // namespace reverse_etl::sandbox
