#include "postgres/audit_log/entry.h"

#include "postgres/audit_log/rejected_rows.h"
#include "postgres/border/sql.h"
#include "postgres/shared/worker_control.h"

namespace reverse_etl::audit_log {

Entry::Entry(const Destination &destination, const char *operation, const char *statement)
    : push_(make_push_record(destination, operation, statement, "immediate")) {}

void Entry::begin() {
    if (has_mailboxes()) {
        require_worker();
        begin_.post(request(RequestKind::begin));
    } else {
        sql::AsOwner as_owner;
        id_ = draw_push_id();
        insert_push(id_, push_, {PushOutcome::running, 0, 0, 0, 0, 0, 0, ""});
    }
}

void Entry::ensure_begun() {
    if (begin_.under_way())
        id_ = begin_.await();
}

void Entry::keep(const std::string &rows) {
    if (!has_mailboxes()) {
        sql::AsOwner as_owner;
        insert_rejected_rows(id_, push_, rows);
        return;
    }
    if (keep_.under_way())
        keep_.await();
    Request keeping = request(RequestKind::keep);
    Segment segment(rows);
    keeping.rows = segment.handle();
    keeping.rows_bytes = rows.size();
    keep_.post(keeping);
    segment.hand_over();
}

void Entry::settle(const PushResult &result) {
    if (!has_mailboxes()) {
        sql::AsOwner as_owner;
        update_push(id_, result);
        return;
    }
    ensure_begun();
    Request settling = request(RequestKind::settle);
    settling.result = result;
    Ticket settle;
    settle.post(settling);
    if (keep_.under_way())
        keep_.await();
    settle.await();
}

void Entry::fail(const PushResult &result) noexcept {
    if (!has_mailboxes())
        return; // the abort takes back what was written
    if (begin_.under_way()) {
        begin_.abandon(&result);
    } else if (id_ != 0) {
        Request settling = request(RequestKind::settle);
        settling.result = result;
        Ticket::leave(settling);
    }
}

Request Entry::request(RequestKind kind) const {
    Request request{};
    request.kind = kind;
    request.id = id_;
    request.push = push_;
    return request;
}

} // namespace reverse_etl::audit_log
