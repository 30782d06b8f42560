#pragma once

#include "engine/manifest/statement_spec.h"
#include "engine/requests/answer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A column of a result, as the source describes it.
struct ResultColumn {
    std::string name;
    std::string type; ///< the Postgres type that it is
    CellForm cell = CellForm::text;
};

/// The rows of a page, one behind the other in one piece of memory, as texts for the input functions of Postgres: no
/// row costs an allocation. Each text ends with a zero byte.
class ResultPage {
  public:
    std::size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
    /// nullptr for NULL. Valid until the page changes.
    const char *cell(std::size_t row, std::size_t column) const {
        const std::uint32_t begin = cells_[row * columns_ + column];
        return begin == null ? nullptr : bytes_.data() + begin;
    }
    std::size_t bytes() const { return bytes_.size(); }

    /// Empties it, for rows of so many cells. What it took of memory stays.
    void clear(std::size_t columns);
    void add(CellForm form, std::string_view value);
    void add_null() { cells_.push_back(null); }

  private:
    static constexpr std::uint32_t null = ~std::uint32_t(0);

    std::string bytes_;
    std::vector<std::uint32_t> cells_; ///< where each begins: an answer has 64 MB at most
    std::size_t columns_ = 0;
};

/// What an answer says of the columns; nothing where it does not. Throws DestinationError where that cannot be read.
std::vector<ResultColumn> read_result_columns(const Pointers &at, const StatementResultSpec &spec, Answer &answer);

/// The rule for a column that the source describes so.
const SourceTypeRule &type_of_column(const SourceTypeRules &rules, simdjson::dom::element description);

/// Appends the rows that stand `at` a place of an answer, without the first `skip`. Throws DestinationError where a row
/// is not one of the result.
void read_result_rows(const StatementResultSpec &spec, const Pointers &at, const std::vector<ResultColumn> &columns,
                      std::size_t skip, Answer &answer, ResultPage &page);

} // namespace reverse_etl
