#include "engine/sources/result_page.h"

#include "engine/sources/cell_text.h"
#include "engine/text/errors.h"

namespace reverse_etl {

namespace {

/// No table has more; what says more is no result.
constexpr std::size_t most_columns_of_result = 100'000;

[[noreturn]] void fail(const std::string &what) {
    throw DestinationError(Fault::unintelligible, "the answer is no page of a result: " + what);
}

/// A cell's value, at the first of the pointers where one stands; nothing for NULL.
std::optional<simdjson::dom::element> value_of(const Pointers &pointers, simdjson::dom::element cell) {
    for (const std::string &pointer : pointers)
        if (const auto found = at(cell, pointer); found && !found->is_null())
            return found;
    return std::nullopt;
}

void add_cell(const Pointers &pointers, const ResultColumn &column, simdjson::dom::element cell, ResultPage &page) {
    const auto value = value_of(pointers, cell);
    std::string_view text;
    if (!value)
        page.add_null();
    else if (column.cell != CellForm::json && value->get(text) == simdjson::SUCCESS && !text.starts_with('\0'))
        page.add(column.cell, text);
    else if (column.cell == CellForm::json)
        page.add(CellForm::text, json_of(*value));
    else
        page.add(column.cell, text_of(*value)); // a number, which keeps its digits, or what is more than one value
}

} // namespace

void ResultPage::clear(std::size_t columns) {
    bytes_.clear();
    cells_.clear();
    columns_ = columns;
}

void ResultPage::add(CellForm form, std::string_view value) {
    cells_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    append_cell(bytes_, form, value);
    bytes_ += '\0';
}

const SourceTypeRule &type_of_column(const SourceTypeRules &rules, simdjson::dom::element description) {
    for (const SourceTypeRule &rule : rules)
        if (rule.when.empty() || holds(rule.when, description))
            return rule;
    return rules.back();
}

std::vector<ResultColumn> read_result_columns(const Pointers &at, const StatementResultSpec &spec, Answer &answer) {
    std::vector<ResultColumn> columns;
    const auto found = answer.at(at);
    simdjson::dom::array descriptions;
    if (!found || found->get(descriptions) != simdjson::SUCCESS)
        return columns;
    for (const simdjson::dom::element description : descriptions) {
        const SourceTypeRule &rule = type_of_column(spec.types, description);
        columns.push_back({first_text(description, {spec.name}), rule.type, rule.cell});
        if (columns.size() > most_columns_of_result)
            fail("it has more than " + std::to_string(most_columns_of_result) + " columns");
    }
    return columns;
}

void read_result_rows(const StatementResultSpec &spec, const Pointers &where, const std::vector<ResultColumn> &columns,
                      std::size_t skip, Answer &answer, ResultPage &page) {
    const auto found = answer.at(where);
    simdjson::dom::array rows;
    if (!found || found->is_null())
        return; // many leave the member out where there are none
    if (found->get(rows) != simdjson::SUCCESS)
        fail("its rows are no array");
    for (const simdjson::dom::element row : rows) {
        if (skip > 0) {
            skip--;
            continue;
        }
        const auto at_cells = at(row, spec.cells);
        simdjson::dom::array cells;
        if (!at_cells || at_cells->get(cells) != simdjson::SUCCESS)
            fail("a row is no array of cells");
        std::size_t number = 0;
        for (const simdjson::dom::element cell : cells) {
            if (number == columns.size())
                fail("a row has more cells than the result has columns");
            add_cell(spec.cell, columns[number++], cell, page);
        }
        if (number < columns.size())
            fail("a row has fewer cells than the result has columns");
    }
}

} // namespace reverse_etl
