#pragma once

#include "engine/sources/statement_run.h"
#include "postgres/border/border.h"
#include "postgres/shared/source_queries.h"
#include "postgres/sources/statement_note.h"

#include <memory>
#include <optional>
#include <string>

namespace reverse_etl {

/// What statements of the session go through.
AccountLine source_line(const Policy &policy);

/// How long the end of a statement waits for the source to know of it.
inline constexpr Milliseconds source_patience{900};

/// The Error for a fault of a source. `what`: what could not be done.
Error source_error(const DestinationError &error, const std::string &what, const std::string &sql);

/// While one lives, statements of this process tell the source's history of queries what they are for. The innermost
/// counts.
class StatementTag {
  public:
    explicit StatementTag(std::string tag);
    ~StatementTag();
    StatementTag(const StatementTag &) = delete;
    StatementTag &operator=(const StatementTag &) = delete;

    /// Of a statement that reads this, where nobody says more.
    static std::string of(const std::string &what);

  private:
    std::string outer_;
};

/// A statement at a source that is on record, also for who comes after a crash. However it ends, it is cancelled there
/// if it runs yet.
class RecordedStatement {
  public:
    /// `table`: invalid where there is none. What is passed by reference must stay as long as this does.
    RecordedStatement(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line,
                      SqlText sql, StatementSettings settings, Oid server, Oid table, Oid role);
    ~RecordedStatement();

    StatementRun &run() { return run_; }
    /// Waits for the next page, as StatementRun::next_page does. Throws DestinationError.
    bool next_page(ResultPage &page);
    /// No more of it is wanted.
    void end();

  private:
    void tell();

    void let_go(bool has_ended_there);

    SourceQueryEntry entry_;
    std::optional<StatementNote> note_; ///< of what is only shown there is none
    StatementRun run_;
};

} // namespace reverse_etl
