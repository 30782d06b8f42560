// A main for the fuzz targets without libFuzzer: tries each file of the folders that it is given, and for some seconds
// what comes of changing bytes in them. replay SECONDS FOLDER...
#include "fuzz.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <vector>

namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes *tried = nullptr;

/// What ended a target, for the corpus.
void keep_tried(int) {
    std::ofstream("ended_by", std::ios::binary)
        .write(reinterpret_cast<const char *>(tried->data()), static_cast<std::streamsize>(tried->size()));
}

void try_out(const Bytes &bytes) {
    tried = &bytes;
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<Bytes> inputs(int count, char **folders) {
    std::vector<Bytes> found;
    for (int i = 0; i < count; i++)
        for (const auto &entry : std::filesystem::directory_iterator(folders[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            found.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        }
    return found;
}

/// One to four changes: a byte, a piece that is repeated or taken out, or one of another input.
void change(Bytes &bytes, const Bytes &other, std::mt19937 &random) {
    const auto below = [&](std::size_t most) { return most == 0 ? 0 : random() % most; };
    for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); changes--) {
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size()));
        const auto end = begin + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(64, bytes.end() - begin)));
        const Bytes piece(begin, end);
        switch (below(4)) {
        case 0:
            *begin = static_cast<std::uint8_t>(random());
            break;
        case 1:
            bytes.erase(begin, end);
            break;
        case 2:
            bytes.insert(begin, piece.begin(), piece.end());
            break;
        default:
            const auto from = other.begin() + static_cast<std::ptrdiff_t>(below(other.size()));
            bytes.insert(begin, from,
                         from + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(64, other.end() - from))));
        }
    }
}

} // namespace

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(arguments[1]));
    const std::vector<Bytes> seeds = inputs(count - 2, arguments + 2);
    std::signal(SIGABRT, keep_tried);
    for (const Bytes &seed : seeds)
        try_out(seed);
    std::mt19937 random(1);
    std::size_t count_tried = seeds.size();
    for (; !seeds.empty() && std::chrono::steady_clock::now() < deadline; count_tried++) {
        Bytes bytes = seeds[random() % seeds.size()];
        change(bytes, seeds[random() % seeds.size()], random);
        try_out(bytes);
    }
    std::printf("%zu inputs of %zu seeds\n", count_tried, seeds.size());
    return seeds.empty() ? 1 : 0;
}
