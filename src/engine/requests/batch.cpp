#include "engine/requests/batch.h"

namespace reverse_etl {

std::string &Batch::begin_row() {
    body_before_ = body_.size();
    kept_before_ = kept_.size();
    kept_ends_before_ = kept_ends_.size();
    if (!rows_.empty())
        body_ += frame_->separator;
    row_begin_ = body_.size();
    return body_;
}

void Batch::keep(std::string_view text) {
    kept_ += text;
    kept_ends_.push_back(kept_.size());
}

void Batch::end_row(std::uint64_t number) {
    rows_.push_back({number, row_begin_, body_.size()});
    kept_per_row_ = kept_ends_.size() - kept_ends_before_;
}

void Batch::drop_row() {
    body_.resize(body_before_);
    kept_.resize(kept_before_);
    kept_ends_.resize(kept_ends_before_);
}

Batch Batch::split_last() {
    Batch last(*frame_);
    last.append(*this, rows_.size() - 1);
    rows_.pop_back();
    drop_row();
    return last;
}

Batch Batch::subset(const std::vector<std::size_t> &positions) const {
    Batch part(*frame_);
    for (std::size_t position : positions)
        part.append(*this, position);
    return part;
}

void Batch::append(const Batch &other, std::size_t position) {
    const BatchRow &row = other.rows_[position];
    begin_row().append(other.body_, row.begin, row.end - row.begin);
    for (std::size_t i = 0; i < other.kept_per_row_; i++)
        keep(other.kept(position, i));
    end_row(row.number);
    rows_.back().attempts = row.attempts;
}

std::vector<Batch> Batch::halves() const {
    std::vector<std::size_t> first, second;
    for (std::size_t i = 0; i < rows_.size(); i++)
        (i < rows_.size() / 2 ? first : second).push_back(i);
    std::vector<Batch> halves;
    for (const std::vector<std::size_t> &half : {first, second})
        if (!half.empty())
            halves.push_back(subset(half));
    return halves;
}

const std::string &Batch::body() {
    const bool is_of_columns = !frame_->columns.empty();
    if (!closed_ && is_of_columns)
        put_columns_together();
    else if (!closed_)
        body_ += frame_->suffix;
    closed_ = true;
    return is_of_columns ? put_together_ : body_;
}

void Batch::put_columns_together() {
    std::vector<std::size_t> ends(rows_.size()); // of each row's cells so far
    for (std::size_t row = 0; row < rows_.size(); row++)
        ends[row] = rows_[row].begin;
    put_together_.reserve(bytes());
    put_together_ = frame_->columns.front();
    for (std::size_t column = 1; column < frame_->columns.size(); column++) {
        for (std::size_t row = 0; row < rows_.size(); row++) {
            const std::size_t end = body_.find(BatchFrame::cell_end, ends[row]);
            put_together_.append(row == 0 ? "" : ",").append(body_, ends[row], end - ends[row]);
            ends[row] = end + 1;
        }
        put_together_ += frame_->columns[column];
    }
}

std::string_view Batch::kept(std::size_t row, std::size_t index) const {
    std::size_t at = row * kept_per_row_ + index;
    std::size_t begin = at == 0 ? 0 : kept_ends_[at - 1];
    return std::string_view(kept_).substr(begin, kept_ends_[at] - begin);
}

} // namespace reverse_etl
