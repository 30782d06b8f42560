#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/statement_directives.h"
#include "engine/requests/discovery.h"
#include "engine/sources/result_page.h"
#include "engine/sources/sql_text.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
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
/// the same id. One page is read ahead while another is used. Throws DestinationError; its detail names the statement.
class StatementRun : private JobHandler {
  public:
    /// All but the SQL and the settings must stay as long as this does.
    StatementRun(const ConnectorStatement &source, Authenticator &authenticator, const AccountLine &line, SqlText sql,
                 StatementSettings settings);
    ~StatementRun() override;
    StatementRun(const StatementRun &) = delete;
    StatementRun &operator=(const StatementRun &) = delete;

    /// The observer, which must outlive this, is told of every request.
    void report_to(RequestObserver &observer) { observer_ = &observer; }

    /// Waits for the next page, and swaps it in; false behind the last.
    bool next_page(ResultPage &page);
    /// Those of the result: known once the first page is there.
    const std::vector<ResultColumn> &columns() const { return columns_; }
    /// Has what is under way go on, without waiting.
    void go_on();

    /// Ends it: a statement that may still run at the source is cancelled there, for which this waits so long at most.
    /// It neither throws nor calls the Waiter of the line: it may run when a transaction is being rolled back.
    void abandon(Milliseconds patience) noexcept;
    /// Whether it may still run at the source.
    bool may_be_running() const;

    const StatementProgress &progress() const { return progress_; }

  private:
    /// following: the rows of a page are fetched from the address that it named.
    enum class Phase { fresh, submitting, polling, paging, following, cancelling, ended };
    struct Step;

    void send(const RequestTemplate &request, Phase phase, Milliseconds pause = Milliseconds(0));
    void submit();
    void follow(Answer &answer);
    void start(std::unique_ptr<Step> step, std::string url, Milliseconds pause);
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void failed(std::unique_ptr<Job> job, const DestinationError &error) override;
    void keep_values(Answer &answer);
    void take_state(Answer &answer, bool says_something);
    void take_news(Answer &answer);
    void take_page(const Job &job, Answer &answer);
    void take_rows(Answer &answer);
    void page_is_ready();
    void find_next(const Job &job, Answer &answer);
    void fetch_next(Milliseconds pause);
    void ask_again();
    [[noreturn]] void give_up(const std::string &what);
    [[noreturn]] void fail(Fault fault, const std::string &what, const std::string &hint = "") const;
    std::string detail(const std::string &more = "") const;

    const ConnectorStatement &source_;
    const StatementSpec &spec_;
    Authenticator &authenticator_;
    const AccountLine &line_;
    const SqlText sql_;
    RequestObserver *observer_ = nullptr;
    RequestValues values_;
    Phase phase_ = Phase::fresh;
    bool is_done_ = false;    ///< at the source
    bool has_failed_ = false; ///< here
    std::unique_ptr<Step> step_, ended_step_;
    const std::chrono::seconds longest_;
    Clock::time_point deadline_{}; ///< the source should have ended it
    Milliseconds pause_;
    std::vector<ResultColumn> columns_;
    ResultPage ready_;
    bool has_ready_ = false;
    std::size_t skip_ = 0; ///< rows of the page that are none
    std::uint64_t pages_ = 0, all_pages_ = 0;
    std::string next_, next_url_; ///< of the page behind the last that was asked for; "": there is none
    bool has_next_ = false;
    std::unordered_set<std::size_t> seen_; ///< digests of what tells pages apart
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
