#pragma once

#include "engine/http/curl_transport.h"
#include "engine/limits/rate_limiter.h"
#include "engine/requests/authenticator.h"
#include "engine/requests/dispatcher.h"

#include "connector_fixture.h"
#include "loopback_server.h"
#include "poll_waiter.h"
#include "process_like_a_backend.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace reverse_etl {

/// A destination on loopback: it notes each request, then answers as a test tells it to. The script is called for one
/// request at a time.
class ScriptedDestination {
  public:
    using Script = std::function<void(const Received &, LoopbackServer::Connection &)>;

    explicit ScriptedDestination(Script script)
        : script_(std::move(script)), server_([this](const Received &request, LoopbackServer::Connection &connection) {
              const std::lock_guard guard(mutex_);
              received_.push_back(request);
              script_(Received(received_.back()), connection);
          }) {}

    std::string url() const { return server_.url(""); }

    std::vector<Received> received() const {
        const std::lock_guard guard(mutex_);
        return received_;
    }

    /// How many requests came to a path.
    std::size_t count(std::string_view path) const {
        const auto all = received();
        return std::count_if(all.begin(), all.end(), [&](const Received &one) { return one.target.starts_with(path); });
    }

  private:
    mutable std::mutex mutex_;
    std::vector<Received> received_;
    Script script_;
    LoopbackServer server_;
};

/// Short pauses, so that tests are.
inline Policy quick() {
    Policy policy;
    policy.backoff_base = Milliseconds(2);
    policy.backoff_cap = Milliseconds(20);
    policy.timeout = std::chrono::seconds(10);
    policy.account = "test";
    return policy;
}

inline Settings at(const std::string &url) {
    return {{"base_url", url}};
}

/// All that one operation needs to speak with a destination.
struct Line {
    Line(const Connector &connector, const std::string &object, OperationKind kind,
         const std::vector<std::string> &written, const std::string &key, Settings settings,
         const Settings &credentials = {}, Policy chosen = quick(), const std::vector<std::string> &asked_for = {})
        : bound(connector, object, kind, written, key, settings, asked_for), policy(std::move(chosen)),
          authenticator(bound.object.auth, credentials),
          dispatcher(bound.operation, transport, waiter, limiter, authenticator, policy) {}

    const BoundOperation bound;
    const Policy policy;
    PollWaiter waiter;
    RateLimiter limiter;
    Authenticator authenticator;
    CurlTransport transport;
    Dispatcher dispatcher;
};

/// A job of rows that have the numbers from `first` to `last`.
inline std::unique_ptr<Job> job(const CompiledOperation &operation, std::uint64_t first, std::uint64_t last = 0) {
    Batch batch(operation.frame());
    for (std::uint64_t number = first; number <= std::max(first, last); number++)
        add_row(batch, operation, number, {"row " + std::to_string(number)});
    return std::make_unique<Job>(std::move(batch));
}

} // namespace reverse_etl
