#include "store.h"

#include "json.h"

namespace reverse_etl::sandbox {

namespace {

// An update mostly has the size of what it replaces: a little room lets it take the same place.
constexpr std::uint32_t spare_bytes = 16;

std::string_view key_of(std::string_view json, std::string_view name) {
    std::string_view value = member(json, name);
    return is_empty_value(value) ? std::string_view() : inner(value);
}

} // namespace

std::optional<std::size_t> Table::find(std::string_view name, std::string_view value) {
    auto index = indexes_.find(name);
    if (index == indexes_.end()) {
        index =
            indexes_.emplace(name, Index{std::pmr::unordered_map<std::string_view, std::uint32_t>(arena_.get())}).first;
        for (std::size_t position = 0; position < records_.size(); ++position)
            if (records_[position].live)
                enter(index->first, index->second, position);
    }
    auto found = index->second.positions.find(value);
    if (found == index->second.positions.end())
        return std::nullopt;
    return found->second;
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
    for (auto &[name, index] : indexes_)
        if (key_of(record.json(), name) != key_of(json, name))
            leave(name, index, position);
    if (json.size() > record.capacity) {
        record.capacity = static_cast<std::uint32_t>(json.size() + spare_bytes);
        record.data = static_cast<char *>(arena_->allocate(record.capacity, 1));
    }
    std::memcpy(record.data, json.data(), json.size());
    record.size = static_cast<std::uint32_t>(json.size());
    record.updated_ms = now;
    for (auto &[name, index] : indexes_)
        enter(name, index, position);
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

std::string_view Table::keep(std::string_view text) {
    char *copy = static_cast<char *>(arena_->allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

void Table::enter(const std::string &name, Index &index, std::size_t position) {
    std::string_view key = key_of(records_[position].json(), name);
    if (!key.empty() && !index.positions.contains(key))
        index.positions.emplace(keep(key), static_cast<std::uint32_t>(position));
}

void Table::leave(const std::string &name, Index &index, std::size_t position) {
    auto found = index.positions.find(key_of(records_[position].json(), name));
    if (found != index.positions.end() && found->second == position)
        index.positions.erase(found);
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
