#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A hash map from numbers in one flat table: a look-up is one read of memory mostly, and nothing is allocated for each
/// entry, which is what a row's way through a queue would spend most on. Pointers to values hold until the next change.
template <class Value>
class NumberMap {
  public:
    std::size_t size() const { return size_; }

    Value *find(std::uint64_t number) {
        Slot *slot = slot_of(number);
        return slot != nullptr ? &slot->value : nullptr;
    }
    const Value *find(std::uint64_t number) const { return const_cast<NumberMap *>(this)->find(number); }
    bool contains(std::uint64_t number) const { return find(number) != nullptr; }

    /// The number's value, new and `true` if it was not there.
    std::pair<Value *, bool> insert(std::uint64_t number) {
        if (Slot *slot = slot_of(number))
            return {&slot->value, false};
        if (2 * (size_ + 1) > slots_.size())
            grow();
        Slot &slot = slots_[free_from(number)];
        slot = {number, true, {}};
        size_++;
        return {&slot.value, true};
    }

    /// Removes a number that is there; its value.
    Value extract(std::uint64_t number) {
        std::size_t hole = static_cast<std::size_t>(slot_of(number) - slots_.data());
        Value value = std::move(slots_[hole].value);
        // What was moved on for want of room comes back, so that no search ends at the hole.
        for (std::size_t next = after(hole); slots_[next].used; next = after(next))
            if (distance(home(slots_[next].number), next) >= distance(hole, next)) {
                slots_[hole] = std::move(slots_[next]);
                hole = next;
            }
        slots_[hole] = {};
        size_--;
        release();
        return value;
    }

    void clear() {
        if (size_ == 0)
            return;
        for (Slot &slot : slots_)
            slot = {};
        size_ = 0;
        release();
    }

  private:
    struct Slot {
        std::uint64_t number = 0;
        bool used = false;
        Value value{};
    };
    static constexpr std::size_t least = 64, most_kept = 1 << 14;

    /// The upper bits of a product: those that all bits of the number have reached.
    std::size_t home(std::uint64_t number) const {
        return static_cast<std::size_t>((number * 0x9e3779b97f4a7c15U) >> 32) & (slots_.size() - 1);
    }
    std::size_t after(std::size_t place) const { return (place + 1) & (slots_.size() - 1); }
    std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & (slots_.size() - 1); }

    std::size_t free_from(std::uint64_t number) const {
        std::size_t place = home(number);
        while (slots_[place].used)
            place = after(place);
        return place;
    }

    Slot *slot_of(std::uint64_t number) {
        if (size_ == 0)
            return nullptr;
        for (std::size_t place = home(number); slots_[place].used; place = after(place))
            if (slots_[place].number == number)
                return &slots_[place];
        return nullptr;
    }

    void grow() {
        std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? least : 2 * slots_.size()));
        for (Slot &slot : before)
            if (slot.used)
                slots_[free_from(slot.number)] = std::move(slot);
    }

    /// What held very many leaves nothing behind.
    void release() {
        if (size_ == 0 && slots_.size() > most_kept)
            slots_ = std::vector<Slot>();
    }

    std::vector<Slot> slots_; ///< a power of two of them, half of them free at least
    std::size_t size_ = 0;
};

/// A set of numbers, likewise. Those that lie close together, as the numbers of rows do, share an entry.
class NumberSet {
  public:
    bool contains(std::uint64_t number) const {
        const std::uint64_t *entry = entries_.find(number / side_by_side);
        return entry != nullptr && (*entry & bit_of(number)) != 0;
    }
    void insert(std::uint64_t number) {
        std::uint64_t &entry = *entries_.insert(number / side_by_side).first;
        size_ += (entry & bit_of(number)) == 0 ? 1 : 0;
        entry |= bit_of(number);
    }
    void erase(std::uint64_t number) {
        if (!contains(number))
            return;
        size_--;
        std::uint64_t &entry = *entries_.find(number / side_by_side);
        entry &= ~bit_of(number);
        if (entry == 0)
            entries_.extract(number / side_by_side);
    }
    std::size_t size() const { return size_; }
    void clear() {
        entries_.clear();
        size_ = 0;
    }

  private:
    static constexpr std::uint64_t side_by_side = 64;
    static std::uint64_t bit_of(std::uint64_t number) { return std::uint64_t{1} << number % side_by_side; }

    NumberMap<std::uint64_t> entries_; ///< a bit for each number
    std::size_t size_ = 0;
};

} // namespace reverse_etl
