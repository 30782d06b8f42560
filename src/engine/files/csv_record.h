#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A record of comma-separated values (RFC 4180), whose quoted cells may hold line breaks. Also where another sign
/// stands between the cells, and lines end in LF or CR alone.
class CsvRecord {
  public:
    struct Cell {
        std::string_view text; ///< valid until the next record is read, and as long as the text that was read
        bool is_quoted = false;
    };

    /// Reads the record at the beginning of the text, and answers how long it is; 0 where it does not end in it.
    /// `is_end`: no text follows. Throws FileFault.
    std::size_t read(std::string_view text, bool is_end, char delimiter);

    const std::vector<Cell> &cells() const { return cells_; }
    /// A line on which nothing stands.
    bool is_blank() const { return cells_.size() == 1 && cells_.front().text.empty() && !cells_.front().is_quoted; }

  private:
    struct Written {
        std::size_t begin, length;
        bool is_quoted, is_unescaped; ///< unescaped: it stands in unescaped_
    };

    bool read_quoted(std::string_view text, std::size_t &at, bool is_end);

    std::vector<Written> written_;
    std::string unescaped_;
    std::vector<Cell> cells_;
};

} // namespace reverse_etl
