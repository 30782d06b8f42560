#include "engine/text/hash_stream.h"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <random>
#include <vector>

using namespace reverse_etl;

namespace {

std::uint64_t hash_of(HashStream &stream, const std::vector<unsigned char> &bytes, std::size_t piece) {
    stream.start();
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        stream.add(bytes.data() + at, std::min(piece, bytes.size() - at));
    return stream.finish();
}

} // namespace

BOOST_AUTO_TEST_CASE(is_xxh3_however_it_comes) {
    auto stream = std::make_unique<HashStream>();
    std::mt19937 random(1);
    for (std::size_t size : {0, 1, 16, 240, 241, 4095, 4096, 4097, 8192, 8193, 100000}) {
        std::vector<unsigned char> bytes(size);
        for (unsigned char &byte : bytes)
            byte = static_cast<unsigned char>(random());
        for (std::size_t piece : {1, 7, 4096, 5000, 200000})
            BOOST_TEST(hash_of(*stream, bytes, piece) == XXH3_64bits(bytes.data(), bytes.size()),
                       size << " bytes by " << piece);
    }
}

BOOST_AUTO_TEST_CASE(is_what_it_was) {
    HashStream stream;
    stream.start();
    BOOST_TEST(stream.finish() == 0x2D06800538D394C2u); // the hash of nothing, as xxHash documents it
    stream.start();
    stream.add("reverse_etl", 11);
    stream.add_number(std::uint8_t(7));
    stream.add_number(std::int16_t(-2));
    stream.add_number(std::uint32_t(0x01020304));
    stream.add_number(std::int64_t(-3));
    const unsigned char bytes[] = "reverse_etl\x07\xFE\xFF\x04\x03\x02\x01\xFD\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    BOOST_TEST(stream.finish() == XXH3_64bits(bytes, sizeof(bytes) - 1));
}
