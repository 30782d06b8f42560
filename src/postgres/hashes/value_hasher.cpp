#include "postgres/hashes/value_hashers.h"

extern "C" {
#include "utils/lsyscache.h"
}

namespace reverse_etl {

ValueHasher *ValueHasher::make(Oid type) {
    type = getBaseType(type);
    for (auto *family : {number_hasher, datetime_hasher, string_hasher, nested_hasher})
        if (ValueHasher *hasher = family(type))
            return hasher;
    return other_hasher(type);
}

} // namespace reverse_etl
