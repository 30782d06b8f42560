#include "postgres/audit_log/push_record.h"

#include "postgres/border/names.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

const char *name_of(PushOutcome outcome) {
    switch (outcome) {
    case PushOutcome::running:
        return "running";
    case PushOutcome::completed:
        return "completed";
    case PushOutcome::failed:
        return "failed";
    case PushOutcome::cancelled:
        return "cancelled";
    case PushOutcome::queued:
        return "queued";
    }
    return "unknown";
}

/// A text of the record. It may have been cut in the middle of a character.
sql::Parameter cut_text(const char *utf8) {
    return {TEXTOID, text_datum(to_server_legible(utf8)), utf8[0] == '\0'};
}

void set_role(NameData &target, Oid role) {
    pg_call([&] { namestrcpy(&target, server_role_name(role).c_str()); });
}

} // namespace

PushRecord make_push_record(const Destination &destination, const char *operation, const char *statement,
                            const char *delivery) {
    PushRecord push{};
    std::snprintf(push.destination, sizeof(push.destination), "%s", destination.sql_name.c_str());
    std::snprintf(push.operation, sizeof(push.operation), "%s", operation);
    std::snprintf(push.statement, sizeof(push.statement), "%s", statement);
    std::snprintf(push.delivery, sizeof(push.delivery), "%s", delivery);
    set_role(push.session_role, GetSessionUserId());
    set_role(push.role, GetUserId());
    push.destination_id = destination.relation;
    push.session_role_id = GetSessionUserId();
    push.role_id = GetUserId();
    namestrcpy(&push.application_name, application_name);
    push.pid = MyProcPid;
    push.started_at = GetCurrentTimestamp();
    push.statement_at = GetCurrentStatementStartTimestamp();
    return push;
}

std::int64_t draw_push_id() {
    return pg_call([] { return nextval_internal(people_relation("audit_log_id_seq"), false); });
}

void insert_push(std::int64_t id, const PushRecord &push, const PushResult &result) {
    static constexpr const char *insert = R"(
        INSERT INTO reverse_etl.audit_log
               (id, destination, destination_name, operation, statement, delivery, outcome, rows, rejected,
                session_role, role, session_role_id, role_id, application_name, pid, started_at, finished_at)
        OVERRIDING SYSTEM VALUE
        VALUES ($1, (SELECT oid FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $16), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                CASE WHEN $6 OPERATOR(pg_catalog.=) 'completed' THEN pg_catalog.clock_timestamp() END))";
    pg_call([&] {
        SPI_connect();
        sql::execute(insert, {sql::int8(id),
                              cut_text(push.destination),
                              sql::text(push.operation),
                              sql::text(push.statement),
                              sql::text(push.delivery),
                              sql::text(name_of(result.outcome)),
                              sql::int8(result.rows),
                              sql::int8(result.rejected),
                              sql::name(ServerText(push.session_role)),
                              sql::name(ServerText(push.role)),
                              sql::oid(push.session_role_id),
                              sql::oid(push.role_id),
                              {TEXTOID, text_datum(ServerText(push.application_name))},
                              sql::int4(push.pid),
                              sql::timestamptz(push.started_at),
                              sql::oid(push.destination_id)});
        SPI_finish();
    });
}

void update_push(std::int64_t id, const PushResult &result) {
    static constexpr const char *update = R"(
        UPDATE reverse_etl.audit_log
           SET outcome = $2, rows = $3, accepted = $4, rejected = $5, absent = $6, requests = $7, bytes = $8,
               error = $9,
               finished_at = pg_catalog.clock_timestamp()
         WHERE id OPERATOR(pg_catalog.=) $1)";
    pg_call([&] {
        SPI_connect();
        sql::execute(update, {sql::int8(id), sql::text(name_of(result.outcome)), sql::int8(result.rows),
                              sql::int8(result.accepted), sql::int8(result.rejected), sql::int8(result.absent),
                              sql::int8(result.requests), sql::int8(result.bytes), cut_text(result.error)});
        SPI_finish();
    });
}

void mark_lost_pushes() {
    // A process number may be in use again: by a session that began later than the push.
    static constexpr const char *update = R"(
        UPDATE reverse_etl.audit_log
           SET outcome = 'unknown'
         WHERE outcome OPERATOR(pg_catalog.=) 'running'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) AS process
                            WHERE process.pid OPERATOR(pg_catalog.=) audit_log.pid
                              AND process.backend_start OPERATOR(pg_catalog.<=) audit_log.started_at))";
    pg_call([&] {
        SPI_connect();
        sql::execute(update, {});
        SPI_finish();
    });
}

} // namespace reverse_etl
