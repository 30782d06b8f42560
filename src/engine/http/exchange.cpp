#include "engine/http/exchange.h"

#include "engine/http/curl_transport.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace reverse_etl {

namespace {

constexpr std::size_t max_header_bytes = 256 << 10;
/// Room for a usual answer to a batch, so that it is read in one go: measured, that is a third of the time.
constexpr long receive_buffer_bytes = 64 << 10;

template <typename Value>
void set_option(CURL *handle, CURLoption option, Value value) {
    const CURLcode result = curl_easy_setopt(handle, option, value);
    if (result == CURLE_OUT_OF_MEMORY)
        throw std::bad_alloc();
    if (result != CURLE_OK)
        throw std::runtime_error(std::string("libcurl does not take an option: ") + curl_easy_strerror(result));
}

template <typename Value>
Value info(CURL *handle, CURLINFO name) {
    Value value{};
    curl_easy_getinfo(handle, name, &value);
    return value;
}

/// libcurl takes 0 for "its own default" and "no limit", and we have neither.
long timeout_ms(Milliseconds timeout) {
    return static_cast<long>(std::max<Milliseconds::rep>(timeout.count(), 1));
}

/// Why a request must not even be given to libcurl, which would send what ends a header early; empty: it may.
std::string_view fault_of(const Request &request) {
    if (!is_token(request.method))
        return "the method is not an HTTP method";
    if (breaks_a_header(request.url))
        return "the URL contains a line break or a NUL";
    for (const auto &[name, value] : request.headers) {
        if (!is_token(name))
            return "the name of a request header is not valid";
        if (breaks_a_header(value))
            return "the value of a request header contains a line break or a NUL";
    }
    return {};
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
    return result;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string part(CURLU *url, CURLUPart name, unsigned flags) {
    char *text = nullptr;
    if (curl_url_get(url, name, &text, flags) != CURLUE_OK)
        return {};
    std::string result(text);
    curl_free(text);
    return result;
}

/// "host:port" of a URL: all of it that may be shown, since its path, query and user info can hold secrets.
std::string host_and_port(const char *address) {
    CURLU *url = curl_url();
    std::string result;
    if (url && address && curl_url_set(url, CURLUPART_URL, address, 0) == CURLUE_OK)
        result = part(url, CURLUPART_HOST, 0) + ":" + part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    curl_url_cleanup(url);
    return result;
}

} // namespace

Exchange::Exchange() : handle_(curl_easy_init()) {
    if (!handle_)
        throw std::runtime_error("libcurl is out of resources");
}

Exchange::~Exchange() {
    curl_easy_cleanup(handle_);
    curl_slist_free_all(header_list_);
}

Exchange *Exchange::of(CURL *handle) {
    return reinterpret_cast<Exchange *>(info<char *>(handle, CURLINFO_PRIVATE));
}

std::optional<Response> Exchange::prepare(ExchangeId id, const Request &request) {
    curl_easy_reset(handle_);
    curl_slist_free_all(std::exchange(header_list_, nullptr));
    id_ = id;
    response_ = {};
    header_bytes_ = 0;
    body_bytes_ = request.body.size();
    too_large_ = false;
    size_before_ = 0;
    about_to_send_ = false;
    sent_before_ = false;
    was_kept_ = false;
    broke_while_kept_ = false;
    error_[0] = '\0';

    if (const std::string_view fault = fault_of(request); !fault.empty()) {
        Response refusal;
        refusal.failure = Failure::unusable;
        refusal.failure_text = fault;
        return refusal;
    }
    set_options(request);
    set_method(request);
    set_headers(request);
    return std::nullopt;
}

void Exchange::set_options(const Request &request) {
    set_option(handle_, CURLOPT_PRIVATE, this);
    set_option(handle_, CURLOPT_ERRORBUFFER, error_);
    set_option(handle_, CURLOPT_HEADERFUNCTION, &on_header);
    set_option(handle_, CURLOPT_HEADERDATA, this);
    set_option(handle_, CURLOPT_WRITEFUNCTION, &on_body);
    set_option(handle_, CURLOPT_WRITEDATA, this);
    set_option(handle_, CURLOPT_PREREQFUNCTION, &on_send);
    set_option(handle_, CURLOPT_PREREQDATA, this);

    set_option(handle_, CURLOPT_URL, request.url.c_str());
    set_option(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
    set_option(handle_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set_option(handle_, CURLOPT_FOLLOWLOCATION, 0L);
    set_option(handle_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

    set_option(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set_option(handle_, CURLOPT_PIPEWAIT, request.url.starts_with("https:") ? 1L : 0L);
    set_option(handle_, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(handle_, CURLOPT_TCP_NODELAY, 1L);
    // Refused where the handle still has the buffer of its last exchange, as over HTTP/2: that one serves as well.
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
    // All that libcurl can decompress; but who says what they take wants it as it is.
    if (!has_header(request.headers, "Accept-Encoding"))
        set_option(handle_, CURLOPT_ACCEPT_ENCODING, "");
    set_option(handle_, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(CurlTransport::max_response_bytes));

    set_option(handle_, CURLOPT_SSL_VERIFYPEER, 1L);
    set_option(handle_, CURLOPT_SSL_VERIFYHOST, 2L);
    set_option(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!request.ca_file.empty()) {
        set_option(handle_, CURLOPT_CAINFO, request.ca_file.c_str());
        set_option(handle_, CURLOPT_CAPATH, nullptr); // the system's folder would be trusted as well
    }
    if (request.client_certificate != nullptr)
        set_identity(*request.client_certificate);
    if (!request.proxy.empty())
        set_proxy(request);

    set_option(handle_, CURLOPT_NOSIGNAL, 1L);
    set_option(handle_, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms(request.connect_timeout));
    set_option(handle_, CURLOPT_TIMEOUT_MS, timeout_ms(request.timeout));
    // Without it, a cancel or a timeout waits until the system's resolver has given up, for half a minute.
    set_option(handle_, CURLOPT_QUICK_EXIT, 1L);
}

void Exchange::set_identity(const ClientCertificate &certificate) {
    const auto set = [this](CURLoption option, const std::string &pem) {
        curl_blob blob{const_cast<char *>(pem.data()), pem.size(), CURL_BLOB_COPY};
        set_option(handle_, option, &blob);
    };
    set(CURLOPT_SSLCERT_BLOB, certificate.certificate);
    set(CURLOPT_SSLKEY_BLOB, certificate.key);
}

/// It holds whatever the environment says of proxies, and of hosts that need none.
void Exchange::set_proxy(const Request &request) {
    set_option(handle_, CURLOPT_PROXY, request.proxy == "none" ? "" : request.proxy.c_str());
    set_option(handle_, CURLOPT_NOPROXY, "");
    if (!request.ca_file.empty()) {
        set_option(handle_, CURLOPT_PROXY_CAINFO, request.ca_file.c_str());
        set_option(handle_, CURLOPT_PROXY_CAPATH, nullptr);
    }
}

void Exchange::set_method(const Request &request) {
    const std::string &method = request.method;
    const bool sends_body = !request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
    if (sends_body) {
        // A null pointer would ask libcurl to call a read function.
        set_option(handle_, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
        set_option(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    } else if (method == "HEAD") {
        set_option(handle_, CURLOPT_NOBODY, 1L);
    }
    if (method != (sends_body ? "POST" : "GET"))
        set_option(handle_, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Exchange::set_headers(const Request &request) {
    const auto add = [this](const char *line) {
        curl_slist *list = curl_slist_append(header_list_, line);
        if (!list)
            throw std::bad_alloc();
        header_list_ = list;
    };
    // "Name:" keeps libcurl from adding a header of its own; "Name;" sends an empty one.
    if (!has_header(request.headers, "User-Agent"))
        add("User-Agent: reverse_etl/0.1.0");
    add("Expect:");
    std::string line;
    for (const auto &[name, value] : request.headers) {
        line.assign(name).append(value.empty() ? ";" : ": ").append(value);
        add(line.c_str());
    }
    if (!has_header(request.headers, "Content-Type"))
        add("Content-Type:");
    set_option(handle_, CURLOPT_HTTPHEADER, header_list_);
}

/// libcurl is about to send the request. On a kept connection that breaks before any answer it would send it once
/// more by itself, and a record could be created twice: whether to repeat is for the caller to say.
int Exchange::on_send(void *self, char *, char *, int, int) noexcept {
    auto &exchange = *static_cast<Exchange *>(self);
    exchange.sent_before_ = exchange.has_sent();
    if (!exchange.about_to_send_) {
        exchange.size_before_ = info<long>(exchange.handle_, CURLINFO_REQUEST_SIZE);
        exchange.was_kept_ = info<long>(exchange.handle_, CURLINFO_NUM_CONNECTS) == 0;
    }
    exchange.about_to_send_ = true;
    return exchange.sent_before_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/// Whether anything of the request itself has left: what asks a proxy for a tunnel is none of it.
bool Exchange::has_sent() const {
    return about_to_send_ && info<long>(handle_, CURLINFO_REQUEST_SIZE) > size_before_;
}

/// Whether a kept connection broke on which the request was sent: libcurl then goes for another, to send it once more,
/// and what it says is about that one.
bool Exchange::broke_while_kept(CURLcode result) const {
    if (sent_before_)
        return true;
    static constexpr CURLcode breaks[] = {CURLE_COULDNT_CONNECT,
                                          CURLE_COULDNT_RESOLVE_HOST,
                                          CURLE_COULDNT_RESOLVE_PROXY,
                                          CURLE_SSL_CONNECT_ERROR,
                                          CURLE_PEER_FAILED_VERIFICATION,
                                          CURLE_RECV_ERROR,
                                          CURLE_SEND_ERROR,
                                          CURLE_GOT_NOTHING};
    return was_kept_ && has_sent() && header_bytes_ == 0 && !is_refused_by_tls() &&
           std::find(std::begin(breaks), std::end(breaks), result) != std::end(breaks);
}

std::size_t Exchange::on_header(char *data, std::size_t size, std::size_t count, void *self) noexcept try {
    auto &exchange = *static_cast<Exchange *>(self);
    const std::size_t bytes = size * count;
    exchange.header_bytes_ += bytes;
    if (exchange.header_bytes_ > max_header_bytes) {
        exchange.too_large_ = true;
        return 0;
    }
    exchange.take_header(std::string_view(data, bytes));
    return bytes;
} catch (...) {
    return 0;
}

void Exchange::take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) { // an interim answer (1xx) came before: only the final one counts
        response_.headers.clear();
        return;
    }
    const auto colon = line.find(':');
    if (colon != line.npos)
        response_.headers.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
}

std::size_t Exchange::on_body(char *data, std::size_t size, std::size_t count, void *self) noexcept try {
    auto &exchange = *static_cast<Exchange *>(self);
    const std::size_t bytes = size * count;
    if (exchange.response_.body.size() + bytes > CurlTransport::max_response_bytes) {
        exchange.too_large_ = true;
        return 0;
    }
    exchange.response_.body.append(data, bytes);
    return bytes;
} catch (...) {
    return 0;
}

Response Exchange::finish(CURLcode result) {
    place_.reset();
    broke_while_kept_ = broke_while_kept(result);
    const Traffic traffic = this->traffic();
    Response answer = std::move(response_);
    answer.status = info<long>(handle_, CURLINFO_RESPONSE_CODE);
    answer.traffic = traffic;
    Response failed;
    failed.failure = classify(result);
    failed.traffic = traffic;
    if (failed.failure == Failure::none)
        return answer;
    failed.failure_text = describe(result);
    return failed;
}

Traffic Exchange::traffic() const {
    const auto number = [this](CURLINFO name) { return static_cast<std::uint64_t>(info<curl_off_t>(handle_, name)); };
    Traffic traffic;
    traffic.time = std::chrono::microseconds(number(CURLINFO_TOTAL_TIME_T));
    // Of a kept connection that broke libcurl tells nothing any more, but of the next one, on which nothing was sent.
    traffic.bytes_sent = broke_while_kept_ ? body_bytes_ : number(CURLINFO_SIZE_UPLOAD_T);
    traffic.bytes_received = number(CURLINFO_SIZE_DOWNLOAD_T);
    traffic.bytes_uncompressed = response_.body.size();
    // libcurl counts attempts to connect too.
    const bool attempted = info<long>(handle_, CURLINFO_NUM_CONNECTS) > 0 && !broke_while_kept_;
    traffic.opened_connection = attempted && number(CURLINFO_CONNECT_TIME_T) > 0;
    traffic.reused_connection = !attempted && info<long>(handle_, CURLINFO_REQUEST_SIZE) > 0;
    return traffic;
}

/// Whether the server refused the client certificate, or the lack of one. In TLS 1.3 that is told when the request has
/// left already, to a server that does not look at it.
bool Exchange::is_refused_by_tls() const {
    const std::string_view error = error_;
    if (error.find(" alert ") == error.npos)
        return false;
    for (const char *what : {"certificate", "unknown ca", "access denied"})
        if (error.find(what, error.find(" alert ")) != error.npos)
            return true;
    return false;
}

Failure Exchange::classify(CURLcode result) const {
    if (result == CURLE_OK)
        return Failure::none;
    if (too_large_ || result == CURLE_FILESIZE_EXCEEDED)
        return Failure::too_large;
    if (is_refused_by_tls())
        return Failure::not_trusted;
    // Whatever then went wrong, such as a second connection after the first one broke.
    if (has_sent())
        return Failure::interrupted;

    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return Failure::unknown_host;
    case CURLE_SSL_CONNECT_ERROR:
        // TLS itself names a reason, or else the connection broke in the handshake.
        return std::string_view(error_).find("SSL routines") != std::string_view::npos ? Failure::not_trusted
                                                                                       : Failure::not_connected;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return Failure::not_trusted;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_LOGIN_DENIED: // the URL holds a user name or a password
        return Failure::unusable;
    default:
        return Failure::not_connected;
    }
}

std::string Exchange::describe(CURLcode result) const {
    std::string text = error_[0] ? error_ : curl_easy_strerror(result);
    if (too_large_ || result == CURLE_FILESIZE_EXCEEDED)
        text = "the answer is larger than this extension accepts";
    else if (broke_while_kept_)
        text = "the kept connection broke before an answer came";
    else if (result == CURLE_LOGIN_DENIED)
        text = "the URL holds a user name or a password";

    const std::string where = host_and_port(info<char *>(handle_, CURLINFO_EFFECTIVE_URL));
    if (!where.empty())
        text.append(" (").append(where).append(")");
    // It may quote a certificate, in whatever encoding.
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

const std::string *Response::header(std::string_view name) const {
    for (const auto &[key, value] : headers) {
        if (key == name)
            return &value;
    }
    return nullptr;
}

} // namespace reverse_etl
