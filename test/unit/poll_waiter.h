#pragma once

#include "engine/http/waiter.h"

#include <poll.h>

namespace reverse_etl {

/// Waits as a plain program does.
class PollWaiter : public Waiter {
  public:
    bool wait(int fd, long timeout_ms) override {
        pollfd poll_fd{fd, POLLIN, 0};
        poll(&poll_fd, 1, static_cast<int>(timeout_ms));
        return false;
    }
};

} // namespace reverse_etl
