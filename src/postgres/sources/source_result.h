#pragma once

#include "postgres/destinations/destination.h"
#include "postgres/destinations/preview.h"
#include "postgres/shared/statistics.h"
#include "postgres/sources/source_line.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace reverse_etl {

/// What statements on a table of a source go through: its account's credentials and limits.
class SourceCaller {
  public:
    /// Nothing is sent.
    SourceCaller(const Destination &destination, Oid user);
    SourceCaller(const SourceCaller &) = delete;
    SourceCaller &operator=(const SourceCaller &) = delete;

    /// How what the source says is told to people.
    const Words &words() const { return authenticator_->words(); }
    Statistics &statistics() { return statistics_; }

  private:
    friend class SourceResult;

    const std::string name_, schema_;
    const std::chrono::seconds longest_;
    const std::shared_ptr<const ConnectorStatement> source_;
    const std::unique_ptr<PreviewedDestination> preview_; ///< if what would be sent is only to be shown
    const Policy policy_;
    const AccountLine line_;
    const std::shared_ptr<Authenticator> authenticator_;
    const Oid server_, table_, user_;
    Statistics statistics_;
};

/// The result of a statement, row by row. The statement is sent when the first is asked for, and ends, also at the
/// source, as this does. Throws Error, whose context is the SQL.
class SourceResult {
  public:
    /// `columns`: so many must it have. The caller must stay as long as this does.
    SourceResult(SourceCaller &caller, SqlText sql, std::size_t columns);

    /// Goes to the next row; false behind the last.
    bool next();
    /// Where it is.
    const ResultPage &page() const { return page_; }
    std::size_t row() const { return row_ - 1; }

    const SqlText &sql() const { return sql_; }
    /// No more of it is wanted.
    void close();

  private:
    bool next_page();
    template <class How>
    void in_words(How &&how);

    SourceCaller &caller_;
    const SqlText sql_;
    const std::size_t columns_;
    std::optional<RecordedStatement> statement_;
    ResultPage page_;
    std::size_t row_ = 0;
    std::uint64_t read_ = 0;
    bool is_over_ = false;
};

} // namespace reverse_etl
