#include "faults.h"

#include <stdexcept>
#include <zlib.h>

#include "json.h"
#include "text.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::size_t bomb_bytes = 200 << 20;

constexpr std::pair<std::string_view, Fault> probabilities[] = {
    {"p_429", Fault::too_many}, {"p_503", Fault::unavailable},   {"p_500", Fault::broken},
    {"p_reset", Fault::reset},  {"p_truncate", Fault::truncate}, {"p_stall", Fault::stall},
    {"p_huge", Fault::huge},    {"p_html", Fault::html},         {"p_gzip_bomb", Fault::gzip_bomb},
};

double number(std::string_view name, std::string_view raw) {
    try {
        return std::stod(plain(raw));
    } catch (const std::logic_error &) {
        throw std::invalid_argument(std::string(name) + " must be a number");
    }
}

void set(Faults &faults, FaultRule &rule, std::string_view name, std::string_view raw) {
    for (auto [probability, fault] : probabilities)
        if (name == probability) {
            rule.chances.emplace_back(fault, number(name, raw));
            return;
        }
    if (name == "path")
        rule.path = plain(raw);
    else if (name == "body")
        rule.body = plain(raw);
    else if (name == "times")
        rule.times = static_cast<std::int64_t>(number(name, raw));
    else if (name == "latency_ms")
        rule.latency_ms = static_cast<int>(number(name, raw));
    else if (name == "reset_after_apply")
        rule.reset_after_apply = raw == "true";
    else if (name == "html_after_apply")
        rule.html_after_apply = raw == "true";
    else if (name == "html_status")
        rule.html_status = static_cast<int>(number(name, raw));
    else if (name == "huge_bytes")
        rule.huge_bytes = static_cast<std::uint64_t>(number(name, raw));
    else if (name == "retry_after")
        rule.retry_after = plain(raw);
    else if (name == "retry_after_date_s")
        rule.retry_after_date_s = static_cast<std::int64_t>(number(name, raw));
    else if (name == "interval_ms")
        rule.interval_ms = static_cast<int>(number(name, raw));
    else if (name == "redirect_to")
        rule.redirect_to = plain(raw);
    else if (name == "answer") {
        rule.answer = plain(raw);
        rule.has_answer = true;
    } else if (name == "answer_status")
        rule.answer_status = static_cast<int>(number(name, raw));
    else if (name == "answer_type")
        rule.answer_type = plain(raw);
    else if (name == "seed")
        faults.random.seed(static_cast<std::uint64_t>(number(name, raw)));
    else if (name == "discard")
        faults.discard = raw == "true";
    else if (name == "gzip")
        faults.gzip = raw == "true";
    else if (name != "record") // belongs to the recorder
        throw std::invalid_argument("unknown fault \"" + std::string(name) + "\"");
}

// zlib in gzip form; `pieces` times `text`.
std::string deflated(std::string_view text, std::size_t pieces, int level) {
    z_stream stream{};
    deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out;
    char buffer[1 << 14];
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
        stream.avail_in = static_cast<uInt>(text.size());
        do {
            stream.next_out = reinterpret_cast<Bytef *>(buffer);
            stream.avail_out = sizeof buffer;
            deflate(&stream, piece + 1 == pieces ? Z_FINISH : Z_NO_FLUSH);
            out.append(buffer, sizeof buffer - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    deflateEnd(&stream);
    return out;
}

} // namespace

std::string FaultRule::retry_after_header(std::int64_t now_ms) const {
    return retry_after_date_s >= 0 ? http_date(now_ms + retry_after_date_s * 1000) : retry_after;
}

Fault Faults::draw(std::string_view target, std::string_view body, FaultRule &rule) {
    for (FaultRule &each : rules) {
        if (each.times == 0 || target.find(each.path) == target.npos || body.find(each.body) == body.npos)
            continue;
        each.times -= each.times > 0;
        rule = each;
        if (!rule.redirect_to.empty())
            return Fault::redirect;
        if (rule.has_answer)
            return Fault::answer;
        double draw = std::uniform_real_distribution<>()(random);
        for (auto [fault, chance] : rule.chances)
            if ((draw -= chance) < 0)
                return fault;
        break;
    }
    return Fault::none;
}

Faults faults_from(std::string_view compact_json) {
    Faults faults;
    auto add = [&](std::string_view object) {
        FaultRule rule;
        for_each_member(object, [&](std::string_view name, std::string_view raw) { set(faults, rule, name, raw); });
        faults.rules.push_back(std::move(rule));
    };
    if (compact_json.starts_with('['))
        for_each_element(compact_json, add);
    else
        add(compact_json);
    return faults;
}

std::string gzip_compressed(std::string_view text) {
    return deflated(text, 1, Z_BEST_SPEED);
}

const std::string &gzip_bomb() {
    static const std::string bomb = deflated(std::string(1 << 20, ' '), bomb_bytes >> 20, Z_BEST_COMPRESSION);
    return bomb;
}

} // namespace reverse_etl::sandbox
