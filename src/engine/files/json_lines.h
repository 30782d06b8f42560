#pragma once

#include <cstddef>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Reads lines of which each is a JSON object.
class JsonLine {
  public:
    /// Reads the line at the beginning of the text, as CsvRecord::read() reads a record. Throws FileFault.
    std::size_t read(std::string_view text, bool is_end);

    /// Its object, with numbers that keep all their digits, until the next is read; nothing for a line on which nothing
    /// stands.
    const std::optional<simdjson::dom::element> &object() const { return object_; }

  private:
    simdjson::dom::parser parser_;
    std::optional<simdjson::dom::element> object_;
};

} // namespace reverse_etl
