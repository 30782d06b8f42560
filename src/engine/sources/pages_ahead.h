#pragma once

#include "engine/manifest/statement_reader.h"
#include "engine/sources/result_page.h"
#include "engine/sources/statement_step.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace reverse_etl {

/// The pages of a result behind the first, fetched before they are asked for: several at once where they are numbered,
/// one after another where each tells of the next. What is held of them is bounded by bytes, whatever the result, but
/// for the one page that is needed next. Throws DestinationError.
class PagesAhead {
  public:
    /// Most bytes of pages that are ready or on their way.
    static constexpr std::size_t most_bytes = 16 << 20;

    /// `values`: what requests of the statement name. `columns`: those of the result.
    PagesAhead(const StatementContext &context, RequestValues values, const std::vector<ResultColumn> &columns);
    ~PagesAhead();

    /// Takes what the answer to the first page says of those behind it.
    void begin(const StatementStep &step, const Job &job, Answer &answer);
    /// Waits for the next page, and swaps it in; false behind the last.
    bool next(ResultPage &page);
    /// Has what is under way go on, and asks for more, without waiting.
    void go_on();
    bool has_more() const { return !fetches_.empty() || has_next_; }
    /// Of answers so far.
    std::uint64_t bytes() const { return bytes_; }

  private:
    class Fetch;
    struct Next {
        std::string value, url;
    };

    void ask_for_more();
    void start(Next next);
    void settled(ResultPage &page, const StatementStep &step, const Job &job, const Verdict &verdict, Answer &answer);
    void find_next(const StatementStep &step, const Job &job, Answer &answer);
    std::optional<Next> take_next();
    std::size_t held() const;
    [[noreturn]] void fail(Fault fault, const std::string &what) const;

    const StatementContext context_;
    const StatementResultSpec &spec_;
    RequestValues values_;
    const std::vector<ResultColumn> &columns_;
    std::deque<std::unique_ptr<Fetch>> fetches_; ///< in the order of the result
    std::vector<ResultPage> spare_;              ///< whose memory is used again
    std::uint64_t asked_ = 1, pages_ = 0;        ///< the first page among them
    Next next_;
    bool has_next_ = false;                ///< behind those that were asked for
    std::unordered_set<std::size_t> seen_; ///< digests of what tells pages apart
    std::size_t largest_ = 0;              ///< of pages so far
    std::size_t arrived_ = 0;              ///< pages behind the first
    std::uint64_t bytes_ = 0;
};

} // namespace reverse_etl
