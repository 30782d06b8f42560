#include "postgres/background/sync_runners.h"

#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/own_process.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

extern "C" {
#include "miscadmin.h"
#include "postmaster/bgworker.h"
}

namespace reverse_etl::sync_runners {

namespace {

using Clock = std::chrono::steady_clock;

/// Background workers are few, and there are others who need them. More than a role may have, so that one which comes
/// later finds a place.
constexpr std::size_t most_at_once = 3;
static_assert(most_at_once > own_locks::most_sync_runners);
/// One that could not do its work would be started again at once; and a second one helps the first with what that could
/// not do in so long.
constexpr std::chrono::seconds between_starts{1};

struct OfRole {
    std::vector<BackgroundWorkerHandle *> running;
    Clock::time_point started{}; ///< the last of them
};

std::map<Oid, OfRole> &runners() {
    static std::map<Oid, OfRole> by_role;
    return by_role;
}

std::size_t count_running() {
    std::size_t count = 0;
    for (const auto &[role, of_role] : runners())
        count += of_role.running.size();
    return count;
}

BackgroundWorkerHandle *start_runner(const Owner &owner) {
    BackgroundWorker process = own_process("sync runner", "reverse_etl_sync_runner_main");
    // It is started again while there is something to do.
    std::snprintf(process.bgw_name, sizeof(process.bgw_name), "reverse_etl sync runner for database %u, role %u",
                  MyDatabaseId, owner.role);
    std::memcpy(process.bgw_extra, &owner, sizeof(owner));
    return start_process(process);
}

/// Those who have none come first, and of those whose turn it has not been for the longest time.
std::vector<Owner> by_turn(std::vector<Owner> owners) {
    auto turn = [](const Owner &owner) {
        const OfRole &of_role = runners()[owner.role];
        return std::make_pair(of_role.running.size(), of_role.started);
    };
    std::sort(owners.begin(), owners.end(),
              [&](const Owner &one, const Owner &other) { return turn(one) < turn(other); });
    return owners;
}

/// Whether there is room for one more.
bool start_one(const Owner &owner) {
    OfRole &of_role = runners()[owner.role];
    if (of_role.running.size() >= own_locks::most_sync_runners || count_running() >= most_at_once ||
        Clock::now() - of_role.started < between_starts)
        return false;
    BackgroundWorkerHandle *handle = start_runner(owner);
    if (handle == nullptr)
        return false;
    of_role.running.push_back(handle);
    of_role.started = Clock::now();
    return true;
}

} // namespace

bool start(const std::vector<Owner> &owners) {
    any_ended();
    bool again = false;
    for (const Owner &owner : by_turn(owners))
        again = !start_one(owner) || again;
    return again;
}

bool any_ended() {
    bool ended = false;
    for (auto &[role, of_role] : runners())
        ended = std::erase_if(of_role.running,
                              [](BackgroundWorkerHandle *handle) {
                                  pid_t pid;
                                  if (GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED)
                                      return false;
                                  pfree(handle);
                                  return true;
                              }) > 0 ||
                ended;
    // Of roles that have had their turn long ago there is nothing to remember.
    std::erase_if(runners(), [](const auto &entry) {
        return entry.second.running.empty() && Clock::now() - entry.second.started > 10 * between_starts;
    });
    return ended;
}

} // namespace reverse_etl::sync_runners
