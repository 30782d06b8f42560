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

/// The settings, with the id under which the statement is on record.
StatementSettings note(std::optional<StatementNote> &note, bool is_sent, Oid server, Oid role, const SqlText &sql,
                       StatementSettings settings) {
    if (settings.id.empty())
        settings.id = statement_id();
    if (is_sent)
        note.emplace(server, role, sql, settings);
    return settings;
}

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
    : entry_(server, table, role, sql.text), run_(source, authenticator, line, sql,
                                                  note(note_, OidIsValid(server) && line.policy.rehearsal == nullptr,
                                                       server, role, sql, std::move(settings))) {
    run_.tell_name([this] {
        tell();
        if (note_)
            note_->keep(run_.kept());
    });
}

RecordedStatement::~RecordedStatement() {
    end();
}

void RecordedStatement::tell() {
    const StatementProgress &progress = run_.progress();
    entry_.tell(progress.id, progress.rows, progress.bytes, progress.source_bytes);
}

void RecordedStatement::let_go(bool has_ended_there) {
    if (note_ && has_ended_there)
        note_->remove();
    else if (note_)
        note_->leave();
    note_.reset();
}

bool RecordedStatement::next_page(ResultPage &page) {
    bool is_there = false;
    try {
        is_there = run_.next_page(page);
    } catch (const DestinationError &) {
        tell();
        // What may be running yet is ended with this, or left to others.
        if (!run_.is_in_doubt())
            let_go(true);
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
    run_.tell_name(nullptr); // it may be rolling back
    const bool has_ended_there = run_.abandon(source_patience);
    tell();
    let_go(has_ended_there);
    entry_.end(may_run ? SourceQueryRecord::State::cancelled : SourceQueryRecord::State::done);
}

} // namespace reverse_etl
