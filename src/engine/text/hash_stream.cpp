#include "engine/text/hash_stream.h"

namespace reverse_etl {

void HashStream::spill(const void *bytes, std::size_t size) {
    if (!spilled_)
        XXH3_64bits_reset(&state_);
    spilled_ = true;
    XXH3_64bits_update(&state_, gather_, gathered_);
    XXH3_64bits_update(&state_, bytes, size);
    gathered_ = 0;
}

std::uint64_t HashStream::finish_spilled() {
    XXH3_64bits_update(&state_, gather_, gathered_);
    return XXH3_64bits_digest(&state_);
}

} // namespace reverse_etl
