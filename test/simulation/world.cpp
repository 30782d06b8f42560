#include "world.h"

#include "engine/world/random.h"

#include <algorithm>

namespace reverse_etl::simulation {

namespace {

constexpr std::size_t lines_of_a_page = 60;

World *the_world = nullptr;
Clock::duration the_wall_offset{};
std::mt19937_64 drawn;

Clock::time_point clock_now() noexcept {
    return the_world->now();
}

/// The run begins on some day in 2026.
WallClock::time_point wall_clock_now() noexcept {
    return std::chrono::system_clock::from_time_t(1'780'000'000) +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(the_world->elapsed() + the_wall_offset);
}

} // namespace

World::World(std::uint64_t seed, bool telling) : random_(seed), telling_(telling) {
    the_world = this;
    the_wall_offset = {};
    drawn.seed(seed + 1);
    Clock::source = clock_now;
    WallClock::source = wall_clock_now;
    Random::source = [] { return static_cast<unsigned>(drawn()); };
    Random::jitter().seed(seed + 2);
}

World::~World() {
    Clock::source = &std::chrono::steady_clock::now;
    WallClock::source = &std::chrono::system_clock::now;
}

void World::move_to(Clock::time_point when) {
    if (when < now_)
        throw Violation("the simulation went back in time");
    now_ = when;
}

void World::shift_wall_clock(Clock::duration by) {
    the_wall_offset += by;
}

void World::note(std::string_view line) {
    // FNV-1a, of the time as well.
    auto add = [this](unsigned char byte) { digest_ = (digest_ ^ byte) * 1099511628211u; };
    for (char c : line)
        add(static_cast<unsigned char>(c));
    for (auto time = static_cast<std::uint64_t>(elapsed().count()); time > 0; time >>= 8)
        add(static_cast<unsigned char>(time));
    if (!telling_)
        return;
    char when[32];
    std::snprintf(when, sizeof(when), "%10.3f s  ", std::chrono::duration<double>(elapsed()).count());
    story_.push_back(when + std::string(line));
    if (story_.size() > lines_of_a_page)
        story_.pop_front();
}

std::string World::story() const {
    std::string page;
    for (const std::string &line : story_)
        page += line + "\n";
    return page;
}

} // namespace reverse_etl::simulation
