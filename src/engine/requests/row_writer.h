#pragma once

#include "engine/requests/batch.h"
#include "engine/requests/compiled_operation.h"
#include "engine/text/value_refused.h"

#include <string>

namespace reverse_etl {

/// What a table does with NULL.
enum class NullAs { omit, null, clear };

/// The values of one row, in the order of the operation's columns. Where they come from is the source's affair: the
/// executor, or the outbox.
class RowValues {
  public:
    virtual bool is_null(int column) const = 0;
    /// Appends the value as JSON.
    virtual void json(int column, std::string &out) const = 0;
    /// Appends the value as plain text, as a form, a URL or a key needs it: what is a string in JSON without its quotes
    /// and escapes, everything else as in JSON.
    virtual void text(int column, std::string &out) const = 0;

  protected:
    ~RowValues() = default;
};

/// Writes rows into batches, as the operation's body says.
class RowWriter {
  public:
    RowWriter(const CompiledOperation &operation, NullAs null_as);

    /// Appends the row's text, and what is kept of it, between the batch's begin_row() and end_row(). Throws
    /// ValueRefused; a part may then have been appended.
    void write(const RowValues &row, std::uint64_t number, Batch &batch, std::string &out);

  private:
    void write_row(const RowValues &row, Batch &batch, std::string &out);
    void write_segments(const RowSegments &segments, const RowValues &row, std::string &out);
    void write_member(const RowSegment &segment, const RowValues &row, std::string &out);
    const std::string &text_of(int column, const RowValues &row);
    void append_text_of(int column, const RowValues &row, std::string &out) const;

    // row_shapes.cpp
    void write_shape(const RowSegment &segment, const RowValues &row, std::string &out);
    void write_csv_value(const RowSegment &segment, const RowValues &row, std::string &out);
    void write_form_members(const RowSegment &segment, const RowValues &row, std::string &out);
    static void write_escaped(const std::string &text, const Escapes &escapes, std::string &out);
    const std::string &taken_from(std::size_t begin, std::string &out);
    std::string_view null_text() const;

    const CompiledOperation &operation_;
    NullAs null_as_;
    bool is_form_;
    std::string clear_;        ///< what clears a field, as it stands in the body
    std::uint64_t number_ = 0; ///< of the row that is being written
    std::size_t begin_ = 0;    ///< where its text begins
    std::string text_;         ///< a buffer: where values come from Postgres, no local may need a destructor
};

} // namespace reverse_etl
