#include "engine/queue/key_queue.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace reverse_etl {

namespace {

constexpr std::size_t cache_line = 64;

void ask_for(const void *memory, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += cache_line)
        __builtin_prefetch(static_cast<const char *>(memory) + at);
}

/// Rows lie in no cache any more when their turn comes: their memory is asked for a little before it is needed.
void ask_for_row(const QueuedRow *row) {
    if (row != nullptr)
        ask_for(row, sizeof(QueuedRow));
}

void ask_for_texts(const QueuedRow *row) {
    constexpr std::size_t enough = 512;
    if (row == nullptr)
        return;
    ask_for(row->row.data(), std::min(row->row.size(), enough));
    ask_for(row->values.data(), std::min(row->values.size() * sizeof(ValuePlace), enough));
}

} // namespace

void QueuedRow::renew() {
    static_cast<RowState &>(*this) = {};
    identity.clear();
    key.clear();
    row.clear();
    values.clear();
    replaced = std::vector<ReplacedChange>();
    reasons = std::vector<std::string>();
}

KeyQueue::Row KeyQueue::new_row() {
    if (kept_.empty())
        return std::make_unique<QueuedRow>();
    Row row = std::move(kept_.back());
    kept_.pop_back();
    return row;
}

void KeyQueue::keep(Row row) {
    const std::size_t bytes = row->identity.capacity() + row->key.capacity() + row->row.capacity() +
                              row->values.capacity() * sizeof(ValuePlace);
    if (rows_.size() == 0) {
        kept_ = std::vector<Row>();
    } else if (kept_.size() < most_kept && bytes <= most_kept_bytes) {
        row->renew();
        kept_.push_back(std::move(row));
    }
}

QueuedRow &KeyQueue::row(std::uint64_t id) {
    QueuedRow *row = rows_.find(id);
    if (row == nullptr)
        throw std::out_of_range("row " + std::to_string(id) + " is not in line");
    return *row;
}

/// The last change of the row's key, if that has not been sent.
QueuedRow *KeyQueue::last_waiting(const QueuedRow &row) {
    if (row.identity.empty())
        return nullptr;
    const Chain *chain = chains_.find(row.identity_hash);
    if (chain == nullptr)
        return nullptr;
    QueuedRow *last = chain->last;
    return last->under_way || last->identity != row.identity ? nullptr : last;
}

void KeyQueue::append(Row row) {
    add_to_chain(*row);
    if (row->before == nullptr) {
        // A change of its key may have ended before this one was read.
        row->follows = row->follows || finished_keys_.contains(row->identity_hash);
        make_ready(*row);
    }
    insert(std::move(row));
}

void KeyQueue::add_to_chain(QueuedRow &row) {
    bytes_ += row.row.size() + row.key.size() + row.identity.size();
    if (row.identity.empty())
        return;
    auto [chain, is_new] = chains_.insert(row.identity_hash);
    (is_new ? chain->first : chain->last->after) = &row;
    row.before = std::exchange(chain->last, &row);
}

void KeyQueue::insert(Row row) {
    const std::uint64_t id = row->id;
    highest_ = std::max(highest_, id);
    rows_.insert(id, std::move(row));
}

void KeyQueue::replace(QueuedRow &last, Row row) {
    row->replaced = std::move(last.replaced);
    row->stored_bytes += last.stored_bytes;
    row->replaced.push_back({last.id, last.push, last.table, last.sync, last.place});
    replaced_.insert(last.id);
    row->due = std::max(row->due, last.due);
    row->follows = last.follows;
    bytes_ += row->row.size() + row->key.size();
    bytes_ -= last.row.size() + last.key.size();
    Chain &chain = *chains_.find(row->identity_hash);
    chain.last = row.get();
    row->before = last.before;
    if (row->before != nullptr) {
        row->before->after = row.get();
    } else {
        chain.first = row.get();
        make_ready(*row);
    }
    keep(rows_.extract(last.id));
    insert(std::move(row));
}

void KeyQueue::make_ready(const QueuedRow &row) {
    if (row.due != Clock::time_point{}) {
        waiting_.emplace(row.due, row.id);
        return;
    }
    std::deque<std::uint64_t> &ready = ready_[row.lane];
    auto place = ready.end();
    // Beside those that it has to go with, if they are there.
    if (row.batch != 0) {
        auto companion = std::find_if(ready.rbegin(), ready.rend(), [&](std::uint64_t id) {
            const QueuedRow *other = rows_.find(id);
            return other != nullptr && other->batch == row.batch;
        });
        if (companion != ready.rend())
            place = companion.base();
    }
    ready.insert(place, row.id);
}

void KeyQueue::release_due(Clock::time_point now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        QueuedRow *row = rows_.find(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        if (row == nullptr)
            continue;
        // Behind the others: what failed before is not what a destination is tried out with.
        row->due = {};
        make_ready(*row);
    }
}

QueuedRow *KeyQueue::front(int lane, Clock::time_point now) {
    release_due(now);
    std::deque<std::uint64_t> &ready = ready_[lane];
    for (; !ready.empty(); ready.pop_front()) // rows that were replaced while they waited
        if (QueuedRow *row = rows_.find(ready.front()))
            return row;
    return nullptr;
}

const QueuedRow *KeyQueue::next(int lane, Clock::time_point now) {
    return front(lane, now);
}

QueuedRow *KeyQueue::take(int lane, Clock::time_point now) {
    QueuedRow *row = front(lane, now);
    if (row == nullptr)
        return nullptr;
    std::deque<std::uint64_t> &ready = ready_[lane];
    ready.pop_front();
    if (ready.size() > 1) {
        ask_for_texts(rows_.find(ready[0]));
        ask_for_row(rows_.find(ready[1]));
    }
    row->under_way = true;
    under_way_++;
    return row;
}

std::size_t KeyQueue::ready(int lane, std::size_t most, Clock::time_point now) {
    release_due(now);
    std::size_t count = 0;
    const std::deque<std::uint64_t> &ready = ready_[lane];
    for (auto id = ready.begin(); id != ready.end() && count < most; ++id)
        count += rows_.contains(*id) ? 1 : 0;
    return count;
}

void KeyQueue::add_under_way(Row row) {
    row->under_way = true;
    under_way_++;
    add_to_chain(*row); // behind others where keys are compared in another way now
    insert(std::move(row));
}

void KeyQueue::add_replaced(std::uint64_t by, const QueuedRow &older) {
    QueuedRow &newer = row(by);
    newer.stored_bytes += older.stored_bytes;
    newer.replaced.push_back({older.id, older.push, older.table, older.sync, older.place});
    replaced_.insert(older.id);
    highest_ = std::max(highest_, older.id);
}

KeyQueue::Row KeyQueue::finish(std::uint64_t id) {
    Row row = rows_.extract(id);
    ask_for_row(rows_.find(id + 1));
    under_way_--;
    bytes_ -= row->row.size() + row->key.size() + row->identity.size();
    finished_.insert(id);
    for (const QueuedRow::ReplacedChange &replaced : row->replaced) {
        replaced_.erase(replaced.id);
        finished_.insert(replaced.id);
    }
    if (row->identity.empty())
        return row;
    finished_keys_.insert(row->identity_hash);
    unlink(*row);
    return row;
}

/// The next of its chain may go, if it is not under way as well: it may have been taken up.
void KeyQueue::unlink(QueuedRow &row) {
    Chain &chain = *chains_.find(row.identity_hash);
    (row.before != nullptr ? row.before->after : chain.first) = row.after;
    (row.after != nullptr ? row.after->before : chain.last) = row.before;
    if (chain.first == nullptr)
        chains_.extract(row.identity_hash);
    if (row.after == nullptr)
        return;
    row.after->follows = true;
    if (row.before == nullptr && !row.after->under_way)
        make_ready(*row.after);
}

void KeyQueue::put_back(std::uint64_t id, Clock::time_point due) {
    QueuedRow &waiting = row(id);
    waiting.under_way = false;
    under_way_--;
    waiting.due = due;
    waiting_.emplace(due, id);
}

void KeyQueue::release_all() {
    release_due(Clock::time_point::max());
}

Clock::time_point KeyQueue::next_due() const {
    return waiting_.empty() ? Clock::time_point::max() : waiting_.begin()->first;
}

void KeyQueue::clear() {
    *this = {};
}

} // namespace reverse_etl
