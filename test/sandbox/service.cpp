#include "service.h"

#include "router.h"
#include "text.h"

namespace reverse_etl::sandbox {

namespace {

void run(World &world, const Connector &connector, Request &request, Answer &answer) {
    const Route *route = route_of(connector, request);
    if (!route)
        connector.not_found(request, answer);
    else if (route->open || connector.authorize(world, request, answer))
        route->handle(world, request, answer);
}

void compress(const Request &request, Answer &answer) {
    if (answer.body.empty() || request.header("Accept-Encoding").find("gzip") == std::string_view::npos)
        return;
    answer.body = gzip_compressed(answer.body);
    answer.headers.push_back({"Content-Encoding", "gzip"});
}

void write_answer(const FaultRule &rule, const Request &request, Answer &answer) {
    static constexpr std::string_view name = "{authorization}";
    answer.status = rule.answer_status;
    answer.content_type = rule.answer_type;
    answer.body = rule.answer;
    for (std::size_t at = answer.body.find(name); at != answer.body.npos; at = answer.body.find(name, at))
        answer.body.replace(at, name.size(), request.header("Authorization"));
}

void write_html(int status, Answer &answer) {
    answer.clear();
    answer.status = status;
    answer.content_type = "text/html; charset=utf-8";
    answer.body =
        "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n";
}

void write_gzip_bomb(Answer &answer) {
    answer.clear();
    answer.headers.push_back({"Content-Encoding", "gzip"});
    answer.body = gzip_bomb();
}

void write_redirect(const FaultRule &rule, Answer &answer) {
    answer.clear();
    answer.status = 302;
    answer.headers.push_back({"Location", rule.redirect_to});
}

void count_last_second(Stats &stats) {
    auto now = std::chrono::steady_clock::now();
    stats.last_second.push_back(now);
    while (stats.last_second.front() <= now - std::chrono::seconds(1))
        stats.last_second.pop_front();
    stats.in_a_second_max = std::max<std::uint64_t>(stats.in_a_second_max, stats.last_second.size());
}

} // namespace

bool Service::begin(std::string_view target, bool first) {
    if (target.starts_with(control.prefix))
        return false;
    std::lock_guard guard(lock_);
    Stats &stats = world_.stats;
    ++stats.requests;
    stats.connections += first;
    stats.open_connections += first;
    stats.in_flight_max = std::max(stats.in_flight_max, ++stats.in_flight);
    count_last_second(stats);
    return true;
}

void Service::end() {
    std::lock_guard guard(lock_);
    --world_.stats.in_flight;
}

void Service::closed() {
    std::lock_guard guard(lock_);
    --world_.stats.open_connections;
}

Delivery Service::serve(Request &request, Answer &answer) {
    std::lock_guard guard(lock_);
    request.received_us = now_us();
    request.now_ms = request.received_us / 1000;
    answer.clear();
    if (request.path.starts_with(control.prefix)) {
        run(world_, control, request, answer);
        return {};
    }
    world_.stats.bytes += request.body.size();
    world_.stats.last_us = request.received_us;
    Delivery delivery = answer_as_vendor(request, answer);
    ++world_.stats.status[answer.status];
    world_.recorder.add(request, answer);
    if (world_.faults.gzip && delivery.how == Delivery::How::whole)
        compress(request, answer);
    return delivery;
}

Delivery Service::answer_as_vendor(Request &request, Answer &answer) {
    const Connector *connector = connector_of(request.path);
    if (!connector) {
        answer.set(404, R"({"error":"no stand-in has this path"})");
        return {};
    }
    FaultRule rule;
    Fault fault = world_.faults.draw(request.target, request.body, rule);
    Delivery delivery;
    delivery.latency_ms = rule.latency_ms;
    auto fail = [&](Failure failure) {
        connector->fail(failure, rule, request.now_ms, answer);
        connector->finish(world_, answer);
    };
    auto apply = [&] {
        run(world_, *connector, request, answer);
        connector->finish(world_, answer);
    };
    switch (fault) {
    case Fault::none:
        apply();
        break;
    case Fault::too_many:
        fail(Failure::rate_limited);
        break;
    case Fault::unavailable:
        fail(Failure::unavailable);
        break;
    case Fault::broken:
        fail(Failure::broken);
        break;
    case Fault::reset:
        if (rule.reset_after_apply)
            apply();
        delivery.how = Delivery::How::reset;
        break;
    case Fault::truncate:
        apply();
        delivery.how = Delivery::How::truncated;
        break;
    case Fault::stall:
        delivery.how = Delivery::How::stalled;
        break;
    case Fault::huge:
        delivery.how = Delivery::How::huge;
        delivery.huge_bytes = rule.huge_bytes;
        break;
    case Fault::html:
        if (rule.html_after_apply)
            apply();
        write_html(rule.html_status, answer);
        break;
    case Fault::gzip_bomb:
        write_gzip_bomb(answer);
        break;
    case Fault::redirect:
        write_redirect(rule, answer);
        break;
    case Fault::answer:
        write_answer(rule, request, answer);
        break;
    }
    return delivery;
}

} // namespace reverse_etl::sandbox
