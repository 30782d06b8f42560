// The calls by which a test steers and questions the sandbox: /_sandbox/...
#include <stdexcept>

#include "json.h"
#include "router.h"
#include "salesforce_ids.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

namespace {

void refuse(Answer &answer, int status, std::string_view error) {
    answer.set(status, "{\"error\":" + in_quotes(error) + '}');
}

void agree(Answer &answer) {
    answer.set(200, R"({"ok":true})");
}

std::size_t whole_number(std::string_view raw) {
    try {
        return std::stoull(plain(raw));
    } catch (const std::logic_error &) {
        throw std::invalid_argument("not a whole number: " + std::string(raw));
    }
}

// Runs `apply` on the request's JSON body; what is wrong with it is the answer.
template <class Apply>
void with_body(World &world, const Request &request, Answer &answer, Apply apply) try {
    apply(std::string_view(world.json.compact(request.body)));
    agree(answer);
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, 400, std::string("invalid JSON: ") + error.what());
} catch (const std::invalid_argument &error) {
    refuse(answer, 400, error.what());
}

// ?keep=data,requests,stats,faults,settings leaves those as they are.
void reset(World &world, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    std::vector<std::string> kept = split(field(query, "keep"), ',');
    auto gone = [&](std::string_view part) { return std::find(kept.begin(), kept.end(), part) == kept.end(); };
    if (gone("data")) {
        world.store = Store();
        world.salesforce_tokens = SalesforceTokens();
        world.slack_channels = SlackChannels();
        world.http_repeats.clear();
        world.hubspot_properties.clear();
        world.hubspot_schemas.clear();
    }
    if (gone("requests"))
        world.recorder.clear();
    if (gone("stats")) {
        Stats fresh;
        fresh.open_connections = world.stats.open_connections;
        fresh.in_flight = world.stats.in_flight;
        world.stats = fresh;
    }
    if (gone("faults")) {
        world.faults = Faults();
        world.recorder.on = true;
    }
    if (gone("settings"))
        world.settings = Settings();
    agree(answer);
}

void set_faults(World &world, const Request &request, Answer &answer) {
    with_body(world, request, answer, [&](std::string_view body) {
        world.faults = faults_from(body);
        std::string_view record = body.starts_with('{') ? member(body, "record") : std::string_view();
        world.recorder.on = record.empty() ? !world.faults.discard : record == "true";
    });
}

void set_settings(World &world, const Request &request, Answer &answer) {
    with_body(world, request, answer, [&](std::string_view body) {
        Settings settings;
        for_each_member(body, [&](std::string_view name, std::string_view raw) {
            if (name == "hubspot_rate_max")
                settings.hubspot_rate_max = std::max<std::size_t>(1, whole_number(raw));
            else if (name == "hubspot_rate_remaining")
                settings.hubspot_rate_remaining = whole_number(raw);
            else if (name == "salesforce_page_size")
                settings.salesforce_page_size = std::max<std::size_t>(1, whole_number(raw));
            else if (name == "slack_channel_rate")
                settings.slack_channel_rate = raw == "true";
            else if (name == "http_credentials")
                settings.http_credentials = {plain(member(raw, "header")), plain(member(raw, "value"))};
            else
                throw std::invalid_argument("unknown setting \"" + std::string(name) + "\"");
        });
        world.settings = settings;
    });
}

void set_record(World &world, const Request &request, Answer &answer) {
    with_body(world, request, answer,
              [&](std::string_view body) { world.recorder.on = member(body, "on") != "false"; });
}

void stats(World &world, const Request &, Answer &answer) {
    const Stats &stats = world.stats;
    auto add = [&](std::string_view name, std::uint64_t value) {
        answer.body += answer.body.empty() ? '{' : ',';
        append_quoted(answer.body, name);
        answer.body += ':';
        append_number(answer.body, static_cast<std::int64_t>(value));
    };
    add("requests", stats.requests);
    add("connections", stats.connections);
    add("open_connections", stats.open_connections);
    add("rows", stats.rows);
    add("bytes", stats.bytes);
    add("in_flight", stats.in_flight);
    add("in_flight_max", stats.in_flight_max);
    add("in_a_second_max", stats.in_a_second_max);
    add("repeated", stats.repeated);
    add("last_us", static_cast<std::uint64_t>(stats.last_us));
    answer.body += ",\"status\":{";
    bool first = true;
    for (auto [status, count] : stats.status) {
        answer.body += std::exchange(first, false) ? "\"" : ",\"";
        append_number(answer.body, status);
        answer.body += "\":";
        append_number(answer.body, static_cast<std::int64_t>(count));
    }
    answer.body += "}}";
}

void requests(World &world, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    std::string_view last = field(query, "last", "1000");
    world.recorder.write_last(static_cast<std::size_t>(std::atoll(std::string(last).c_str())), answer.body);
}

void request_lines(World &world, const Request &, Answer &answer) {
    answer.content_type = "application/x-ndjson";
    world.recorder.write_lines(answer.body);
}

Table *table_of(World &world, const Request &request) {
    return world.store.existing(request.parameters[0], request.parameters[1]);
}

void count(World &world, const Request &request, Answer &answer) {
    Table *table = table_of(world, request);
    answer.body = "{\"count\":";
    append_number(answer.body, table ? static_cast<std::int64_t>(table->live()) : 0);
    answer.body += '}';
}

// A record as it is kept, which lacks the id where a vendor gives it.
void append_record(std::string &out, std::string_view connector, std::string_view object, std::size_t position,
                   const Table::Record &record) {
    if (connector == "hubspot")
        out.append("{\"id\":\"").append(hubspot_id(position)).append("\",\"properties\":").append(record.json()) += '}';
    else if (connector == "salesforce")
        out += merged("{\"Id\":\"" + salesforce_id(object, position) + "\"}", record.json(), false);
    else
        out += record.json();
}

void records(World &world, const Request &request, Answer &answer) {
    Table *table = table_of(world, request);
    answer.body = "[";
    for (std::size_t position = 0; table && position < table->end(); ++position) {
        if (!table->holds(position))
            continue;
        if (answer.body.size() > 1)
            answer.body += ',';
        append_record(answer.body, request.parameters[0], request.parameters[1], position, (*table)[position]);
    }
    answer.body += ']';
}

void objects(World &world, const Request &, Answer &answer) {
    answer.body = "{";
    for (const auto &[name, table] : world.store.tables()) {
        answer.body += answer.body.size() > 1 ? "," : "";
        append_quoted(answer.body, name);
        answer.body += ':';
        append_number(answer.body, static_cast<std::int64_t>(table.live()));
    }
    answer.body += '}';
}

// {} expires all issued tokens now; {"after_requests":N} after N more; "plain":true takes in "token-..." too.
void expire_salesforce(World &world, const Request &request, Answer &answer) {
    with_body(world, request, answer, [&](std::string_view body) {
        SalesforceTokens &tokens = world.salesforce_tokens;
        tokens.plain_expired = member(body, "plain") == "true";
        std::string_view after = member(body, "after_requests");
        if (after.empty())
            after = member(body, "expire_after_requests");
        if (after.empty())
            tokens.issued.clear();
        else
            tokens.requests_left = static_cast<std::int64_t>(whole_number(after));
    });
}

bool authorize(World &, const Request &, Answer &) {
    return true;
}
void fail(Failure, const FaultRule &, std::int64_t, Answer &) {}
void finish(World &, Answer &) {}

constexpr Route routes[] = {
    {"POST", "/_sandbox/reset", reset},
    {"POST", "/_sandbox/faults", set_faults},
    {"POST", "/_sandbox/settings", set_settings},
    {"POST", "/_sandbox/record", set_record},
    {"GET", "/_sandbox/stats", stats},
    {"GET", "/_sandbox/requests", requests},
    {"GET", "/_sandbox/requests.jsonl", request_lines},
    {"GET", "/_sandbox/objects", objects},
    {"GET", "/_sandbox/count/{connector}/{object...}", count},
    {"GET", "/_sandbox/records/{connector}/{object...}", records},
    {"POST", "/_sandbox/salesforce/expire", expire_salesforce},
};

void not_found(const Request &, Answer &answer) {
    std::string body = R"({"error":"no such control call","calls":[)";
    for (const Route &route : routes) {
        body += &route == routes ? "" : ",";
        append_quoted(body, std::string(route.method) + ' ' + std::string(route.pattern));
    }
    answer.set(404, body += "]}");
}

} // namespace

extern const Connector control{"control", "/_sandbox/", routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
