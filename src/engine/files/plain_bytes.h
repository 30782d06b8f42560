#pragma once

#include "engine/files/file_store.h"

#include <memory>
#include <stdexcept>
#include <string>

struct z_stream_s;

namespace reverse_etl {

/// What a file holds is not what it should be. Says nothing of the file and the line.
class FileFault : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// What is in a file: its bytes, or, where they begin as gzip does (RFC 1952), what they are once decompressed.
/// Whatever a file claims to hold, a bounded part of it is held at once.
class PlainBytes {
  public:
    explicit PlainBytes(std::unique_ptr<FileBytes> bytes);
    ~PlainBytes();
    PlainBytes(const PlainBytes &) = delete;
    PlainBytes &operator=(const PlainBytes &) = delete;

    /// Has the first bytes be on their way.
    void begin() { bytes_->begin(); }
    /// Appends what follows, some 256 KB at most; false behind the last. Throws FileFault where what is compressed
    /// is broken or cut short, and what reading throws.
    bool append(std::string &out);

  private:
    bool fill();
    void begin_to_inflate();
    bool inflate_some(std::string &out);

    std::unique_ptr<FileBytes> bytes_;
    std::string held_;     ///< as the file has it
    std::size_t used_ = 0; ///< of what is held
    bool is_begun_ = false;
    std::unique_ptr<z_stream_s> gzip_; ///< nullptr: not compressed
    bool is_member_over_ = false;      ///< another may follow
};

} // namespace reverse_etl
