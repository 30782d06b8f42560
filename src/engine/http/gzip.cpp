#include "engine/http/gzip.h"

#include <new>
#include <zlib.h>

namespace reverse_etl {

std::string gzip(std::string_view bytes) {
    constexpr int largest_window = 15, gzip_not_zlib = 16, usual_memory = 8;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, largest_window + gzip_not_zlib, usual_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    struct End {
        z_stream &stream;
        ~End() { deflateEnd(&stream); }
    } end{stream};
    std::string result(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef *>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    // The room is enough for all, so once is enough.
    deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    return result;
}

} // namespace reverse_etl
