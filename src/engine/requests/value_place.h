#pragma once

#include <cstdint>

namespace reverse_etl {

/// Where a value stands in the JSON text that it is part of, which has 64 MB at most: in bytes.
struct ValuePlace {
    std::uint32_t begin, end;
};

} // namespace reverse_etl
