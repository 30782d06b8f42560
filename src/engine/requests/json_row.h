#pragma once

#include "engine/requests/row_writer.h"

#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Appends a JSON value as plain text: a string without its quotes and escapes, everything else as it is.
void append_as_text(std::string_view json, std::string &out);

/// A row that was encoded before: the members of JSON objects, in order. Values go into the request as they are, byte
/// for byte, so no digit of a number is lost.
class JsonRow final : public RowValues {
  public:
    /// Reads the objects one after the other; "" adds none. Throws std::runtime_error when a text is no JSON object.
    void read(std::string_view row, std::string_view key);

    /// The members' names, in order; valid until the next read.
    const std::vector<std::string> &names() const { return names_; }
    /// How many of them stand in the row, and not in the key.
    std::size_t of_row() const { return of_row_; }

    bool is_null(int column) const override { return values_[column] == "null"; }
    void json(int column, std::string &out) const override { out += values_[column]; }
    void text(int column, std::string &out) const override { append_as_text(values_[column], out); }

  private:
    void read_members(std::string &buffer, std::string_view text);

    simdjson::ondemand::parser parser_;
    std::string row_, key_; ///< with the room after the text that simdjson asks for
    std::vector<std::string> names_;
    std::vector<std::string_view> values_;
    std::size_t of_row_ = 0;
};

} // namespace reverse_etl
