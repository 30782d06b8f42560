#include "vendor.h"

#include <algorithm>

namespace reverse_etl::simulation {

namespace {

/// A destination that is down is known to be after so long; from then on so many requests an hour are its share, for
/// each object and role. Every probe is as many requests as a request has attempts.
constexpr minutes known_to_be_down{10};
constexpr int most_probes_an_hour = 200;

int object_of(const Sent &request) {
    for (int i = 0; i < object_count; i++)
        if (request.target.starts_with("/" + std::string(object_names[i]) + "/"))
            return i;
    return -1;
}

std::uint64_t row_of(const Json &input) {
    return std::stoull(input.at("trace").get<std::string>());
}

bool is_down(const Spell &spell) {
    return spell.probability == 1 && (spell.kind == Spell::Kind::unreachable || spell.kind == Spell::Kind::failing ||
                                      spell.kind == Spell::Kind::bad_gateway || spell.kind == Spell::Kind::denied);
}

} // namespace

VirtualVendor::VirtualVendor(World &world, const Scenario &scenario) : world_(world), scenario_(scenario) {}

Milliseconds VirtualVendor::latency() {
    return scenario_.latency + world_.between(Milliseconds(0), scenario_.jitter);
}

int VirtualVendor::role_of(const Sent &request) const {
    const std::string token = request.header("Authorization").substr(7);
    if (!scenario_.tokens)
        return token.back() - '0';
    const auto found = tokens_.find(token);
    return found == tokens_.end() ? -1 : found->second.first;
}

void VirtualVendor::sent(const Sent &request) {
    if (request.target == "/token") {
        token_requests_++;
        world_.tell("-> token");
        return;
    }
    requests_++;
    const int role = role_of(request), object = object_of(request);
    world_.tell("-> %s %s as %d", request.target.c_str(), request.body.c_str(), role);
    if (const Spell *spell = spell_for(request, true); spell != nullptr && is_down(*spell)) {
        const Clock::duration since = world_.elapsed() - spell->from - known_to_be_down;
        const bool is_known =
            since > Clock::duration(0) && world_.elapsed() > scenario_.orders.back().at + known_to_be_down;
        if (is_known && ++probes_[{spell, object, role, since / hours(1)}] > most_probes_an_hour)
            throw Violation("a destination that is down gets too many requests within an hour");
        const bool is_only_fault =
            scenario_.spells.size() == 1 && scenario_.kill == 0 && spell->from <= Clock::duration(0);
        if (is_only_fault && world_.elapsed() > known_to_be_down && object_names[object] != std::string("keyed") &&
            request.target.ends_with("/create") && Json::parse(request.body).at("inputs").size() > 1 &&
            has_failed_.contains({object, role}))
            throw Violation("creates are risked to try a destination out");
        has_failed_.insert({object, role});
    }
    if (scenario_.requests_a_window == 0)
        return;
    std::vector<Clock::time_point> &departures = departures_[role];
    std::erase_if(departures,
                  [&](Clock::time_point at) { return at + seconds(scenario_.window_seconds) <= world_.now(); });
    departures.push_back(world_.now());
    if (departures.size() > static_cast<std::size_t>(scenario_.requests_a_window))
        throw Violation("the limit of requests was exceeded");
}

const Spell *VirtualVendor::spell_for(const Sent &request, bool at_connect) {
    const int object = object_of(request);
    for (const Spell &spell : scenario_.spells) {
        const bool is_on = spell.from <= world_.elapsed() && world_.elapsed() < spell.to &&
                           (spell.object < 0 || spell.object == object);
        if (is_on && (at_connect ? spell.probability == 1 : world_.chance(spell.probability)))
            return &spell;
    }
    return nullptr;
}

bool VirtualVendor::can_be_reached(const Sent &request) {
    const int object = object_of(request);
    const bool reached = std::none_of(scenario_.spells.begin(), scenario_.spells.end(), [&](const Spell &spell) {
        return spell.kind == Spell::Kind::unreachable && spell.from <= world_.elapsed() &&
               world_.elapsed() < spell.to && (spell.object < 0 || spell.object == object) &&
               world_.chance(spell.probability);
    });
    if (!reached) {
        failures_++;
        world_.tell("   no connection");
    }
    return reached;
}

Response VirtualVendor::status(long status, const std::string &body) {
    if (status >= 300)
        failures_++;
    world_.tell("<- %ld %s", status, body.c_str());
    Response response;
    response.status = status;
    response.body = body;
    return response;
}

Response VirtualVendor::token_for(const Sent &request) {
    const std::string token = "t" + std::to_string(++last_token_);
    const int role = request.body.find("client_id=role1") == std::string::npos ? 0 : 1;
    tokens_[token] = {role, world_.now() + seconds(scenario_.token_seconds)};
    return status(200, R"({"access_token": ")" + token + R"(", "expires_in": )" +
                           std::to_string(scenario_.token_seconds) + "}");
}

std::optional<Response> VirtualVendor::serve(const Sent &request) {
    const Spell *spell = spell_for(request, false);
    const auto is = [spell](Spell::Kind kind) { return spell != nullptr && spell->kind == kind; };
    const std::string sorry = R"({"message": "sorry"})";
    if (is(Spell::Kind::slow) || (is(Spell::Kind::cut) && world_.chance(0.5))) {
        failures_++;
        world_.tell("<- nothing");
        return std::nullopt;
    }
    if (is(Spell::Kind::failing))
        return status(500, sorry);
    if (is(Spell::Kind::bad_gateway) && world_.chance(0.5))
        return status(502, "<html>Bad Gateway</html>");
    if (is(Spell::Kind::busy))
        return status(429, sorry);
    if (is(Spell::Kind::busy_until)) {
        Response response = status(429, sorry);
        response.headers.emplace_back("retry-after", std::to_string(world_.between(0, 90)));
        return response;
    }
    if (is(Spell::Kind::denied))
        return status(401, sorry);
    if (request.target == "/token")
        return token_for(request);
    const std::string token = request.header("Authorization").substr(7);
    if (scenario_.tokens && (!tokens_.contains(token) || tokens_[token].second <= world_.now()))
        return status(401, R"({"message": "the token has expired"})");
    std::optional<Response> response = carry_out(request, spell);
    if (is(Spell::Kind::bad_gateway))
        return status(502, "<html>Bad Gateway</html>");
    if (is(Spell::Kind::cut)) {
        failures_++;
        world_.tell("<- cut");
        return std::nullopt;
    }
    if (is(Spell::Kind::garbage) && response->status == 200) {
        failures_++;
        return status(200, "<html>Welcome</html>");
    }
    return response;
}

std::optional<Response> VirtualVendor::carry_out(const Sent &request, const Spell *spell) {
    const int object = object_of(request);
    const std::string operation = request.target.substr(request.target.rfind('/') + 1);
    const Json inputs = Json::parse(request.body).at("inputs");
    if (operation == "lookup")
        return lookup(object, inputs);
    const std::string idempotency_key = request.header("Idempotency-Key");
    if (object == 1 && operation == "create") {
        if (idempotency_key.empty())
            throw Violation("a create has no idempotency key");
        const auto known = answers_.find(idempotency_key);
        if (known != answers_.end() && known->second.first != request.body)
            throw Violation("an idempotency key was used for two requests");
        if (known != answers_.end())
            return status(200, known->second.second);
    }
    const auto poison_of = [&](const Json &input) { return scenario_.orders.at(row_of(input) - 1).poison; };
    for (const Json &input : inputs) {
        if (poison_of(input) == Poison::breaks)
            return status(500, R"({"message": "this row breaks us"})");
        if (poison_of(input) == Poison::fails_whole || (object == 3 && poison_of(input) != Poison::none))
            return status(400, R"({"message": "something is wrong with a row"})");
    }
    const bool lies = spell != nullptr && spell->kind == Spell::Kind::lying;
    Response response = answer_of(object, apply(object, operation, inputs), lies);
    if (!idempotency_key.empty())
        answers_[idempotency_key] = {request.body, response.body};
    return response;
}

Response VirtualVendor::lookup(int object, const Json &inputs) {
    Json records = Json::array();
    for (const Json &input : inputs) {
        const auto found = records_.find({object, input.at("key").get<std::string>()});
        if (found != records_.end())
            records.push_back({{"id", found->second.id}, {"email", found->first.second}});
    }
    return status(200, Json{{"records", records}}.dump());
}

std::vector<VirtualVendor::RowAnswer> VirtualVendor::apply(int object, const std::string &operation,
                                                           const Json &inputs) {
    std::vector<RowAnswer> answers;
    for (const Json &input : inputs)
        answers.push_back(apply_row(object, operation, input));
    return answers;
}

VirtualVendor::RowAnswer VirtualVendor::apply_row(int object, const std::string &operation, const Json &input) {
    RowAnswer answer;
    answer.row = row_of(input);
    const Order &order = scenario_.orders.at(answer.row - 1);
    if (order.object != object || operation_name(order.operation) != operation)
        throw Violation("row " + std::to_string(answer.row) + " was sent elsewhere");
    if (order.poison != Poison::none) {
        answer.ok = false;
        // A list by position is whole: it could not be told otherwise which row an entry speaks of.
        answer.mentioned = order.poison != Poison::unmentioned || object == 2;
        answer.waits = order.poison == Poison::waits;
        answer.message = "this row is refused";
        return answer;
    }
    if (operation == "update" || operation == "delete") {
        const auto key = key_of_id_.find(input.at("id"));
        if (key == key_of_id_.end() || !records_.contains({object, key->second})) {
            answer.ok = false;
            answer.absent = true;
            answer.message = "there is no such row";
            return answer;
        }
        if (key->second != order.key)
            throw Violation("row " + std::to_string(answer.row) + " named another's id");
        took(object, operation, key->second, answer.row);
        if (operation == "delete")
            records_.erase({object, key->second});
        return answer;
    }
    const std::string key = order.key.empty() ? "row " + std::to_string(order.id) : order.key;
    took(object, operation, order.key, answer.row);
    Record &record = records_[{object, key}];
    if (record.id.empty()) {
        record.id = "r" + std::to_string(++last_id_);
        key_of_id_[record.id] = key;
    }
    record.written_by = answer.row;
    answer.id = record.id;
    return answer;
}

void VirtualVendor::took(int object, const std::string &operation, const std::string &key, std::uint64_t row) {
    world_.tell("   row %lu is taken", static_cast<unsigned long>(row));
    if (++taken_[row] > 1 && operation == "create")
        throw Violation("row " + std::to_string(row) + " was created twice");
    if (key.empty())
        return;
    // After a kill what had no outcome yet is sent again, and then all that came after it has to be.
    Taken &taken = taken_of_keys_[{object, key}];
    if (row < taken.last &&
        (!waits_(taken.last) || scenario_.orders[taken.last - 1].operation == OperationKind::create))
        throw Violation("row " + std::to_string(row) + " came after row " + std::to_string(taken.last) + " of its key");
    taken = {row, std::max(row, taken.latest)};
}

Response VirtualVendor::answer_of(int object, std::vector<RowAnswer> rows, bool lies) {
    const std::string name = object_names[object];
    if (name == "whole")
        return status(200, R"({"message": "thanks"})");
    std::erase_if(rows, [](const RowAnswer &row) { return !row.mentioned; });
    if (lies) {
        has_lied_ = true;
        const long how = name == "listed" ? world_.between(1, 2) : world_.between(0, 2);
        if (how == 0 && !rows.empty())
            rows.erase(rows.begin() + world_.between(0, static_cast<long>(rows.size()) - 1));
        if (how == 1 && !rows.empty())
            rows.push_back(rows.front());
        if (how == 2)
            rows.push_back({999'999, "r0", "", true, false, false, true});
    }
    Json results = Json::array(), errors = Json::array(), list = Json::array();
    for (const RowAnswer &row : rows) {
        Json entry = {{"trace", row.row}, {"id", row.id},      {"message", row.message},
                      {"ok", row.ok},     {"wait", row.waits}, {"absent", row.absent}};
        (row.ok ? results : errors).push_back(entry);
        list.push_back(entry);
    }
    return status(200, name == "listed" ? Json{{"list", list}}.dump()
                                        : Json{{"results", results}, {"errors", errors}}.dump());
}

} // namespace reverse_etl::simulation
