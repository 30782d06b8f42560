#pragma once

/// What ValueHasher::make chooses from: one function a family of types, each family in its own file.

#include "postgres/hashes/value_hasher.h"

#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

extern "C" {
#include "access/htup_details.h"
}

namespace reverse_etl {

/// The hasher of a type that belongs to the family, otherwise nullptr.
ValueHasher *number_hasher(Oid type);
ValueHasher *datetime_hasher(Oid type);
ValueHasher *string_hasher(Oid type);
ValueHasher *nested_hasher(Oid type);

/// Every other type, by what it has for all clients.
ValueHasher *other_hasher(Oid type);

/// Makes a hasher in the current memory context.
template <class Hasher, class... Arguments>
Hasher *make_hasher(Arguments &&...arguments) {
    static_assert(std::is_trivially_destructible_v<Hasher>);
    return new (palloc(sizeof(Hasher))) Hasher(std::forward<Arguments>(arguments)...);
}

/// The hasher of a type for which a function does it all.
template <void (*function)(Datum, HashStream &)>
ValueHasher *hasher_of() {
    struct OfFunction : ValueHasher {
        void add(Datum value, HashStream &stream) override { function(value, stream); }
    };
    return make_hasher<OfFunction>();
}

inline void add_kind(HashKind kind, HashStream &stream) {
    stream.add_number(static_cast<std::uint8_t>(kind));
}

inline void add_sized(HashKind kind, std::string_view bytes, HashStream &stream) {
    add_kind(kind, stream);
    stream.add_number(static_cast<std::uint32_t>(bytes.size()));
    stream.add(bytes.data(), bytes.size());
}

/// Shows the content of a variable-length value, wherever and however it is stored.
template <class Use>
void with_content(Datum value, Use use) {
    struct varlena *content = PG_DETOAST_DATUM_PACKED(value);
    use(std::string_view(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content)));
    if (content != reinterpret_cast<struct varlena *>(DatumGetPointer(value)))
        pfree(content);
}

} // namespace reverse_etl
