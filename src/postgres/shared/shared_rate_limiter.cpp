#include "postgres/shared/shared_rate_limiter.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"

#include <type_traits>

extern "C" {
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
}

namespace reverse_etl {

namespace {

/// A bucket stands in one of the places of its row, so that looking for it looks at few. A row is full only if so many
/// buckets of it are in use at once.
constexpr std::size_t rows = 64, places = 16;

struct Table {
    LimitBucket buckets[rows][places];
};
static_assert(std::is_trivially_copyable_v<LimitBucket>, "it stands in shared memory, made of zeros");

class SharedRateLimiter : public RateLimiter {
  protected:
    /// One that finds no place in shared memory is kept by the process alone, until it is not used any more.
    LimitBucket &bucket(const BucketKey &key, Clock::time_point now) override {
        if (has_own(key))
            return RateLimiter::bucket(key, now);
        LimitBucket *spare = nullptr;
        for (LimitBucket &candidate : table().buckets[key[0] % rows]) {
            if (candidate.key() == key) {
                candidate.touch(now);
                return candidate;
            }
            if (spare == nullptr && candidate.unused(now))
                spare = &candidate;
        }
        if (spare == nullptr)
            return RateLimiter::bucket(key, now);
        spare->begin(key);
        spare->touch(now);
        return *spare;
    }

    // Neither raises: what is done in between is short, and calls nothing of Postgres but SetLatch.
    void lock() override { LWLockAcquire(rate_limits_part.lock, LW_EXCLUSIVE); }
    void unlock() override { LWLockRelease(rate_limits_part.lock); }

    int self() const override { return compat::proc_number() + 1; }
    void wake(int process) override { SetLatch(&GetPGProcByNumber(process - 1)->procLatch); }

  private:
    static Table &table() { return *static_cast<Table *>(rate_limits_part.address); }
};

/// Runs at the end of every process that asked for a permission, also after FATAL. A process that ends otherwise takes
/// shared memory with it: Postgres makes it anew.
void give_back_all(int, Datum limiter) {
    static_cast<RateLimiter *>(static_cast<void *>(DatumGetPointer(limiter)))->give_back_all(Clock::now());
}

RateLimiter *make() {
    if (rate_limits_part.address == nullptr)
        return new RateLimiter;
    RateLimiter *shared = new SharedRateLimiter;
    pg_call([&] { before_shmem_exit(give_back_all, PointerGetDatum(shared)); });
    return shared;
}

} // namespace

shared_memory::Part rate_limits_part = {"reverse_etl rate limits", sizeof(Table)};

RateLimiter &rate_limiter_of_process() {
    // Never destroyed: requests that are dropped when the process ends still name it.
    static RateLimiter &instance = *make();
    return instance;
}

} // namespace reverse_etl
