#include "scenario.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace reverse_etl::simulation {

const char *name_of(Spell::Kind kind) {
    constexpr const char *names[] = {"unreachable", "bad gateway", "failing", "busy",   "busy until",
                                     "cut",         "lying",       "slow",    "denied", "garbage"};
    return names[static_cast<int>(kind)];
}

const char *name_of(Poison poison) {
    constexpr const char *names[] = {"", "breaks", "fails whole", "refused", "unmentioned", "waits"};
    return names[static_cast<int>(poison)];
}

Scenario::Scenario(World &world) {
    roles = static_cast<int>(world.between(1, 2));
    latency = Milliseconds(world.between(1, world.chance(0.2) ? 2000 : 100));
    jitter = world.chance(0.5) ? latency : Milliseconds(0);
    max_in_flight = static_cast<int>(world.between(1, 6));
    most_rows = static_cast<std::size_t>(world.chance(0.3) ? world.between(8, 16) : 200);
    if (world.chance(0.4)) {
        requests_a_window = static_cast<int>(world.between(1, 8));
        window_seconds = static_cast<int>(world.chance(0.7) ? 1 : world.between(2, 60));
    }
    if (world.chance(0.3))
        concurrent = static_cast<int>(world.between(1, 4));
    tokens = world.chance(0.3);
    token_seconds = world.chance(0.3) ? world.between(1, 5) : world.between(6, 4000);
    // One that does not outlast its request is of use to nobody.
    token_seconds = std::max<long>(token_seconds, 2 + (latency + jitter).count() * 4 / 1000);

    const int kinds = world.chance(0.5) ? 1 : static_cast<int>(world.between(2, object_count));
    const int first_object = static_cast<int>(world.between(0, object_count - 1));
    const int keys = static_cast<int>(world.between(1, 12));
    const double poisoned = world.chance(0.5) ? 0 : world.chance(0.5) ? 0.03 : 0.2;
    const int bursts = static_cast<int>(world.between(1, 4));
    const bool only_upserts = world.chance(0.3);
    std::uint64_t id = 0;
    Clock::duration at{};
    for (int burst = 0; burst < bursts; burst++) {
        const long rows = world.between(1, 16);
        for (long i = 0; i < rows; i++) {
            Order order;
            order.id = ++id;
            order.at = at;
            order.object = (first_object + static_cast<int>(world.between(0, kinds - 1))) % object_count;
            order.role = static_cast<int>(world.between(0, roles - 1));
            order.operation = OperationKind::upsert;
            if (!only_upserts) {
                constexpr OperationKind usual[] = {OperationKind::create, OperationKind::create, OperationKind::upsert,
                                                   OperationKind::upsert, OperationKind::update, OperationKind::remove};
                order.operation = usual[world.between(0, 5)];
            }
            if (order.operation != OperationKind::create || world.chance(0.5))
                order.key = "k" + std::to_string(world.between(1, keys));
            if (world.chance(poisoned))
                order.poison = static_cast<Poison>(world.between(1, 5));
            has_poison = has_poison || order.poison != Poison::none;
            orders.push_back(std::move(order));
        }
        at += Milliseconds(world.between(0, world.chance(0.5) ? 2'000 : 600'000));
    }

    const long count = world.chance(0.4) ? 0 : world.between(1, 4);
    for (long i = 0; i < count; i++) {
        Spell spell;
        spell.kind = static_cast<Spell::Kind>(world.between(0, 9));
        spell.from = Milliseconds(world.chance(0.5) ? 0 : world.between(0, 600'000));
        spell.to = spell.from +
                   Milliseconds(world.chance(0.5) ? world.between(100, 30'000) : world.between(60'000, 3 * 3'600'000));
        if (world.chance(0.5))
            spell.probability = 0.05 * static_cast<double>(world.between(1, 19));
        if (world.chance(0.3))
            spell.object = static_cast<int>(world.between(0, object_count - 1));
        if (roles > 1 && world.chance(0.3))
            spell.role = static_cast<int>(world.between(0, 1));
        calm = std::max(calm, spell.to);
        spells.push_back(spell);
    }
    if (world.chance(0.3)) {
        kill = world.chance(0.5) ? 0.002 : 0.05;
        most_kills = static_cast<int>(world.between(1, 5));
        crashes = world.chance(0.3);
    }
    if (world.chance(0.1))
        jump = 0.01;
    is_odd = world.chance(0.2);
    puts_off = world.chance(0.5) ? 0.7 : 0;
    revokes = tokens && world.chance(0.3);
    forgets = tokens && world.chance(0.4) ? 0.1 : 0;
    spent = requests_a_window > 0 && world.chance(0.3) ? 0.1 : 0;
    dates = world.chance(0.5);
    if (world.chance(0.1))
        become_keyed_creates(world);
    if (spells.empty() && !has_poison && kill == 0 && world.chance(0.2))
        become_a_rush(world);
}

/// Requests that come again as they were, over kills: rows of a key wait for each other, and so requests that are under
/// way together hold rows between those of others; some are refused, and made again in parts.
void Scenario::become_keyed_creates(World &world) {
    const bool all_have_keys = world.chance(0.5);
    const long keys = world.between(2, 8);
    has_poison = world.chance(0.5);
    for (Order &order : orders) {
        order.object = 1;
        order.operation = OperationKind::create;
        order.key = all_have_keys ? "k" + std::to_string(world.between(1, keys)) : "";
        order.poison = has_poison && world.chance(0.25) ? Poison::fails_whole : Poison::none;
    }
    jitter = latency;
    kill = world.chance(0.5) ? 0.01 : 0.05;
    most_kills = static_cast<int>(world.between(1, 5));
    if (world.chance(0.3))
        return;
    Spell spell{Spell::Kind::cut, {}, minutes(10)};
    spell.probability = 0.5;
    calm = std::max(calm, spell.to);
    spells.push_back(spell);
}

/// Many rows of one kind for a vendor that bears few requests at once: how fast may they go?
void Scenario::become_a_rush(World &world) {
    const long rows = world.between(200, 400);
    capacity = static_cast<int>(world.between(1, 8));
    requests_a_window = concurrent = 0;
    jitter = Milliseconds(0);
    jump = 0;
    if (world.chance(0.5)) {
        Spell spell{world.chance(0.5) ? Spell::Kind::failing : Spell::Kind::unreachable, {}, {}};
        spell.to = calm = Milliseconds(world.between(100, 30'000));
        spells.push_back(spell);
    }
    roles = 1;
    most_rows = 200;
    tokens = revokes = false;
    forgets = spent = 0;
    orders.resize(1);
    orders.front().role = 0;
    orders.front().operation = OperationKind::upsert;
    for (long i = 1; i <= rows; i++) {
        orders.resize(i, orders.front());
        orders.back().id = static_cast<std::uint64_t>(i);
        orders.back().key = "k" + std::to_string(i);
    }
}

std::string Scenario::summary() const {
    char line[320];
    std::snprintf(
        line, sizeof(line),
        "%zu rows, %d roles, latency %ld+%ld ms, %d in flight, limits %d/%d s and %d at once, tokens of %ld s, "
        "kills %d%s, jumps %s, %zu rows in memory, %d places%s%s%s%s%s\n",
        orders.size(), roles, static_cast<long>(latency.count()), static_cast<long>(jitter.count()), max_in_flight,
        requests_a_window, window_seconds, concurrent, tokens ? token_seconds : 0, most_kills,
        crashes ? " (crashes)" : "", jump > 0 ? "yes" : "no", most_rows, capacity, is_odd ? ", odd values" : "",
        revokes ? ", one token at a time" : "", forgets > 0 ? ", tokens end" : "",
        spent > 0 ? ", others use the window" : "", dates ? ", dates" : "");
    std::string text = line;
    for (const Spell &spell : spells) {
        std::snprintf(line, sizeof(line), "%s for %s%s, %.0f%%, from %.1f s to %.1f s\n", name_of(spell.kind),
                      spell.object < 0 ? "all" : object_names[spell.object],
                      spell.role < 0    ? ""
                      : spell.role == 0 ? " as 0"
                                        : " as 1",
                      100 * spell.probability, std::chrono::duration<double>(spell.from).count(),
                      std::chrono::duration<double>(spell.to).count());
        text += line;
    }
    for (const Order &order : orders)
        if (order.poison != Poison::none) {
            std::snprintf(line, sizeof(line), "row %lu (%s of %s) %s\n", static_cast<unsigned long>(order.id),
                          operation_name(order.operation), object_names[order.object], name_of(order.poison));
            text += line;
        }
    return text;
}

namespace {

/// `number`: of the object; `outcome`: how answers speak of rows.
std::string object(int number, const std::string &outcome, const std::string &create_key) {
    const std::string rows = std::to_string(rows_of_a_request[number]);
    const std::string with = R"("rows": )" + rows + R"(, "outcome": )" + outcome;
    const std::string row = R"({"$rows": {"trace": "{row_number}", )";
    return R"({"operations": {
        "create": {"request": "POST /{object}/create", )" +
           with + create_key + R"(, "body": {"inputs": )" + row + R"("properties": {"$columns": "all"}}}}},
        "upsert": {"request": "POST /{object}/upsert", )" +
           with + R"(, "body": {"inputs": )" + row + R"("properties": {"$columns": "all"}}}}},
        "update": {"request": "POST /{object}/update", "by": "id", )" +
           with + R"(, "body": {"inputs": )" + row + R"("id": "{key}", "properties": {"$columns": "all"}}}}},
        "delete": {"request": "POST /{object}/delete", "by": "id", )" +
           with + R"(, "body": {"inputs": )" + row + R"("id": "{key}"}}}},
        "lookup": {"request": "POST /{object}/lookup", "rows": )" +
           rows + R"(, "body": {"inputs": )" + row + R"("key": "{key}"}}}, "records": "/records"}}})";
}

Connector parse(int requests, int seconds, int concurrent, bool tokens) {
    std::string limits;
    if (requests > 0)
        limits = R"({"name": "window", "requests": )" + std::to_string(requests) + R"(, "seconds": )" +
                 std::to_string(seconds) +
                 R"(, "remaining": {"header": "X-Remaining"}, "reset": {"header": "X-Reset"}})";
    if (concurrent > 0)
        limits +=
            (limits.empty() ? "" : ", ") + (R"({"name": "places", "concurrent": )" + std::to_string(concurrent) + "}");
    const std::string numbered = R"([
        {"each": "/results", "row": [{"number": "/trace"}], "id": "/id"},
        {"each": "/errors", "is": "rejected", "row": [{"number": "/trace"}], "wait_when": {"/wait": true},
         "absent_when": {"/absent": true}, "reason": "/message"}])";
    const std::string listed = R"({"each": "/list", "row": "position", "accepted_when": {"/ok": true},
        "wait_when": {"/wait": true}, "absent_when": {"/absent": true}, "id": "/id", "reason": "/message"})";
    const std::string told = R"({"accepted_when": {"/ok": true}, "reason": "/message"})";
    const std::string keyed = R"(, "idempotency_key": "Idempotency-Key")";
    const std::string auth = tokens ? R"({"kind": "oauth2", "grant": "client_credentials",
                                          "token_url": "{base_url}/token", "client_id": "{client_id}",
                                          "client_secret": "{client_secret}"})"
                                    : R"({"kind": "bearer", "token": "{client_id}"})";
    const std::string credentials = std::string(R"({"client_id": {"description": "who"})") +
                                    (tokens ? R"(, "client_secret": {"description": "its secret"}})" : "}");
    return Connector::parse(R"({"manifest": 1, "name": "vendor", "title": "Vendor", "base_url": "http://vendor",
        "credentials": )" + credentials +
                            R"(, "auth": )" + auth + R"(, "rate_limits": [)" + limits +
                            R"(], "reason": "/message", "id": "id",
        "columns": {"id": {"type": "text", "write": false}, "email": "text", "n": "bigint"}, "objects": {
        "numbered": {"key": "email", )" +
                            object(0, numbered, "").substr(1) + R"(,
        "keyed": {"key": "email", )" +
                            object(1, numbered, keyed).substr(1) + R"(,
        "listed": {"key": "email", )" +
                            object(2, listed, "").substr(1) + R"(,
        "whole": {"key": "email", )" +
                            object(3, R"("status")", "").substr(1) + R"(,
        "told": {"key": "email", )" +
                            object(4, told, "").substr(1) + "}}");
}

} // namespace

Connector connector_of(const Scenario &scenario) {
    static std::map<std::tuple<int, int, int, bool>, Connector> known;
    const auto key =
        std::tuple(scenario.requests_a_window, scenario.window_seconds, scenario.concurrent, scenario.tokens);
    auto found = known.find(key);
    if (found == known.end())
        found = known.emplace(key, std::apply(parse, key)).first;
    return found->second;
}

} // namespace reverse_etl::simulation
