#include "simulation.h"

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>

using namespace reverse_etl::simulation;

namespace {

/// One seed in so many runs twice: it has to go the same way.
constexpr std::uint64_t repeated = 100;

struct Result {
    std::optional<std::string> fault;
    std::uint64_t digest;
    std::string story;
};

Result run(std::uint64_t seed, bool telling) {
    Simulation simulation(seed, telling);
    Result result;
    try {
        simulation.run();
    } catch (const std::exception &violation) {
        result.fault = violation.what();
    }
    result.digest = simulation.world().digest();
    if (telling)
        result.story = simulation.story();
    return result;
}

int usage() {
    std::cerr << "usage: simulation [--from SEED] [--seeds NUMBER] [--keep-going] | --seed SEED\n";
    return 2;
}

} // namespace

int main(int argc, char **argv) {
    std::uint64_t from = 1, seeds = 20'000, failed = 0;
    bool telling = false, keeps_going = false;
    for (int i = 1; i < argc; i++) {
        const std::string option = argv[i];
        if (option == "--keep-going") {
            keeps_going = true;
            continue;
        }
        if (i + 1 == argc)
            return usage();
        const std::uint64_t number = std::strtoull(argv[++i], nullptr, 10);
        if (option == "--from")
            from = number;
        else if (option == "--seeds")
            seeds = number;
        else if (option == "--seed")
            from = number, seeds = 1, telling = true;
        else
            return usage();
    }
    for (std::uint64_t seed = from; seed < from + seeds; seed++) {
        Result result = run(seed, telling);
        if (!result.fault && seed % repeated == 0 && run(seed, false).digest != result.digest)
            result.fault = "a second run went another way";
        if (result.fault && keeps_going) {
            std::cout << "seed " << seed << ": " << *result.fault << "\n";
            failed++;
            continue;
        }
        if (result.fault || telling)
            std::cout << run(seed, true).story;
        if (result.fault) {
            std::cout << "seed " << seed << ": " << *result.fault << "\n";
            return 1;
        }
    }
    std::cout << seeds - failed << " seeds passed, " << failed << " failed\n";
    return failed == 0 ? 0 : 1;
}
