#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/discovery.h"
#include "engine/sources/pages_ahead.h"
#include "engine/sources/result_page.h"
#include "engine/sources/sql_parameter.h"
#include "engine/sources/statement_step.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// What a statement is run with, besides its SQL.
struct StatementSettings {
    std::string schema;              ///< where names without one are looked for
    std::string tag;                 ///< what the source's history of queries shows
    std::chrono::seconds longest{0}; ///< the source ends it after that
    std::string id = {};             ///< "": one is drawn
};

/// What is known of a statement, for those who watch.
struct StatementProgress {
    std::string id;                 ///< the source's name of it; "" before it has one
    std::uint64_t rows = 0;         ///< read so far
    std::uint64_t bytes = 0;        ///< of pages read so far
    std::int64_t source_bytes = -1; ///< that the source read for it; -1: it does not say
};

/// A statement at a source, from its submission to its last page. It is sent once in effect: whatever is repeated has
/// the same id. Pages are read ahead while another is used. Throws DestinationError; its detail names the statement.
class StatementRun : private JobHandler {
  public:
    /// All but the SQL and the settings must stay as long as this does.
    StatementRun(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line, SqlText sql,
                 StatementSettings settings);
    ~StatementRun() override;
    StatementRun(const StatementRun &) = delete;
    StatementRun &operator=(const StatementRun &) = delete;

    /// The observer, which must outlive this, is told of every request.
    void report_to(RequestObserver &observer) { context_.observer = &observer; }
    /// Called when the source has said something that further requests name; nullptr: nobody is.
    void tell_name(std::function<void()> told) { told_ = std::move(told); }

    /// Waits for the next page, and swaps it in; false behind the last.
    bool next_page(ResultPage &page);
    /// Those of the result: known once the first page is there.
    const std::vector<ResultColumn> &columns() const { return pages_ == nullptr ? no_columns_ : pages_->columns(); }
    /// Has what is under way go on, without waiting.
    void go_on();

    /// Ends it: a statement that may still run at the source is cancelled there, for which this waits so long at most.
    /// It neither throws nor calls the Waiter of the line: it may run when a transaction is being rolled back.
    /// Whether it has ended there, for all that is known.
    bool abandon(Milliseconds patience) noexcept;
    /// Whether it may still run at the source though no more of it is to be had, since that could not be asked.
    bool is_in_doubt() const { return has_failed_ && may_be_running(); }
    /// Whether it may still run at the source.
    bool may_be_running() const;

    const StatementProgress &progress() const { return progress_; }

    /// What the answers so far gave that further requests name.
    RequestValues kept() const;
    /// It was begun by another process, which had such values of it. Before anything is asked.
    void take_up(const RequestValues &kept);
    /// Ends one that was taken up. Where the source's name of it is not known, the submission is repeated, which brings
    /// it, unless that would begin another. Whether it has ended there.
    bool cancel();

  private:
    enum class Phase { fresh, submitting, polling, paging, cancelling, ended };

    void send(const RequestTemplate &request, Phase phase, Milliseconds pause = Milliseconds(0));
    void submit();
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void failed(std::unique_ptr<Job> job, const DestinationError &error) override;
    bool has_name() const;
    void keep_values(Answer &answer);
    void take_state(Answer &answer, bool says_something);
    void take_news(Answer &answer);
    void begin_pages(const Job &job, Answer &answer);
    void take_progress();
    template <class How>
    void in_words(How &&how);
    [[noreturn]] void fail(Fault fault, const std::string &what) const;
    std::string detail(const std::string &more = "") const;

    const ConnectorStatement &source_;
    const StatementSpec &spec_;
    Authenticator &authenticator_;
    const AccountLine &line_;
    const SqlText sql_;
    StatementContext context_;
    std::function<void()> told_;
    RequestValues values_;
    Phase phase_ = Phase::fresh;
    bool is_done_ = false;      ///< at the source
    bool is_cancelled_ = false; ///< there
    bool has_failed_ = false;   ///< here
    std::unique_ptr<StatementStep> step_, ended_step_;
    Milliseconds pause_;
    std::unique_ptr<PagesAhead> pages_; ///< once the source says that there are any
    const std::vector<ResultColumn> no_columns_;
    StatementProgress progress_;
};

/// The columns of a result without its rows. Throws as a StatementRun does.
std::vector<ResultColumn> describe_result(const ConnectorStatement &source, Authenticator &authenticator,
                                          const AccountLine &line, const SqlText &sql,
                                          const StatementSettings &settings);

/// An id that no other statement has: a UUID of version 4, RFC 9562 section 5.4.
std::string statement_id();

/// What all requests of a statement have in common.
RequestValues values_of_statement(const DialectSpec &dialect, const SqlText &sql, const StatementSettings &settings);

} // namespace reverse_etl
