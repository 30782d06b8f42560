#include "engine/http/curl_transport.h"

#include "engine/http/exchange.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace reverse_etl {

namespace {

constexpr long kept_connections = 64;

/// A request and its answer take buffers of some 100 kB and free them. By default glibc gives such memory back to the
/// system and gets it again, zeroed, for the next one: measured, that is up to 80% of the time of an exchange.
void keep_freed_memory() {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    mallopt(M_MMAP_THRESHOLD, 2 << 20);
#endif
}

void initialise_process() {
    static const CURLcode result = [] {
        keep_freed_memory();
        return curl_global_init(CURL_GLOBAL_DEFAULT);
    }();
    if (result != CURLE_OK)
        throw std::runtime_error(std::string("libcurl cannot be initialised: ") + curl_easy_strerror(result));
}

/// libcurl resolves names in threads that it starts. They inherit this mask, so that no signal is ever handled in
/// them: the process' handlers expect the one thread that the process had.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked &) = delete;
    SignalsBlocked &operator=(const SignalsBlocked &) = delete;

  private:
    sigset_t before_;
};

std::uint32_t epoll_events(int what) {
    std::uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EPOLLOUT;
    return events;
}

int curl_events(std::uint32_t events) {
    int what = 0;
    if (events & EPOLLIN)
        what |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        what |= CURL_CSELECT_ERR;
    return what;
}

/// Milliseconds to wait, rounded up: a wait that ends early would be repeated at once, in a busy loop.
long milliseconds_until(Clock::time_point when, Clock::time_point now) {
    if (when <= now)
        return 0;
    if (when - now > std::chrono::milliseconds(INT_MAX))
        return INT_MAX;
    return static_cast<long>(std::chrono::ceil<Milliseconds>(when - now).count());
}

} // namespace

struct CurlTransport::Impl {
    Impl();
    ~Impl();

    void progress();
    void reap(std::vector<Finished> &finished);
    std::unique_ptr<Exchange> take(ExchangeId id);

    static int on_socket(CURL *, curl_socket_t socket, int what, void *self, void *) noexcept;
    static int on_timer(CURLM *, long timeout_ms, void *self) noexcept;

    CURLM *multi = nullptr;
    int epoll = -1;
    std::optional<Clock::time_point> timer; ///< when libcurl wants to be called though no socket is ready
    ExchangeId last_id = 0;
    std::vector<std::unique_ptr<Exchange>> in_flight;
    std::vector<std::unique_ptr<Exchange>> idle;
    std::vector<Finished> ended; ///< before they began, or given back
};

CurlTransport::Impl::Impl() {
    initialise_process();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    multi = curl_multi_init();
    if (!multi) {
        close(epoll);
        throw std::runtime_error("libcurl is out of resources");
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept_connections);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
}

CurlTransport::Impl::~Impl() {
    while (!in_flight.empty())
        take(in_flight.back()->id());
    idle.clear();
    curl_multi_cleanup(multi);
    close(epoll);
}

int CurlTransport::Impl::on_socket(CURL *, curl_socket_t socket, int what, void *self, void *) noexcept {
    const int epoll = static_cast<Impl *>(self)->epoll;
    if (what == CURL_POLL_REMOVE) {
        // It fails where libcurl has closed the socket before it tells, which has removed it already.
        epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
        return 0;
    }
    epoll_event event{};
    event.events = epoll_events(what);
    event.data.fd = socket;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0)
        return 0;
    if (errno == EEXIST && epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) == 0)
        return 0;
    return -1;
}

int CurlTransport::Impl::on_timer(CURLM *, long timeout_ms, void *self) noexcept {
    auto &timer = static_cast<Impl *>(self)->timer;
    if (timeout_ms < 0)
        timer.reset();
    else
        timer = Clock::now() + Milliseconds(timeout_ms);
    return 0;
}

/// Lets libcurl do all that it can without waiting.
void CurlTransport::Impl::progress() {
    const SignalsBlocked blocked;
    int running = 0;
    std::array<epoll_event, 64> events;
    const int ready = epoll_wait(epoll, events.data(), events.size(), 0);
    for (int i = 0; i < ready; ++i)
        curl_multi_socket_action(multi, events[i].data.fd, curl_events(events[i].events), &running);
    if (timer && *timer <= Clock::now()) {
        timer.reset(); // libcurl sets the next one within the call
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

/// Appends what has ended.
void CurlTransport::Impl::reap(std::vector<Finished> &finished) {
    std::move(ended.begin(), ended.end(), std::back_inserter(finished));
    ended.clear();

    int left = 0;
    while (const CURLMsg *message = curl_multi_info_read(multi, &left)) {
        const CURLcode result = message->data.result; // the message is gone once its handle is removed
        auto exchange = take(Exchange::of(message->easy_handle)->id());
        finished.push_back({exchange->id(), exchange->finish(result)});
        idle.push_back(std::move(exchange));
    }
}

/// Takes an exchange away from libcurl; null when it is not in flight.
std::unique_ptr<Exchange> CurlTransport::Impl::take(ExchangeId id) {
    const auto found = std::find_if(in_flight.begin(), in_flight.end(), [id](const auto &e) { return e->id() == id; });
    if (found == in_flight.end())
        return nullptr;
    curl_multi_remove_handle(multi, (*found)->handle());
    std::swap(*found, in_flight.back());
    auto exchange = std::move(in_flight.back());
    in_flight.pop_back();
    return exchange;
}

CurlTransport::CurlTransport() : impl_(std::make_unique<Impl>()) {}

CurlTransport::~CurlTransport() = default;

ExchangeId CurlTransport::start(const Request &request) {
    Impl &impl = *impl_;
    if (impl.idle.empty())
        impl.idle.push_back(std::make_unique<Exchange>());
    Exchange &exchange = *impl.idle.back();
    const ExchangeId id = ++impl.last_id;

    if (auto refusal = exchange.prepare(id, request)) {
        impl.ended.push_back({id, std::move(*refusal)});
        return id;
    }
    impl.in_flight.reserve(impl.in_flight.size() + 1);
    if (const CURLMcode result = curl_multi_add_handle(impl.multi, exchange.handle()); result != CURLM_OK)
        throw std::runtime_error(curl_multi_strerror(result));
    exchange.take_place(request.place);
    impl.in_flight.push_back(std::move(impl.idle.back()));
    impl.idle.pop_back();
    return id;
}

void CurlTransport::cancel(ExchangeId id) {
    std::erase_if(impl_->ended, [id](const Finished &finished) { return finished.id == id; });
    impl_->take(id);
}

void CurlTransport::run(Waiter &waiter, Clock::time_point deadline, std::vector<Finished> &finished) {
    const std::size_t before = finished.size();
    for (;;) {
        impl_->progress();
        impl_->reap(finished);
        const auto now = Clock::now();
        if (finished.size() > before || now >= deadline)
            return;
        const auto until = impl_->timer ? std::min(deadline, *impl_->timer) : deadline;
        if (until > now && waiter.wait(impl_->epoll, milliseconds_until(until, now)))
            return;
    }
}

void CurlTransport::give_back(std::vector<Finished> finished) {
    std::move(finished.begin(), finished.end(), std::back_inserter(impl_->ended));
}

} // namespace reverse_etl
