#pragma once

#include "engine/http/client_certificate.h"
#include "engine/http/waiter.h"
#include "engine/text/headers.h"
#include "engine/world/clock.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// One HTTP exchange to make. `body` is not copied: it must stay alive and unchanged until the exchange has ended.
struct Request {
    std::string method;
    std::string url;
    Headers headers;
    std::string_view body;
    /// A file with the authorities to trust, in place of the system's; empty: the system's.
    std::string ca_file;
    std::shared_ptr<const ClientCertificate> client_certificate; ///< nullptr: none is shown
    /// A proxy's URL, or "none"; empty: what the environment of the process says.
    std::string proxy;
    Milliseconds connect_timeout{10000};
    Milliseconds timeout{60000};
    /// Let go of when the exchange has ended or was dropped, for whoever counts those under way.
    std::shared_ptr<const void> place;
};

enum class Failure {
    none,          ///< an answer came
    unknown_host,  ///< the name does not resolve
    not_connected, ///< no connection: the request surely never arrived
    not_trusted,   ///< a certificate or the TLS handshake was refused: the request surely was not looked at
    interrupted,   ///< the connection broke or timed out: the request may have arrived
    too_large,     ///< the answer, once decompressed, passed the cap
    unusable,      ///< the request cannot be made: bad URL, unsupported protocol
};

/// What an exchange took, however it ended. Bytes are those of bodies.
struct Traffic {
    std::chrono::microseconds time{};
    std::uint64_t bytes_sent = 0;         ///< as they travelled
    std::uint64_t bytes_received = 0;     ///< as they travelled
    std::uint64_t bytes_uncompressed = 0; ///< what was received, once decompressed
    bool opened_connection = false;
    bool reused_connection = false;
};

/// How an exchange ended.
struct Response {
    Failure failure = Failure::none;
    std::string failure_text; ///< libcurl's words, without the URL's query and without any header
    long status = 0;
    Headers headers; ///< of the final answer, names in lower case
    std::string body;
    Traffic traffic;

    /// The value of a header, or nullptr. The name must be in lower case.
    const std::string *header(std::string_view name) const;
};

using ExchangeId = std::uint64_t;

struct Finished {
    ExchangeId id;
    Response response;
};

/// Exchanges in flight. It never sends a request twice by itself: where a kept connection breaks before an answer, the
/// exchange ends as interrupted, and whether to repeat it is for the caller to decide.
class Transport {
  public:
    virtual ~Transport() = default;

    /// Starts an exchange. Never blocks; throws std::runtime_error when there are no resources left for it.
    virtual ExchangeId start(const Request &request) = 0;

    /// Drops an exchange: its connection is closed, nothing of the request is touched again.
    virtual void cancel(ExchangeId id) = 0;

    /// Makes progress, waiting at most until the deadline for something to happen, or until the waiter is wanted
    /// elsewhere. Appends what ended.
    virtual void run(Waiter &waiter, Clock::time_point deadline, std::vector<Finished> &finished) = 0;

    /// Takes back what ended but was somebody else's: the next run() appends it again.
    virtual void give_back(std::vector<Finished> finished) = 0;
};

} // namespace reverse_etl
