#pragma once

#include "engine/requests/row_writer.h"
#include "engine/requests/value_place.h"

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
    /// A text that has the members of the one before, written the same way, as rows of one statement have, is not
    /// parsed anew: of that it is only seen where its values end, and that it is UTF-8.
    void read(std::string_view row, std::string_view key);
    /// Takes the values of texts that were read before, by whomever, and whose members are those of the last read:
    /// nothing is looked for. `places` is what that reader told. The values are valid as long as the texts are.
    void read_at(std::string_view row, std::string_view key, const std::vector<ValuePlace> &places);
    /// The same of texts that come right after those of the last read, as if they were read.
    void read_next(std::string_view row, std::string_view key, const std::vector<ValuePlace> &places);
    /// Where the values stand in the texts that were read last: those of the row first, then those of the key.
    void tell_places(std::vector<ValuePlace> &places) const;

    /// The members' names, in order; valid until the next read.
    const std::vector<std::string> &names() const { return names_; }
    /// How many of them stand in the row, and not in the key.
    std::size_t of_row() const { return of_row_; }
    /// Whether the last read found the members of the one before it.
    bool is_like_before() const { return is_like_before_; }
    /// Whether the last read found members, and did not throw.
    bool knows_members() const { return knows_members_; }

    /// Whether that was by read_next().
    bool was_told_places() const { return was_told_places_; }

    std::string_view json(int column) const { return values_[column]; }

    bool is_null(int column) const override { return values_[column] == "null"; }
    void json(int column, std::string &out) const override { out += values_[column]; }
    void text(int column, std::string &out) const override { append_as_text(values_[column], out); }

  private:
    /// One of the two objects.
    struct Part {
        std::string text;                  ///< with the room after it that simdjson asks for
        std::vector<std::string> openings; ///< what stands before each value: a sign, the name, a colon
        std::string closing;               ///< and after the last one
    };

    bool read_like_before(Part &part, std::string_view text);
    void parse(Part &part, std::string_view text);

    simdjson::ondemand::parser parser_;
    Part row_, key_;
    std::vector<std::string> names_;
    std::vector<std::string_view> values_;
    std::size_t of_row_ = 0;
    bool knows_members_ = false; ///< those of the last text, which was parsed to its end
    bool is_like_before_ = false, was_told_places_ = false;
};

} // namespace reverse_etl
