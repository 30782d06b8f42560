#pragma once

#include "engine/sources/result_page.h"
#include "engine/sources/statement_step.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace reverse_etl {

/// The pages of a result, fetched before they are asked for: several at once where they are numbered, one after another
/// where each tells of the next; and where a page says that its rows are somewhere else, from there. What is held of
/// them is bounded by bytes, whatever the result, but for the one page that is needed next. Throws DestinationError.
class PagesAhead {
  public:
    /// Most bytes of pages that are ready or on their way.
    static constexpr std::size_t most_bytes = 16 << 20;

    /// `values`: what requests of the statement name.
    PagesAhead(const StatementContext &context, RequestValues values);
    ~PagesAhead();

    /// Asks for the first page.
    void begin();
    /// Takes it from an answer that is there.
    void begin(const StatementStep &step, const Job &job, Answer &answer);
    /// Waits for the next page, and swaps it in; false behind the last.
    bool next(ResultPage &page);
    /// Has what is under way go on, and asks for more, without waiting.
    void go_on();

    bool has_more() const { return !fetches_.empty() || has_next_; }
    /// Those of the result: known once the first page is there.
    const std::vector<ResultColumn> &columns() const { return columns_; }
    /// Whether a page said that the statement has ended at the source.
    bool is_done() const { return is_done_; }
    /// Of answers that came since this was asked the last time.
    std::uint64_t take_bytes() { return std::exchange(bytes_, 0); }
    /// That the source read for the statement, where pages say so; -1: they do not.
    std::int64_t source_bytes() const { return source_bytes_; }

  private:
    class Fetch;
    struct Next {
        std::string value, url;
    };

    void ask_for_more();
    void ask_again(Fetch &fetch);
    void start(const Next &next);
    Fetch &add_fetch();
    std::unique_ptr<StatementStep> request(const Next &next, Milliseconds pause = Milliseconds(0));
    void take_answer(const Verdict &verdict, Answer &answer);
    void take_page(Fetch &fetch, const StatementStep &step, const Job &job, Answer &answer);
    void take_rows(Fetch &fetch, const Pointers &at, Answer &answer);
    void take_news(Answer &answer);
    void find_next(const StatementStep &step, const Job &job, Answer &answer);
    std::optional<Next> take_next();
    std::size_t most_fetches() const;
    std::size_t held() const;

    const StatementContext context_;
    const StatementResultSpec &spec_;
    RequestValues values_;
    std::vector<ResultColumn> columns_;
    std::deque<std::unique_ptr<Fetch>> fetches_; ///< in the order of the result
    std::vector<ResultPage> spare_;              ///< whose memory is used again
    std::uint64_t asked_ = 0;                    ///< for so many pages
    std::uint64_t all_ = 0;                      ///< pages, where they are numbered and the first is there
    Next next_;
    bool has_next_ = false;                ///< behind those that were asked for
    std::unordered_set<std::size_t> seen_; ///< digests of what tells pages apart
    Milliseconds pause_;                   ///< behind a page that has no rows yet
    bool is_done_ = false;
    std::size_t largest_ = 0; ///< of answers so far
    std::size_t arrived_ = 0; ///< pages
    bool first_is_read_ = false;
    std::uint64_t bytes_ = 0;
    std::int64_t source_bytes_ = -1;
};

} // namespace reverse_etl
