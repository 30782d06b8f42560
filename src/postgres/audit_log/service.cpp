#include "postgres/audit_log/service.h"

#include "postgres/audit_log/mailboxes.h"
#include "postgres/audit_log/rejected_rows.h"
#include "postgres/border/attempt.h"
#include "postgres/border/border.h"

#include <cstdio>
#include <optional>

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
}

namespace reverse_etl::audit_log {

namespace {

/// Whoever locks the audit log's tables does not stop the worker for longer.
constexpr const char *lock_timeout = "1s";

/// How requests are executed, within a transaction.
class Execution {
  public:
    Execution() {
        auto set = [](const char *name, const char *value) {
            set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
        };
        pg_call([&] {
            set("lock_timeout", lock_timeout);
            // On this machine's disk, whatever the configuration says; and not at the mercy of a standby.
            set("synchronous_commit", "local");
        });
    }
    // A timeout may come when the wait is over.
    ~Execution() { QueryCancelPending = false; }
    Execution(const Execution &) = delete;
    Execution &operator=(const Execution &) = delete;
};

Answer failed(std::int64_t id, int sqlstate, const char *why) {
    Answer answer{id, sqlstate, ""};
    std::snprintf(answer.error, sizeof(answer.error), "%s", why);
    return answer;
}

/// Does one request, in a subtransaction: one that cannot be done does not sink the others.
Answer execute(const Request &request) {
    Answer answer{request.id, 0, ""};
    ResourceOwner owner = CurrentResourceOwner;
    pg_call([] { BeginInternalSubTransaction(nullptr); });
    bool done = false;
    try {
        switch (request.kind) {
        case RequestKind::begin:
            answer.id = draw_push_id();
            insert_push(answer.id, request.push, {PushOutcome::running, 0, 0, 0, 0, 0, 0, ""});
            break;
        case RequestKind::keep:
            insert_rejected_rows(request.id, request.push, read_segment(request.rows, request.rows_bytes));
            break;
        case RequestKind::settle:
            update_push(request.id, request.result);
            break;
        }
        pg_call([] { ReleaseCurrentSubTransaction(); });
        done = true;
    } catch (const PostgresError &error) {
        answer = failed(request.id, error.data->sqlerrcode, error.what());
    }
    if (!done)
        pg_call([] { RollbackAndReleaseCurrentSubTransaction(); });
    CurrentResourceOwner = owner;
    return answer;
}

/// Nobody else would hear of it.
void log_failure(const Answer &answer) {
    const std::string why = answer.error;
    pg_call([&] {
        ereport(LOG, (errcode(answer.sqlstate), errmsg("could not write to the audit log"),
                      errdetail("Push %ld: %s", static_cast<long>(answer.id), why)));
    });
}

} // namespace

void start_service() {
    mark_lost_pushes();
}

bool serve() {
    if (!has_mailboxes())
        return false;
    std::vector<TakenRequest> requests = take_requests();
    if (requests.empty())
        return false;
    std::vector<Answer> answers;
    std::optional<Error> failure = attempt([&] {
        Execution execution;
        for (const TakenRequest &taken : requests)
            answers.push_back(execute(taken.request));
    });
    for (std::size_t i = 0; i < requests.size(); i++) {
        const Answer answer = failure ? failed(requests[i].request.id, failure->sqlstate, failure->what()) : answers[i];
        if (!answer_request(requests[i], answer) && answer.sqlstate != 0)
            log_failure(answer);
    }
    return true;
}

} // namespace reverse_etl::audit_log
