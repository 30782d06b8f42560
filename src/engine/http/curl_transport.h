#pragma once

#include "engine/http/transport.h"

#include <cstddef>
#include <memory>

namespace reverse_etl {

/// Exchanges over libcurl's multi interface: keep-alive, HTTP/2 over TLS, certificates checked, redirects never
/// followed, credentials only in the headers it is given. One lives as long as the process, so connections are kept
/// across statements. Not thread-safe. The process must ignore SIGPIPE, as every Postgres backend does.
class CurlTransport final : public Transport {
  public:
    /// The most that an answer may hold once decompressed, in bytes.
    static constexpr std::size_t max_response_bytes = 64 << 20;

    CurlTransport();
    ~CurlTransport() override;
    CurlTransport(const CurlTransport &) = delete;
    CurlTransport &operator=(const CurlTransport &) = delete;

    ExchangeId start(const Request &request) override;
    void cancel(ExchangeId id) override;
    void run(Waiter &waiter, Clock::time_point deadline, std::vector<Finished> &finished) override;
    void give_back(std::vector<Finished> finished) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace reverse_etl
