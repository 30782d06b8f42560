#include "engine/files/file_rows.h"

#include "engine/files/file_format.h"

namespace reverse_etl {

namespace {

constexpr std::size_t bytes_of_page = 256 << 10, rows_of_page = 4096;
/// So many files are begun before they are used: small ones would cost a wait each.
constexpr std::size_t most_open_ahead = 4;
constexpr std::uint64_t most_bytes_ahead = 4 << 20, most_of_file_ahead = 2 << 20;

} // namespace

FileRows::FileRows(FileStore &store, const FileRowsSpec &spec, const PathFilter &filter, std::function<void()> pause)
    : store_(store), spec_(spec), pause_(std::move(pause)), search_(store, spec.pattern, filter, pause_) {}

void FileRows::open_ahead() {
    std::uint64_t bytes = 0;
    for (const auto &one : ahead_)
        bytes += std::min(one->found.file.size, most_of_file_ahead);
    while (!is_search_over_ && ahead_.size() < most_open_ahead && bytes < most_bytes_ahead) {
        std::optional<FoundFile> found = search_.next();
        is_search_over_ = !found;
        if (!found)
            return;
        bytes += std::min(found->file.size, most_of_file_ahead);
        ahead_.push_back(std::make_unique<Open>(std::move(*found), store_));
        ahead_.back()->text.begin();
    }
}

bool FileRows::open_next() {
    current_.reset();
    if (ahead_.empty() && !is_search_over_) {
        std::optional<FoundFile> found = search_.next();
        is_search_over_ = !found;
        if (found)
            ahead_.push_back(std::make_unique<Open>(std::move(*found), store_));
    }
    if (ahead_.empty())
        return false;
    current_ = std::move(ahead_.front());
    ahead_.pop_front();
    const FoundFile &found = current_->found;
    const FilesFormat format = format_of_file(spec_.format, found.file.name, current_->text.address());
    current_->records = format.kind == FilesFormat::Kind::csv ? csv_records(spec_, format, found.values)
                                                              : json_records(spec_, found.values);
    return true;
}

bool FileRows::next_page(FilePage &page) {
    pause_();
    // Whoever wants no more than some rows of the first file is not to have read others for it.
    if (current_ != nullptr)
        open_ahead();
    page.cells.clear(std::max<std::size_t>(spec_.columns.size(), 1));
    page.lines.clear();
    if (current_ == nullptr && !open_next())
        return false;
    FileText &text = current_->text;
    page.file = text.address();
    std::size_t bytes = 0;
    const auto read = [&](std::string_view rest, bool is_end) {
        const std::size_t taken = current_->records->read(rest, is_end, page, text.line());
        bytes += taken;
        return taken;
    };
    while (bytes < bytes_of_page && page.cells.bytes() < bytes_of_page && page.lines.size() < rows_of_page)
        if (!text.next(read)) {
            current_.reset();
            // There is something current, so that what is to come is opened from now on.
            if (!open_next())
                return !page.lines.empty();
            break;
        }
    return true;
}

} // namespace reverse_etl
