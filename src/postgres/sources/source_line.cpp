#include "postgres/sources/source_line.h"

#include "postgres/destinations/session.h"

#include <utility>

namespace reverse_etl {

AccountLine source_line(const Policy &policy) {
    return {session::transport(), session::waiter(), session::rate_limiter(), policy};
}

Error source_error(const DestinationError &error, const std::string &what, const std::string &sql) {
    return {sqlstate_of(error.fault), what + ": " + error.what(), error.detail, error.hint, "source SQL: " + sql};
}

namespace {

std::string &tag_now() {
    static std::string tag;
    return tag;
}

} // namespace

StatementTag::StatementTag(std::string tag) : outer_(std::exchange(tag_now(), std::move(tag))) {}

StatementTag::~StatementTag() {
    tag_now() = std::move(outer_);
}

std::string StatementTag::of(const std::string &what) {
    return tag_now().empty() ? "reverse_etl " + what : tag_now();
}

RecordedStatement::RecordedStatement(const ConnectorStatement &source, Authenticator &authenticator,
                                     const AccountLine &line, SqlText sql, StatementSettings settings, Oid server,
                                     Oid table, Oid role)
    : entry_(server, table, role, sql.text), run_(source, authenticator, line, std::move(sql), std::move(settings)) {}

RecordedStatement::~RecordedStatement() {
    end();
}

void RecordedStatement::tell() {
    const StatementProgress &progress = run_.progress();
    entry_.tell(progress.id, progress.rows, progress.bytes, progress.source_bytes);
}

bool RecordedStatement::next_page(ResultPage &page) {
    bool is_there = false;
    try {
        is_there = run_.next_page(page);
    } catch (const DestinationError &) {
        tell();
        entry_.end(SourceQueryRecord::State::failed);
        throw;
    }
    tell();
    if (!is_there)
        entry_.end(SourceQueryRecord::State::done);
    return is_there;
}

void RecordedStatement::end() {
    const bool may_run = run_.may_be_running();
    run_.abandon(source_patience);
    tell();
    entry_.end(may_run ? SourceQueryRecord::State::cancelled : SourceQueryRecord::State::done);
}

} // namespace reverse_etl
