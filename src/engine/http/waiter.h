#pragma once

namespace reverse_etl {

/// Where the engine waits. The engine itself never blocks: in the server waiting belongs to Postgres (a WaitEventSet,
/// interrupts served), in the unit tests it is poll().
class Waiter {
  public:
    virtual ~Waiter() = default;

    /// Returns when fd (an epoll instance) is readable, when timeout_ms milliseconds are over (-1: no limit), or
    /// earlier for no reason. Whether whoever waits is wanted elsewhere, and should look before it waits again. Throws
    /// when the statement was cancelled; whatever is in flight is then abandoned.
    virtual bool wait(int fd, long timeout_ms) = 0;
};

} // namespace reverse_etl
