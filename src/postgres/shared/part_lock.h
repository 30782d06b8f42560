#pragma once

#include "postgres/shared/shared_memory.h"

namespace reverse_etl::shared_memory {

/// Has a part to itself while it lives. Nothing that raises may be called meanwhile.
class PartLock {
  public:
    explicit PartLock(const Part &part) : lock_(part.lock) { LWLockAcquire(lock_, LW_EXCLUSIVE); }
    ~PartLock() { LWLockRelease(lock_); }
    PartLock(const PartLock &) = delete;
    PartLock &operator=(const PartLock &) = delete;

  private:
    LWLock *lock_;
};

} // namespace reverse_etl::shared_memory
