#include "engine/files/file_text.h"

namespace reverse_etl {

namespace {

constexpr std::size_t bytes_at_once = 256 << 10;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

} // namespace

void FileText::fail(const std::string &what) const {
    throw DestinationError(Fault::unintelligible, address_ + ", line " + std::to_string(next_line_) + ": " + what);
}

void FileText::fail_of_length() const {
    fail("it is longer than " + std::to_string(longest_record >> 20) +
         " MB; where a quote does not end, a record takes in what follows");
}

/// A record that does not end in what is there has twice as much the next time, so that it is not looked through again
/// and again.
void FileText::fill() {
    text_.erase(0, used_);
    used_ = 0;
    if (text_.size() > longest_record)
        fail_of_length();
    const std::size_t wanted = std::min(std::max(bytes_at_once, 2 * text_.size()), longest_record + 1);
    while (!is_end_ && text_.size() < wanted)
        is_end_ = !in_place([&] { return bytes_.append(text_); });
    if (!is_begun_ && text_.starts_with(byte_order_mark))
        text_.erase(0, byte_order_mark.size());
    is_begun_ = true;
}

} // namespace reverse_etl
