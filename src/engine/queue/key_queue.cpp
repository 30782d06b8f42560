#include "engine/queue/key_queue.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

/// The last change of the row's key, if that has not been sent.
QueuedRow *KeyQueue::last_waiting(const QueuedRow &row) {
    if (row.identity.empty())
        return nullptr;
    auto chain = chains_.find(row.identity_hash);
    if (chain == chains_.end())
        return nullptr;
    QueuedRow *last = chain->second.last;
    return last->under_way || last->identity != row.identity ? nullptr : last;
}

void KeyQueue::append(Row row) {
    bytes_ += row->row.size() + row->key.size() + row->identity.size();
    if (!row->identity.empty()) {
        auto [chain, is_new] = chains_.try_emplace(row->identity_hash, Chain{row.get(), row.get()});
        if (!is_new) {
            row->before = chain->second.last;
            row->before->after = row.get();
            chain->second.last = row.get();
        }
    }
    if (row->before == nullptr) {
        // A change of its key may have ended before this one was read.
        row->follows = row->follows || finished_keys_.contains(row->identity_hash);
        make_ready(*row);
    }
    std::uint64_t id = row->id;
    rows_.emplace(id, std::move(row));
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
    Chain &chain = chains_.at(row->identity_hash);
    chain.last = row.get();
    row->before = last.before;
    if (row->before != nullptr) {
        row->before->after = row.get();
    } else {
        chain.first = row.get();
        make_ready(*row);
    }
    rows_.erase(last.id);
    std::uint64_t id = row->id;
    rows_.emplace(id, std::move(row));
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
            auto other = rows_.find(id);
            return other != rows_.end() && other->second->batch == row.batch;
        });
        if (companion != ready.rend())
            place = companion.base();
    }
    ready.insert(place, row.id);
}

void KeyQueue::release_due(Clock::time_point now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        auto row = rows_.find(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        if (row == rows_.end())
            continue;
        // Behind the others: what failed before is not what a destination is tried out with.
        row->second->due = {};
        make_ready(*row->second);
    }
}

const QueuedRow *KeyQueue::next(int lane, Clock::time_point now) {
    release_due(now);
    std::deque<std::uint64_t> &ready = ready_[lane];
    // Rows that were replaced while they waited.
    while (!ready.empty() && !rows_.contains(ready.front()))
        ready.pop_front();
    return ready.empty() ? nullptr : rows_.at(ready.front()).get();
}

QueuedRow *KeyQueue::take(int lane, Clock::time_point now) {
    if (next(lane, now) == nullptr)
        return nullptr;
    std::deque<std::uint64_t> &ready = ready_[lane];
    QueuedRow &row = *rows_.at(ready.front());
    ready.pop_front();
    row.under_way = true;
    under_way_++;
    return &row;
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
    bytes_ += row->row.size() + row->key.size() + row->identity.size();
    row->under_way = true;
    under_way_++;
    if (!row->identity.empty()) {
        auto [chain, is_new] = chains_.try_emplace(row->identity_hash, Chain{row.get(), row.get()});
        if (!is_new) { // by the way in which keys are compared now
            row->before = chain->second.last;
            row->before->after = row.get();
            chain->second.last = row.get();
        }
    }
    const std::uint64_t id = row->id;
    rows_.emplace(id, std::move(row));
}

void KeyQueue::add_replaced(std::uint64_t by, const QueuedRow &older) {
    QueuedRow &row = *rows_.at(by);
    row.stored_bytes += older.stored_bytes;
    row.replaced.push_back({older.id, older.push, older.table, older.sync, older.place});
    replaced_.insert(older.id);
}

KeyQueue::Row KeyQueue::finish(std::uint64_t id) {
    Row row = std::move(rows_.extract(id).mapped());
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
    Chain &chain = chains_.at(row.identity_hash);
    (row.before != nullptr ? row.before->after : chain.first) = row.after;
    (row.after != nullptr ? row.after->before : chain.last) = row.before;
    if (chain.first == nullptr)
        chains_.erase(row.identity_hash);
    if (row.after == nullptr)
        return;
    row.after->follows = true;
    if (row.before == nullptr && !row.after->under_way)
        make_ready(*row.after);
}

void KeyQueue::put_back(std::uint64_t id, Clock::time_point due) {
    QueuedRow &row = *rows_.at(id);
    row.under_way = false;
    under_way_--;
    row.due = due;
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
