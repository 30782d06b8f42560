#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A row within a batch.
struct BatchRow {
    std::uint64_t number = 0; ///< the row's number in its statement, never 0
    std::size_t begin = 0;    ///< where its text stands in the batch's body
    std::size_t end = 0;
    int attempts = 0; ///< how often the destination asked to come back with this row
};

/// What stands around and between the rows of a body.
struct BatchFrame {
    std::string prefix, separator, suffix;
    /// Where rows are values of arrays, one for each column: what stands before, between and behind these. The text of
    /// a row is a cell for each of them, with cell_end behind it.
    std::vector<std::string> columns = {};
    std::size_t column_bytes = 0; ///< of the body, beside the rows' texts

    static constexpr char cell_end = '\x1F'; ///< no JSON text holds it

    /// A cell's end is as long as the comma between values, of which each array has one less than values.
    void count_columns() {
        for (const std::string &text : columns)
            column_bytes += text.size();
        column_bytes -= columns.size() - 1;
    }
};

/// Rows that leave in one request, with the body they make: prefix, rows and separators, suffix. The body is complete
/// after every row, so sending copies nothing; but one whose rows are values of arrays is put together when it is sent.
class Batch {
  public:
    explicit Batch(const BatchFrame &frame) : frame_(&frame), body_(frame.prefix) {}

    /// The buffer to which the row's text is appended; end_row() or drop_row() must follow.
    std::string &begin_row();
    /// Keeps a text of the row that its request or its outcome needs outside the body. Each row keeps as many.
    void keep(std::string_view text);
    void end_row(std::uint64_t number);
    void drop_row();

    /// Where in the buffer the row that is being written began.
    std::size_t row_begin() const { return row_begin_; }

    /// Adds a row of another batch.
    void append(const Batch &other, std::size_t position);
    /// Moves the last row into a batch of its own: it did not fit.
    Batch split_last();
    /// A batch of some of these rows, by their positions.
    Batch subset(const std::vector<std::size_t> &positions) const;

    /// The same rows in two batches, for finding the ones at fault; a single row alone.
    std::vector<Batch> halves() const;

    const std::string &body();
    std::size_t bytes() const { return body_.size() + frame_->suffix.size() + frame_->column_bytes; }
    const std::vector<BatchRow> &rows() const { return rows_; }
    std::vector<BatchRow> &rows() { return rows_; }
    std::string_view kept(std::size_t row, std::size_t index) const;

  private:
    void put_columns_together();

    const BatchFrame *frame_;
    std::string body_;         ///< without suffix while rows are added
    std::string put_together_; ///< the body, where its rows are values of arrays
    bool closed_ = false;
    std::vector<BatchRow> rows_;
    std::string kept_;
    std::vector<std::size_t> kept_ends_;
    std::size_t kept_per_row_ = 0;
    std::size_t body_before_ = 0, row_begin_ = 0, kept_before_ = 0, kept_ends_before_ = 0;
};

} // namespace reverse_etl
