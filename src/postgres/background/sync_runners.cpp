#include "postgres/background/sync_runners.h"

#include "postgres/border/border.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>

extern "C" {
#include "miscadmin.h"
#include "postmaster/bgworker.h"
}

namespace reverse_etl::sync_runners {

namespace {

using Clock = std::chrono::steady_clock;

/// Background workers are few, and there are others who need them.
constexpr std::ptrdiff_t most_at_once = 3;
/// One that could not do its work would be started again at once.
constexpr std::chrono::seconds between_starts{1};

struct Runner {
    BackgroundWorkerHandle *handle = nullptr; ///< while it runs
    Clock::time_point started{};
};

std::map<Oid, Runner> &runners() {
    static std::map<Oid, Runner> by_role;
    return by_role;
}

bool is_running(const Runner &runner) {
    return runner.handle != nullptr;
}

BackgroundWorkerHandle *start_process(const Owner &owner) {
    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART; // it is started again while there is something to do
    worker.bgw_notify_pid = MyProcPid;
    worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
    std::snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "%s", "reverse_etl");
    std::snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "%s", "reverse_etl_sync_runner_main");
    std::snprintf(worker.bgw_name, sizeof(worker.bgw_name), "reverse_etl sync runner for database %u, role %u",
                  MyDatabaseId, owner.role);
    std::snprintf(worker.bgw_type, sizeof(worker.bgw_type), "%s", "reverse_etl sync runner");
    std::memcpy(worker.bgw_extra, &owner, sizeof(owner));
    return pg_call([&] {
        BackgroundWorkerHandle *handle = nullptr;
        MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
        bool room = RegisterDynamicBackgroundWorker(&worker, &handle);
        MemoryContextSwitchTo(caller);
        return room ? handle : nullptr;
    });
}

/// Those whose turn it has not been for the longest time come first.
std::vector<Owner> by_turn(std::vector<Owner> owners) {
    std::sort(owners.begin(), owners.end(), [](const Owner &one, const Owner &other) {
        return runners()[one.role].started < runners()[other.role].started;
    });
    return owners;
}

} // namespace

bool start(const std::vector<Owner> &owners) {
    any_ended();
    bool later = false;
    for (const Owner &owner : by_turn(owners)) {
        Runner &runner = runners()[owner.role];
        if (is_running(runner))
            continue; // it looks for more before it ends, and is seen to end
        auto running = std::count_if(runners().begin(), runners().end(),
                                     [](const auto &entry) { return is_running(entry.second); });
        if (running < most_at_once && Clock::now() - runner.started >= between_starts)
            runner.handle = start_process(owner);
        if (is_running(runner))
            runner.started = Clock::now();
        else
            later = true;
    }
    return later;
}

bool any_ended() {
    bool ended = false;
    for (auto &[role, runner] : runners()) {
        pid_t pid;
        if (!is_running(runner) || GetBackgroundWorkerPid(runner.handle, &pid) != BGWH_STOPPED)
            continue;
        pfree(runner.handle);
        runner.handle = nullptr;
        ended = true;
    }
    // Of roles that have had their turn long ago there is nothing to remember.
    std::erase_if(runners(), [](const auto &entry) {
        return !is_running(entry.second) && Clock::now() - entry.second.started > 10 * between_starts;
    });
    return ended;
}

} // namespace reverse_etl::sync_runners
