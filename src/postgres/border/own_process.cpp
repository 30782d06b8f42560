#include "postgres/border/own_process.h"

#include "postgres/border/border.h"

#include <cstdio>

extern "C" {
#include "miscadmin.h"
}

namespace reverse_etl {

BackgroundWorker own_process(const std::string &what, const char *function) {
    const std::string type = "reverse_etl " + what;
    BackgroundWorker process{};
    process.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    process.bgw_start_time = BgWorkerStart_RecoveryFinished;
    process.bgw_restart_time = BGW_NEVER_RESTART;
    process.bgw_notify_pid = MyProcPid;
    process.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
    std::snprintf(process.bgw_library_name, sizeof(process.bgw_library_name), "%s", "reverse_etl");
    std::snprintf(process.bgw_function_name, sizeof(process.bgw_function_name), "%s", function);
    std::snprintf(process.bgw_name, sizeof(process.bgw_name), "%s for database %u", type.c_str(), MyDatabaseId);
    std::snprintf(process.bgw_type, sizeof(process.bgw_type), "%s", type.c_str());
    return process;
}

BackgroundWorkerHandle *start_process(BackgroundWorker &process) {
    return pg_call([&] {
        BackgroundWorkerHandle *handle = nullptr;
        MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
        bool room = RegisterDynamicBackgroundWorker(&process, &handle);
        MemoryContextSwitchTo(caller);
        return room ? handle : nullptr;
    });
}

} // namespace reverse_etl
