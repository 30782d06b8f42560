#pragma once

#include "engine/requests/value_place.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A row as a JSON object, another of what names it ("" for nothing), and where their values stand.
struct EncodedRow {
    std::string_view row, key;
    const std::vector<ValuePlace> &row_values, &key_values;
    /// Which value of the row each of the key's is a copy of; empty where the key has its own.
    const std::vector<std::size_t> &key_columns;
};

/// Rows of one statement in one piece, so that many of them are stored, found and removed as one. Names of members
/// stand in it once. Its layout, in which sizes are LEB128:
///
///   1 byte: 1, the layout's number       1 byte: how many rows
///   1 byte a row: its number less the pack's, in rising order
///   the row's members: their count; of each the size of what stands before its value, and that; the same of the end
///   the key's members, likewise; of each, before its text, 0 or the place of the value that it copies, from 1
///   of each row its own values: size and JSON
namespace row_pack {

constexpr char layout = 1;
constexpr std::size_t most_rows = 255;
/// How far a row's number is from the pack's at most.
constexpr std::uint64_t most_distance = 255;

/// The distances of its rows; empty of what is no pack.
inline std::string_view distances(std::string_view pack) {
    if (pack.size() < 2 || pack[0] != layout)
        return {};
    return pack.substr(2, static_cast<unsigned char>(pack[1]));
}

/// The pack of those rows whose distances are listed, one at least; its number is that of the first of them. Throws
/// std::runtime_error when it is damaged.
std::string part(std::string_view pack, std::string_view distances);

} // namespace row_pack

/// Packs rows that have the same members.
class RowPacker {
  public:
    explicit RowPacker(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    /// False if it does not fit behind the others, or is too large for any pack.
    bool add(std::uint64_t number, const EncodedRow &row);
    std::size_t count() const { return distances_.size(); }
    std::uint64_t number() const { return number_; } ///< the first row's
    /// What was added, and begins anew; valid until the next call.
    const std::string &finish();

  private:
    void note_members(const EncodedRow &row);

    std::size_t most_bytes_;
    std::uint64_t number_ = 0;
    std::string members_, distances_, values_, pack_;
};

/// Reads them again.
class PackedRows {
  public:
    /// The pack is used as long as it is read. Throws std::runtime_error when it is damaged, as next() does.
    void begin(std::string_view pack);
    /// Goes to the next row; false after the last.
    bool next();
    /// Its number less the pack's.
    std::uint64_t distance() const { return static_cast<unsigned char>(distances_[at_ - 1]); }
    /// Writes it as it was, and where its values stand: in the row, then in the key.
    void write(std::string &row, std::string &key, std::vector<ValuePlace> &values) const;

  private:
    friend std::string row_pack::part(std::string_view, std::string_view);
    struct Member {
        std::string_view opening; ///< what stands before the value
        std::size_t value;        ///< its place among those that are stored
    };
    struct Object {
        std::vector<Member> members;
        std::string_view closing;
    };

    std::size_t size();
    std::string_view bytes();
    void read_members(Object &object, bool is_key);
    void write(const Object &object, std::string &out, std::vector<ValuePlace> &values) const;

    std::string_view pack_, distances_;
    std::size_t place_ = 0;    ///< in the pack
    std::size_t at_ = 0;       ///< rows that were read
    std::size_t begun_at_ = 0; ///< where the values of the present row begin
    Object row_, key_;
    std::vector<std::string_view> values_;
};

} // namespace reverse_etl
