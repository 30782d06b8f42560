#pragma once

#include "engine/files/plain_bytes.h"
#include "engine/text/errors.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace reverse_etl {

/// The text of a file, record by record. What cannot be read is a DestinationError that names the file and the line.
class FileText {
  public:
    /// No record is longer: what is made of one in memory is some twenty times its size.
    static constexpr std::size_t longest_record = 2 << 20;

    /// `address`: what people know the file by.
    FileText(std::unique_ptr<FileBytes> bytes, std::string address)
        : bytes_(std::move(bytes)), address_(std::move(address)) {}

    /// Has the first bytes be on their way.
    void begin() { bytes_.begin(); }

    /// Hands the text from the next record on to `read`, which answers how many bytes it took; 0 where the record does
    /// not end in it, which happens only where `is_end` is false. It may throw FileFault. False behind the last.
    template <class Read>
    bool next(Read &&read) {
        while (true) {
            const std::string_view rest = std::string_view(text_).substr(used_);
            if (rest.empty() && is_end_)
                return false;
            const std::size_t taken = rest.empty() ? 0 : in_place([&] { return read(rest, is_end_); });
            if (taken > longest_record)
                fail_of_length();
            if (taken > 0) {
                next_line_ += static_cast<std::uint64_t>(std::count(rest.begin(), rest.begin() + taken, '\n'));
                used_ += taken;
                return true;
            }
            fill();
        }
    }

    const std::string &address() const { return address_; }
    /// Of the record that is read next, or is being read, counted from 1.
    std::uint64_t line() const { return next_line_; }

  private:
    template <class How>
    auto in_place(How &&how) {
        try {
            return how();
        } catch (const FileFault &fault) {
            fail(fault.what());
        }
    }

    void fill();
    [[noreturn]] void fail(const std::string &what) const;
    [[noreturn]] void fail_of_length() const;

    PlainBytes bytes_;
    const std::string address_;
    std::string text_;
    std::size_t used_ = 0;
    bool is_end_ = false, is_begun_ = false;
    std::uint64_t next_line_ = 1;
};

} // namespace reverse_etl
