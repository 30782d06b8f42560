#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

// Header-only: no library to link, and short inputs are hashed without a call.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace reverse_etl {

/// The XXH3 hash, 64 bits, of bytes that stand together.
inline std::uint64_t hash_of_bytes(const void *bytes, std::size_t size) {
    return XXH3_64bits(bytes, size);
}

/// The XXH3 hash, 64 bits, of all bytes that were added since start(). What is short is gathered and hashed at once;
/// what does not fit is hashed as it comes, so that nothing is allocated, however long it is. The result is the same,
/// on every platform: numbers are added with their lowest byte first.
class HashStream {
  public:
    void start() {
        gathered_ = 0;
        spilled_ = false;
    }

    void add(const void *bytes, std::size_t size) {
        if (size > sizeof(gather_) - gathered_)
            return spill(bytes, size);
        std::memcpy(gather_ + gathered_, bytes, size);
        gathered_ += size;
    }

    template <std::integral Number>
    void add_number(Number number) {
        if constexpr (std::endian::native == std::endian::little) {
            add(&number, sizeof(number));
        } else {
            unsigned char bytes[sizeof(number)];
            for (std::size_t i = 0; i < sizeof(number); i++)
                bytes[i] = static_cast<unsigned char>(number >> (8 * i));
            add(bytes, sizeof(bytes));
        }
    }

    std::uint64_t finish() { return spilled_ ? finish_spilled() : XXH3_64bits(gather_, gathered_); }

  private:
    void spill(const void *bytes, std::size_t size);
    std::uint64_t finish_spilled();

    std::size_t gathered_ = 0;
    bool spilled_ = false;
    unsigned char gather_[4096];
    XXH3_state_t state_; ///< in use once something did not fit
};

} // namespace reverse_etl
