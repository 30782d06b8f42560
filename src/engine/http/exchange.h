#pragma once

#include "engine/http/transport.h"

#include <curl/curl.h>

#include <optional>

namespace reverse_etl {

/// One HTTP exchange on one of libcurl's easy handles: what is asked of libcurl, what comes back, and what a failure
/// means. Its Transport uses it again and again; it must not move, since libcurl keeps pointers into it.
class Exchange {
  public:
    Exchange();
    ~Exchange();
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    /// Sets the handle up for a request. Where the request must not be made, that is the answer at once.
    std::optional<Response> prepare(ExchangeId id, const Request &request);

    /// Held until the exchange has ended.
    void take_place(std::shared_ptr<const void> place) { place_ = std::move(place); }

    /// The answer, once libcurl is done with the handle. To be called once.
    Response finish(CURLcode result);

    CURL *handle() const { return handle_; }
    ExchangeId id() const { return id_; }

    static Exchange *of(CURL *handle);

  private:
    static std::size_t on_header(char *data, std::size_t size, std::size_t count, void *self) noexcept;
    static std::size_t on_body(char *data, std::size_t size, std::size_t count, void *self) noexcept;
    static int on_send(void *self, char *, char *, int, int) noexcept;

    void set_options(const Request &request);
    void set_identity(const ClientCertificate &certificate);
    void set_proxy(const Request &request);
    void set_method(const Request &request);
    void set_headers(const Request &request);
    void take_header(std::string_view line);
    Traffic traffic() const;
    bool has_sent() const;
    bool broke_while_kept(CURLcode result) const;
    bool is_refused_by_tls() const;
    Failure classify(CURLcode result) const;
    std::string describe(CURLcode result) const;

    CURL *handle_;
    curl_slist *header_list_ = nullptr;
    ExchangeId id_ = 0;
    std::shared_ptr<const void> place_;
    Response response_;
    std::size_t header_bytes_ = 0;
    std::size_t body_bytes_ = 0; ///< of the request
    bool too_large_ = false;
    long size_before_ = 0; ///< what libcurl had sent, to a proxy, when it was about to send the request
    bool about_to_send_ = false;
    bool sent_before_ = false;
    bool was_kept_ = false; ///< the connection on which the request was sent
    bool broke_while_kept_ = false;
    char error_[CURL_ERROR_SIZE] = "";
};

} // namespace reverse_etl
