#include "engine/files/plain_bytes.h"

#include <algorithm>
#include <new>
#include <string_view>
#include <zlib.h>

namespace reverse_etl {

namespace {

constexpr std::size_t bytes_at_once = 256 << 10;
constexpr std::string_view mark_of_gzip = "\x1F\x8B", mark_of_zstd = "\x28\xB5\x2F\xFD";

[[noreturn]] void fail(const std::string &what) {
    throw FileFault(what);
}

} // namespace

PlainBytes::PlainBytes(std::unique_ptr<FileBytes> bytes) : bytes_(std::move(bytes)) {}

PlainBytes::~PlainBytes() {
    if (gzip_ != nullptr)
        inflateEnd(gzip_.get());
}

/// Whether there is anything that was not used yet.
bool PlainBytes::fill() {
    while (used_ == held_.size()) {
        used_ = 0;
        if (!bytes_->next(held_)) {
            held_.clear();
            return false;
        }
    }
    return true;
}

void PlainBytes::begin_to_inflate() {
    constexpr int largest_window = 15, gzip_not_zlib = 16;
    gzip_ = std::make_unique<z_stream_s>();
    if (inflateInit2(gzip_.get(), largest_window + gzip_not_zlib) != Z_OK) {
        gzip_.reset();
        throw std::bad_alloc();
    }
}

bool PlainBytes::append(std::string &out) {
    if (!fill()) {
        if (gzip_ != nullptr && !is_member_over_)
            fail("what is compressed by gzip is cut short");
        return false;
    }
    if (!is_begun_) {
        is_begun_ = true;
        for (std::string more; held_.size() < mark_of_zstd.size() && bytes_->next(more);)
            held_ += more;
        if (held_.starts_with(mark_of_zstd))
            fail("it is compressed by zstd, which is not read: gzip is");
        if (held_.starts_with(mark_of_gzip))
            begin_to_inflate();
    }
    if (gzip_ != nullptr)
        return inflate_some(out);
    const std::size_t bytes = std::min(bytes_at_once, held_.size() - used_);
    out.append(held_, used_, bytes);
    used_ += bytes;
    return true;
}

/// A file may be several that were put together, each with a head and an end of its own (RFC 1952, section 2.2).
bool PlainBytes::inflate_some(std::string &out) {
    const std::size_t before = out.size();
    out.resize(before + bytes_at_once);
    std::size_t room = bytes_at_once;
    while (room > 0 && fill()) {
        if (is_member_over_) {
            // What else stands there is what some tools fill a file up with.
            if (held_[used_] == '\0') {
                used_++;
                continue;
            }
            if (inflateReset(gzip_.get()) != Z_OK)
                fail("what is compressed by gzip cannot be read");
            is_member_over_ = false;
        }
        gzip_->next_in = reinterpret_cast<Bytef *>(held_.data() + used_);
        gzip_->avail_in = static_cast<uInt>(held_.size() - used_);
        gzip_->next_out = reinterpret_cast<Bytef *>(out.data() + before + bytes_at_once - room);
        gzip_->avail_out = static_cast<uInt>(room);
        const int result = inflate(gzip_.get(), Z_NO_FLUSH);
        used_ = held_.size() - gzip_->avail_in;
        room = gzip_->avail_out;
        is_member_over_ = result == Z_STREAM_END;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            fail(std::string("what is compressed by gzip is broken: ") +
                 (gzip_->msg != nullptr ? gzip_->msg : "its end is not there"));
    }
    out.resize(before + bytes_at_once - room);
    return true;
}

} // namespace reverse_etl
