#include "engine/queue/row_pack.h"

#include <stdexcept>

namespace reverse_etl {

namespace {

void append_size(std::string &out, std::size_t size) {
    for (; size >= 0x80; size >>= 7)
        out += static_cast<char>((size & 0x7f) | 0x80);
    out += static_cast<char>(size);
}

void append_sized(std::string &out, std::string_view bytes) {
    append_size(out, bytes.size());
    out += bytes;
}

std::string_view value_at(std::string_view text, const ValuePlace &place) {
    return text.substr(place.begin, place.end - place.begin);
}

[[noreturn]] void throw_damaged() {
    throw std::runtime_error("a pack of rows of the outbox is damaged");
}

/// `copied`: of which value of the row each is a copy; nullptr for none.
void append_members(std::string &out, std::string_view text, const std::vector<ValuePlace> &values,
                    const std::vector<std::size_t> *copied) {
    append_size(out, values.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < values.size(); i++) {
        if (copied != nullptr)
            append_size(out, copied->empty() ? 0 : (*copied)[i] + 1);
        append_sized(out, text.substr(at, values[i].begin - at));
        at = values[i].end;
    }
    append_sized(out, text.substr(at));
}

} // namespace

void RowPacker::note_members(const EncodedRow &row) {
    append_members(members_, row.row, row.row_values, nullptr);
    append_members(members_, row.key, row.key_values, &row.key_columns);
}

bool RowPacker::add(std::uint64_t number, const EncodedRow &row) {
    if (members_.empty())
        note_members(row);
    if (distances_.empty())
        number_ = number;
    if (number - number_ > row_pack::most_distance || distances_.size() == row_pack::most_rows)
        return false;
    const std::size_t before = values_.size();
    for (const ValuePlace &place : row.row_values)
        append_sized(values_, value_at(row.row, place));
    if (row.key_columns.empty())
        for (const ValuePlace &place : row.key_values)
            append_sized(values_, value_at(row.key, place));
    if (2 + distances_.size() + 1 + members_.size() + values_.size() > most_bytes_) {
        values_.resize(before);
        return false;
    }
    distances_ += static_cast<char>(number - number_);
    return true;
}

const std::string &RowPacker::finish() {
    pack_.clear();
    pack_ += row_pack::layout;
    pack_ += static_cast<char>(distances_.size());
    pack_.append(distances_).append(members_).append(values_);
    distances_.clear();
    values_.clear();
    return pack_;
}

std::size_t PackedRows::size() {
    std::size_t size = 0;
    for (int shift = 0; place_ < pack_.size() && shift < 35; shift += 7) {
        const auto byte = static_cast<unsigned char>(pack_[place_++]);
        size |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if (byte < 0x80)
            return size;
    }
    throw_damaged();
}

std::string_view PackedRows::bytes() {
    const std::size_t count = size();
    if (count > pack_.size() - place_)
        throw_damaged();
    const std::string_view bytes = pack_.substr(place_, count);
    place_ += count;
    return bytes;
}

void PackedRows::begin(std::string_view pack) {
    pack_ = pack;
    distances_ = row_pack::distances(pack);
    if (distances_.empty() || pack.size() - 2 < static_cast<unsigned char>(pack[1]))
        throw_damaged();
    place_ = 2 + distances_.size();
    at_ = 0;
    values_.clear();
    read_members(row_, false);
    read_members(key_, true);
}

/// Counts in values_ how many are stored of each row.
void PackedRows::read_members(Object &object, bool is_key) {
    object.members.clear();
    for (std::size_t left = size(); left > 0; left--) {
        const std::size_t copied = is_key ? size() : 0;
        if (copied > row_.members.size())
            throw_damaged();
        object.members.push_back({bytes(), copied > 0 ? row_.members[copied - 1].value : values_.size()});
        if (copied == 0)
            values_.emplace_back();
    }
    object.closing = bytes();
}

bool PackedRows::next() {
    if (at_ == distances_.size())
        return false;
    begun_at_ = place_;
    for (std::string_view &value : values_) {
        value = bytes();
        if (value.empty())
            throw_damaged();
    }
    at_++;
    return true;
}

void PackedRows::write(const Object &object, std::string &out, std::vector<ValuePlace> &values) const {
    std::size_t size = object.closing.size();
    for (const Member &member : object.members)
        size += member.opening.size() + values_[member.value].size();
    out.reserve(size);
    for (const Member &member : object.members) {
        out += member.opening;
        const auto begin = static_cast<std::uint32_t>(out.size());
        out += values_[member.value];
        values.push_back({begin, static_cast<std::uint32_t>(out.size())});
    }
    out += object.closing;
}

void PackedRows::write(std::string &row, std::string &key, std::vector<ValuePlace> &values) const {
    row.clear();
    key.clear();
    values.clear();
    values.reserve(row_.members.size() + key_.members.size());
    write(row_, row, values);
    write(key_, key, values);
}

std::string row_pack::part(std::string_view pack, std::string_view distances) {
    PackedRows rows;
    rows.begin(pack);
    std::string part;
    part += layout;
    part += static_cast<char>(distances.size());
    for (const char distance : distances)
        part += static_cast<char>(distance - distances.front());
    const std::size_t members = 2 + rows.distances_.size();
    part += pack.substr(members, rows.place_ - members);
    std::size_t found = 0;
    while (found < distances.size() && rows.next())
        if (rows.distances_[rows.at_ - 1] == distances[found]) {
            part += pack.substr(rows.begun_at_, rows.place_ - rows.begun_at_);
            found++;
        }
    if (found < distances.size())
        throw_damaged();
    return part;
}

} // namespace reverse_etl
