#include "postgres/fdw/key_turns.h"

#include "postgres/border/border.h"

#include <algorithm>
#include <bit>
#include <functional>

extern "C" {
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

constexpr std::size_t fewest_places = 1024;
/// More rows than one burst has.
constexpr std::uint64_t rows_bits = (1 << 24) - 1;

/// Spreads the bits, so that numbers in a row do not lie in a row.
std::size_t mixed(std::size_t hash, std::size_t value) {
    std::uint64_t bits = (hash ^ value) * 0x9e3779b97f4a7c15;
    return bits ^ bits >> 32;
}

} // namespace

KeyTurns::KeyTurns(const Destination &destination, const PushPlan &plan,
                   const std::vector<const DestinationColumn *> &columns) {
    for (std::size_t i = plan.written.size(); i < columns.size(); i++)
        columns_.push_back(key_column(static_cast<int>(i), *columns[i]));
    if (!columns_.empty())
        return;
    for (std::size_t position : positions_of_key(destination, columns))
        columns_.push_back(key_column(static_cast<int>(position), *columns[position]));
}

KeyTurns::KeyColumn KeyTurns::key_column(int position, const DestinationColumn &column) {
    using Kind = KeyColumn::Kind;
    KeyColumn key{position, column.compare, Kind::other};
    if (!column.encoding.is(ValueForm::native) && !column.encoding.is(ValueForm::string))
        return key;
    switch (pg_call([&] { return getBaseType(column.type); })) {
    case INT2OID:
        key.kind = Kind::int2;
        break;
    case INT4OID:
        key.kind = Kind::int4;
        break;
    case INT8OID:
        key.kind = Kind::int8;
        break;
    case TEXTOID:
    case VARCHAROID:
        // Forms are those of UTF-8.
        if (key.compare.is_exact() || GetDatabaseEncoding() == PG_UTF8)
            key.kind = Kind::text;
        break;
    default:
        break;
    }
    return key;
}

void KeyTurns::seek(const ColumnEncoders &values, MemoryContext scratch) {
    has_key_ = false;
    sought_ = 0;
    for (const KeyColumn &column : columns_) {
        if (values.is_null(column.position))
            return;
        sought_ = mixed(sought_, hash_of(column, values, scratch));
    }
    if (columns_.empty())
        return;
    has_key_ = true;
    if (4 * counted_ >= 3 * counts_.size())
        grow();
    __builtin_prefetch(&counts_[sought_ >> shift_], 1);
}

std::size_t KeyTurns::next() {
    if (!has_key_)
        return 0;
    for (std::size_t place = sought_ >> shift_;; place++) {
        Count &count = counts_[place & (counts_.size() - 1)];
        if ((count & rows_bits) == 0) {
            counted_++;
            count = sought_ & ~rows_bits;
        }
        if ((count & ~rows_bits) == (sought_ & ~rows_bits))
            return count++ & rows_bits;
    }
}

std::size_t KeyTurns::hash_of(const KeyColumn &column, const ColumnEncoders &values, MemoryContext scratch) {
    using Kind = KeyColumn::Kind;
    Datum value = values.value(column.position);
    switch (column.kind) {
    case Kind::int2:
        return static_cast<std::size_t>(DatumGetInt16(value));
    case Kind::int4:
        return static_cast<std::size_t>(DatumGetInt32(value));
    case Kind::int8:
        return static_cast<std::size_t>(DatumGetInt64(value));
    case Kind::text: {
        std::string_view text = text_of(value, scratch);
        if (column.compare.is_exact())
            return std::hash<std::string_view>()(text);
        key_.clear();
        append_in_form(column.compare, text, key_);
        break;
    }
    case Kind::other:
        write(column, values, scratch);
        break;
    }
    return std::hash<std::string>()(key_);
}

/// The bytes of a text, until the next call.
std::string_view KeyTurns::text_of(Datum value, MemoryContext scratch) {
    const auto *stored = reinterpret_cast<const varlena *>(DatumGetPointer(value));
    if (!VARATT_IS_EXTERNAL(stored) && !VARATT_IS_COMPRESSED(stored))
        return {VARDATA_ANY(stored), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(stored))};
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(scratch);
        const varlena *whole = PG_DETOAST_DATUM_PACKED(value);
        detoasted_.assign(VARDATA_ANY(whole), VARSIZE_ANY_EXHDR(whole));
        MemoryContextSwitchTo(caller);
        MemoryContextReset(scratch);
    });
    return detoasted_;
}

/// Writes a value of another type as it is sent.
void KeyTurns::write(const KeyColumn &column, const ColumnEncoders &values, MemoryContext scratch) {
    json_.clear();
    key_.clear();
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
}

void KeyTurns::grow() {
    std::vector<Count> before(std::max(fewest_places, 4 * counts_.size()));
    before.swap(counts_);
    shift_ = 64 - std::countr_zero(counts_.size());
    for (Count count : before) {
        if ((count & rows_bits) == 0)
            continue;
        std::size_t place = count >> shift_;
        while (counts_[place & (counts_.size() - 1)] != 0)
            place++;
        counts_[place & (counts_.size() - 1)] = count;
    }
}

void KeyTurns::start_over() {
    if (counted_ > 0)
        std::fill(counts_.begin(), counts_.end(), Count{0});
    counted_ = 0;
}

} // namespace reverse_etl
