#include "engine/queue/key_queue.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>
#include <set>

using namespace reverse_etl;
using std::chrono::seconds;

namespace {

const Clock::time_point now = Clock::now();

KeyQueue::Row make_row(std::uint64_t id, const std::string &key, int lane = 0) {
    auto row = std::make_unique<QueuedRow>();
    row->id = id;
    row->lane = lane;
    row->key = key;
    row->identity = key;
    row->identity_hash = std::hash<std::string>()(key);
    row->row = "row " + std::to_string(id);
    return row;
}

bool always(const QueuedRow &, const QueuedRow &) {
    return true;
}

bool never(const QueuedRow &, const QueuedRow &) {
    return false;
}

/// Takes what may go now, in order.
std::string taken(KeyQueue &queue, Clock::time_point at = now, int lane = 0) {
    std::string ids;
    while (const QueuedRow *row = queue.take(lane, at))
        ids += std::to_string(row->id) + " ";
    return ids;
}

} // namespace

BOOST_AUTO_TEST_SUITE(order)

BOOST_AUTO_TEST_CASE(keys_do_not_wait_for_each_other) {
    KeyQueue queue;
    for (std::uint64_t id : {1, 2, 3})
        queue.add(make_row(id, "key " + std::to_string(id)), never);
    BOOST_TEST(taken(queue) == "1 2 3 ");
    BOOST_TEST(queue.under_way() == 3u);
}

BOOST_AUTO_TEST_CASE(changes_of_a_key_go_one_after_the_other) {
    KeyQueue queue;
    queue.add(make_row(1, "a"), never);
    queue.add(make_row(2, "a"), never);
    queue.add(make_row(3, "b"), never);
    queue.add(make_row(4, "a"), never);
    BOOST_TEST(taken(queue) == "1 3 ");
    queue.finish(3);
    BOOST_TEST(taken(queue) == "");
    queue.finish(1);
    BOOST_TEST(taken(queue) == "2 ");
    queue.finish(2);
    BOOST_TEST(taken(queue) == "4 ");
}

BOOST_AUTO_TEST_CASE(rows_without_a_key_wait_for_nothing) {
    KeyQueue queue;
    for (std::uint64_t id : {1, 2, 3})
        queue.add(make_row(id, ""), always);
    BOOST_TEST(taken(queue) == "1 2 3 ");
}

BOOST_AUTO_TEST_CASE(order_is_kept_across_lanes) {
    KeyQueue queue;
    queue.add(make_row(1, "a", 0), never);
    queue.add(make_row(2, "a", 1), never);
    BOOST_TEST(taken(queue, now, 1) == "");
    BOOST_TEST(taken(queue, now, 0) == "1 ");
    BOOST_TEST(taken(queue, now, 1) == "");
    queue.finish(1);
    BOOST_TEST(taken(queue, now, 1) == "2 ");
}

BOOST_AUTO_TEST_CASE(keys_of_one_hash_share_their_order_but_not_their_state) {
    KeyQueue queue;
    for (std::uint64_t id : {1, 2}) {
        KeyQueue::Row row = make_row(id, "key " + std::to_string(id));
        row->identity_hash = 7;
        queue.add(std::move(row), always);
    }
    BOOST_TEST(taken(queue) == "1 ");
    BOOST_TEST(queue.finish(1)->replaced.empty());
    BOOST_TEST(taken(queue) == "2 ");
}

BOOST_AUTO_TEST_CASE(next_is_what_take_takes) {
    KeyQueue queue;
    BOOST_TEST(queue.next(0, now) == nullptr);
    BOOST_TEST(queue.take(0, now) == nullptr);
    queue.add(make_row(1, "a"), never);
    BOOST_TEST(queue.next(0, now)->id == 1u);
    BOOST_TEST(queue.next(0, now)->id == 1u);
    BOOST_TEST(queue.under_way() == 0u);
    BOOST_TEST(queue.take(0, now)->under_way);
    BOOST_TEST(queue.next(0, now) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(replacing)

BOOST_AUTO_TEST_CASE(a_later_change_stands_for_those_that_wait) {
    KeyQueue queue;
    for (std::uint64_t id : {1, 2, 3}) {
        KeyQueue::Row row = make_row(id, "a");
        row->push = static_cast<std::int64_t>(id) * 10;
        row->table = static_cast<int>(id) % 2;
        queue.add(std::move(row), always);
    }
    BOOST_TEST(queue.size() == 3u);
    BOOST_TEST(queue.contains(1));
    BOOST_TEST(taken(queue) == "3 ");
    KeyQueue::Row row = queue.finish(3);
    BOOST_TEST(row->row == "row 3");
    BOOST_TEST(row->replaced.size() == 2u);
    BOOST_TEST(row->replaced[0].id == 1u);
    BOOST_TEST(row->replaced[1].id == 2u);
    BOOST_TEST(row->replaced[1].push == 20);
    BOOST_TEST(row->replaced[0].table == 1);
    BOOST_TEST(queue.size() == 0u);
    BOOST_TEST(queue.bytes() == 0u);
    // Until its outcome is stored, the outbox would show the row again.
    BOOST_TEST(queue.contains(1));
    BOOST_TEST(queue.contains(3));
    queue.forget_finished();
    BOOST_TEST(!queue.contains(1));
    BOOST_TEST(!queue.contains(3));
}

BOOST_AUTO_TEST_CASE(what_is_under_way_is_not_replaced) {
    KeyQueue queue;
    queue.add(make_row(1, "a"), always);
    BOOST_TEST(taken(queue) == "1 ");
    queue.add(make_row(2, "a"), always);
    queue.add(make_row(3, "a"), always);
    BOOST_TEST(queue.finish(1)->replaced.empty());
    BOOST_TEST(taken(queue) == "3 ");
    BOOST_TEST(queue.finish(3)->replaced.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_part_of_a_request_is_not_replaced) {
    KeyQueue queue;
    KeyQueue::Row marked = make_row(1, "a");
    marked->batch = 1;
    queue.add(std::move(marked), always);
    queue.add(make_row(2, "a"), always);
    BOOST_TEST(taken(queue) == "1 ");
}

BOOST_AUTO_TEST_CASE(the_last_change_alone_is_asked_about) {
    KeyQueue queue;
    std::string asked;
    auto note = [&](const QueuedRow &older, const QueuedRow &newer) {
        asked += std::to_string(older.id) + "<" + std::to_string(newer.id) + " ";
        return newer.id == 3;
    };
    for (std::uint64_t id : {1, 2, 3})
        queue.add(make_row(id, "a"), note);
    BOOST_TEST(asked == "1<2 2<3 ");
    BOOST_TEST(taken(queue) == "1 ");
    queue.finish(1);
    BOOST_TEST(taken(queue) == "3 ");
}

BOOST_AUTO_TEST_CASE(a_change_of_another_lane_may_replace) {
    KeyQueue queue;
    queue.add(make_row(1, "a", 0), always);
    queue.add(make_row(2, "a", 1), always);
    BOOST_TEST(taken(queue, now, 0) == "");
    BOOST_TEST(taken(queue, now, 1) == "2 ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(times)

BOOST_AUTO_TEST_CASE(a_row_that_is_put_back_comes_first_and_in_time) {
    KeyQueue queue;
    queue.add(make_row(1, "a"), never);
    queue.add(make_row(2, "a"), never);
    queue.add(make_row(3, "b"), never);
    queue.add(make_row(4, "c"), never);
    queue.take(0, now);
    queue.put_back(1, now + seconds(5));
    BOOST_TEST(queue.under_way() == 0u);
    BOOST_TEST((queue.next_due() == now + seconds(5)));
    BOOST_TEST(taken(queue, now + seconds(4)) == "3 4 ");
    BOOST_TEST(taken(queue, now + seconds(5)) == "1 ");
    queue.finish(1);
    BOOST_TEST(taken(queue) == "2 ");
}

BOOST_AUTO_TEST_CASE(a_row_that_is_put_back_may_be_replaced_but_not_sooner_sent) {
    KeyQueue queue;
    queue.add(make_row(1, "a"), always);
    queue.take(0, now);
    queue.put_back(1, now + seconds(5));
    queue.add(make_row(2, "a"), always);
    BOOST_TEST(taken(queue, now + seconds(4)) == "");
    BOOST_TEST(taken(queue, now + seconds(5)) == "2 ");
    BOOST_TEST(queue.finish(2)->replaced.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_follows_an_outcome_that_may_not_be_stored_says_so) {
    KeyQueue queue;
    queue.add(make_row(1, "ada"), never);
    queue.add(make_row(2, "ada"), never);
    queue.add(make_row(3, "bob"), never);
    taken(queue);
    queue.finish(1);
    BOOST_TEST(queue.row(2).follows);
    taken(queue);
    queue.finish(2);
    // Read only now, when nothing else of its key is in line.
    queue.add(make_row(4, "ada"), never);
    queue.add(make_row(5, "eve"), never);
    BOOST_TEST(queue.row(4).follows);
    BOOST_TEST(!queue.row(5).follows);
    queue.add(make_row(6, "ada"), always);
    BOOST_TEST(queue.row(6).follows, "so does what stands for it");
    taken(queue);
    queue.finish(6);
    queue.forget_finished();
    queue.add(make_row(7, "ada"), never);
    BOOST_TEST(!queue.row(7).follows);
}

BOOST_AUTO_TEST_CASE(a_row_may_come_with_a_time) {
    KeyQueue queue;
    KeyQueue::Row row = make_row(1, "a");
    row->due = now + seconds(1);
    queue.add(std::move(row), never);
    queue.add(make_row(2, "a"), never);
    BOOST_TEST(taken(queue) == "");
    BOOST_TEST(taken(queue, now + seconds(1)) == "1 ");
    queue.finish(1);
    BOOST_TEST((queue.next_due() == Clock::time_point::max()));
    BOOST_TEST(taken(queue) == "2 ");
}

BOOST_AUTO_TEST_CASE(all_can_be_released) {
    KeyQueue queue;
    for (std::uint64_t id : {1, 2}) {
        queue.add(make_row(id, "key " + std::to_string(id)), never);
        queue.take(0, now);
        queue.put_back(id, now + seconds(100 * static_cast<int>(id)));
    }
    queue.release_all();
    BOOST_TEST((queue.next_due() == Clock::time_point::max()));
    BOOST_TEST(taken(queue).size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(sizes_and_clear) {
    KeyQueue queue;
    queue.add(make_row(1, "a"), never);
    queue.add(make_row(2, ""), never);
    BOOST_TEST(queue.bytes() == std::string("row 1aarow 2").size());
    queue.take(0, now);
    queue.finish(1);
    BOOST_TEST(queue.bytes() == std::string("row 2").size());
    queue.add(make_row(3, "b"), always);
    queue.add(make_row(4, "b"), always);
    queue.clear();
    BOOST_TEST(queue.size() == 0u);
    BOOST_TEST(queue.bytes() == 0u);
    BOOST_TEST(!queue.contains(3));
    BOOST_TEST(taken(queue) == "");
    queue.add(make_row(1, "b"), never);
    BOOST_TEST(taken(queue) == "1 ");
}

/// Random additions, ends and returns, beside the plainest thing that could be right: for each key a list of numbers.
BOOST_AUTO_TEST_CASE(against_a_model) {
    std::mt19937 random(20261122);
    auto below = [&](unsigned bound) { return static_cast<int>(random() % bound); };
    struct Waiting {
        std::uint64_t id;
        bool under_way = false;
        Clock::time_point due{};
        std::set<std::uint64_t> stands_for;
    };
    for (int round = 0; round < 200; round++) {
        KeyQueue queue;
        std::map<std::string, std::vector<Waiting>> model;
        std::map<std::uint64_t, std::string> key_of;
        std::set<std::uint64_t> left; // rows without an outcome
        std::vector<std::uint64_t> under_way;
        std::uint64_t last_id = 0;
        Clock::time_point time = now;
        for (int step = 0; step < 300 || !left.empty(); step++) {
            time += std::chrono::milliseconds(below(3));
            int what = step < 300 ? below(10) : 4 + below(6);
            if (what < 4) {
                std::uint64_t id = ++last_id;
                std::string key = "key " + std::to_string(below(6));
                int lane = below(2);
                bool replaces = below(2) == 0;
                std::vector<Waiting> &of_key = model[key];
                if (replaces && !of_key.empty() && !of_key.back().under_way) {
                    Waiting &last = of_key.back();
                    last.stands_for.insert(last.id);
                    last.id = id;
                } else {
                    of_key.push_back({id, false, {}, {}});
                }
                key_of[id] = key;
                left.insert(id);
                queue.add(make_row(id, key, lane), replaces ? always : never);
            } else if (what < 7) {
                QueuedRow *row = queue.take(below(2), time);
                if (row == nullptr) {
                    time += std::chrono::milliseconds(1);
                    continue;
                }
                Waiting &first = model[row->key].front();
                BOOST_REQUIRE(first.id == row->id);
                BOOST_REQUIRE(!first.under_way);
                BOOST_REQUIRE((first.due <= time));
                first.under_way = true;
                under_way.push_back(row->id);
            } else if (!under_way.empty()) {
                std::swap(under_way[below(under_way.size())], under_way.back());
                std::uint64_t id = under_way.back();
                under_way.pop_back();
                std::vector<Waiting> &of_key = model[key_of[id]];
                if (below(3) == 0) {
                    of_key.front().under_way = false;
                    of_key.front().due = time + std::chrono::milliseconds(below(20));
                    queue.put_back(id, of_key.front().due);
                    continue;
                }
                KeyQueue::Row row = queue.finish(id);
                std::set<std::uint64_t> stands_for;
                for (const QueuedRow::ReplacedChange &replaced : row->replaced)
                    stands_for.insert(replaced.id);
                BOOST_REQUIRE((stands_for == of_key.front().stands_for));
                for (std::uint64_t other : stands_for)
                    left.erase(other);
                left.erase(id);
                of_key.erase(of_key.begin());
            }
            BOOST_REQUIRE(queue.size() == left.size());
            BOOST_REQUIRE(queue.under_way() == under_way.size());
        }
        BOOST_TEST(queue.bytes() == 0u);
    }
}

BOOST_AUTO_TEST_SUITE(room_of_rows)

/// A row that has left, and was everything that a row can be.
KeyQueue::Row row_that_left(std::size_t bytes) {
    KeyQueue::Row row = make_row(7, "a key");
    row->row.assign(bytes, 'x');
    row->values = {{1, 2}, {3, 4}};
    row->under_way = row->may_be_done = row->follows = true;
    row->attempts = 3;
    row->due = row->fails_since = now;
    row->batch = row->push = 8;
    row->sync = 9;
    row->role = 10;
    row->table = 1;
    row->place = row->stored_bytes = row->successes = row->most_together = 11;
    row->replaced.push_back({1, 2, 0, 3, 4});
    row->reasons = {"a reason"};
    row->before = row->after = row.get();
    return row;
}

BOOST_AUTO_TEST_CASE(room_of_a_row_that_has_left_is_used_again_and_nothing_else_of_it) {
    KeyQueue queue;
    queue.add(make_row(1, "at hand"), never);
    KeyQueue::Row row = row_that_left(1'000);
    const QueuedRow *const place = row.get();
    queue.keep(std::move(row));
    const KeyQueue::Row again = queue.new_row();
    BOOST_TEST(again.get() == place);
    BOOST_TEST(again->row.capacity() >= 1'000u);
    const QueuedRow fresh;
    for (auto text : {&QueuedRow::identity, &QueuedRow::key, &QueuedRow::row})
        BOOST_TEST((*again.*text).empty());
    BOOST_TEST((again->values.empty() && again->replaced.empty() && again->reasons.empty()));
    BOOST_TEST((again->id == fresh.id && again->lane == fresh.lane && again->identity_hash == fresh.identity_hash));
    BOOST_TEST((!again->under_way && !again->may_be_done && !again->follows));
    BOOST_TEST((again->due == fresh.due && again->fails_since == fresh.fails_since));
    BOOST_TEST((again->attempts == 0 && again->batch == 0 && again->push == 0 && again->sync == 0));
    BOOST_TEST((again->role == 0u && again->table == 0 && again->place == 0u && again->stored_bytes == 0u));
    BOOST_TEST((again->successes == 0u && again->most_together == 0u));
    BOOST_TEST((again->before == nullptr && again->after == nullptr));
    BOOST_TEST(queue.new_row().get() != place);
}

BOOST_AUTO_TEST_CASE(large_rows_are_not_kept_nor_any_where_no_other_is_at_hand) {
    KeyQueue queue;
    queue.add(make_row(1, "at hand"), never);
    queue.keep(row_that_left(100'000));
    BOOST_TEST(queue.new_row()->row.capacity() < 1'000u);
    queue.keep(row_that_left(1'000));
    taken(queue);
    queue.keep(queue.finish(1));
    BOOST_TEST(queue.new_row()->row.capacity() < 1'000u);
}

BOOST_AUTO_TEST_SUITE_END()
