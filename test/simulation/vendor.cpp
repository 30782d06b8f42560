#include "vendor.h"

#include <algorithm>
#include <ctime>

namespace reverse_etl::simulation {

namespace {

int object_of(const Sent &request) {
    for (int i = 0; i < object_count; i++)
        if (request.target.starts_with("/" + std::string(object_names[i]) + "/"))
            return i;
    return -1;
}

std::uint64_t row_of(const Json &input) {
    return std::stoull(input.at("trace").get<std::string>());
}

/// What JSON permits and not every parser takes.
void make_odd(std::string &body) {
    const std::string plain = R"("odd":0)";
    if (const std::size_t at = body.find(plain); at != std::string::npos)
        body.replace(at, plain.size(), R"("odd":[123456789012345678901234567890123456789,"\ud800"])");
}

} // namespace

VirtualVendor::VirtualVendor(World &world, const Scenario &scenario, Pauses &pauses)
    : world_(world), scenario_(scenario), pauses_(pauses), watcher_(world, scenario) {}

Milliseconds VirtualVendor::latency() {
    return scenario_.latency + world_.between(Milliseconds(0), scenario_.jitter);
}

int VirtualVendor::role_of(const Sent &request) const {
    if (request.is_for_token())
        return request.body.find("client_id=role1") == std::string::npos ? 0 : 1;
    if (!scenario_.tokens)
        return request.token().back() - '0';
    const auto found = tokens_.find(request.token());
    if (found == tokens_.end())
        throw Violation("a request has no token that anybody gave out");
    return found->second.first;
}

void VirtualVendor::sent(Sent &request) {
    request.object = object_of(request);
    request.operation = request.target.substr(request.target.rfind('/') + 1);
    request.role = role_of(request);
    world_.tell("-> %s %s as %d", request.target.c_str(), request.is_for_token() ? "" : request.body.c_str(),
                request.role);
    if (!request.is_for_token()) {
        request.inputs = std::move(Json::parse(request.body).at("inputs"));
        for (const Json &input : request.inputs)
            request.rows.push_back(row_of(input));
        request.is_one_too_many = scenario_.capacity > 0 && in_service_ >= scenario_.capacity;
        in_service_ += !request.is_one_too_many;
        request.pace = scenario_.capacity > 0 ? pace_() : 0;
    }
    watcher_.sent(request);
    pauses_.sent(request);
}

void VirtualVendor::arrived(const Sent &request, Clock::time_point when) {
    watcher_.arrived(request, when);
}

void VirtualVendor::heard(const Sent &request, const Response &response) {
    in_service_ -= !request.is_for_token() && !request.is_one_too_many;
    watcher_.heard(request, response);
    pauses_.heard(request, response);
}

void VirtualVendor::client_is_gone(bool forgets) {
    was_killed_ = true;
    watcher_.client_is_gone(forgets);
    pauses_.client_is_gone(forgets);
}

const Spell *VirtualVendor::spell_for(const Sent &request) {
    for (const Spell &spell : scenario_.spells) {
        const bool is_on = spell.is_on(world_.elapsed(), request.object, request.role);
        if (is_on && spell.kind != Spell::Kind::unreachable && world_.chance(spell.probability))
            return &spell;
    }
    return nullptr;
}

bool VirtualVendor::can_be_reached(const Sent &request) {
    const bool reached = std::none_of(scenario_.spells.begin(), scenario_.spells.end(), [&](const Spell &spell) {
        return spell.kind == Spell::Kind::unreachable && spell.is_on(world_.elapsed(), request.object, request.role) &&
               world_.chance(spell.probability);
    });
    if (reached)
        seen_.insert(request.rows.begin(), request.rows.end());
    else
        world_.tell("   no connection");
    return reached;
}

Response VirtualVendor::status(long status, std::string body) {
    if (scenario_.is_odd)
        make_odd(body);
    world_.tell("<- %ld %s", status, body.c_str());
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

Response VirtualVendor::token_for(const Sent &request) {
    const std::string token = "t" + std::to_string(++last_token_);
    for (auto &[other, of] : tokens_)
        if (scenario_.revokes && of.first == request.role)
            of.second = world_.now();
    tokens_[token] = {request.role, world_.now() + seconds(scenario_.token_seconds)};
    return status(200, R"({"access_token": ")" + token + R"(", "expires_in": )" +
                           std::to_string(scenario_.token_seconds) + "}");
}

std::optional<Response> VirtualVendor::serve(Sent &request) {
    const Spell *spell = spell_for(request);
    const auto is = [spell](Spell::Kind kind) { return spell != nullptr && spell->kind == kind; };
    const std::string sorry = R"({"message": "sorry"})";
    constexpr const char *pages[] = {"<html>Welcome</html>", "Welcome", R"({"results": [)"};
    // Whose answers say nothing of rows says nothing with a text either.
    const bool is_whole = request.object >= 0 && object_names[request.object] == std::string("whole");
    const std::string page = pages[is_whole && request.operation != "lookup" ? 0 : world_.between(0, 2)];
    const bool is_done = world_.chance(0.5);
    if (is(Spell::Kind::slow) || (is(Spell::Kind::cut) && !is_done)) {
        world_.tell("<- nothing");
        return std::nullopt;
    }
    if (is(Spell::Kind::failing))
        return status(500, sorry);
    if (is(Spell::Kind::bad_gateway) && !is_done)
        return status(502, "<html>Bad Gateway</html>");
    if (is(Spell::Kind::garbage) && !is_done) {
        request.goes_again.insert(request.rows.begin(), request.rows.end());
        return status(200, page);
    }
    if (is(Spell::Kind::busy) || request.is_one_too_many)
        return status(429, sorry);
    if (is(Spell::Kind::busy_until)) {
        Response response = status(429, sorry);
        ask_for_quiet(request, response);
        return response;
    }
    if (is(Spell::Kind::denied))
        return status(401, sorry);
    if (request.is_for_token())
        return token_for(request);
    if (scenario_.tokens && tokens_.at(request.token()).second <= world_.now())
        return status(401, R"({"message": "the token has expired"})");
    Response response = carry_out(request, is(Spell::Kind::lying));
    if (scenario_.forgets > 0 && world_.chance(scenario_.forgets)) {
        world_.tell("   the tokens of %d end", request.role);
        for (auto &[other, of] : tokens_)
            if (of.first == request.role)
                of.second = std::min(of.second, world_.now());
    }
    if (is(Spell::Kind::bad_gateway))
        return status(502, "<html>Bad Gateway</html>");
    if (is(Spell::Kind::garbage)) {
        request.goes_again.insert(request.rows.begin(), request.rows.end());
        return status(200, page);
    }
    if (is(Spell::Kind::cut)) {
        world_.tell("<- cut");
        return std::nullopt;
    }
    if (scenario_.spent > 0 && world_.chance(scenario_.spent))
        tell_of_others(request, response);
    return response;
}

void VirtualVendor::ask_for_quiet(Sent &request, Response &response) {
    const seconds asked(world_.between(0, 90));
    request.quiet = asked;
    std::string value = std::to_string(asked.count());
    if (scenario_.dates) {
        const auto dated = [](std::time_t time) {
            char text[40];
            std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&time));
            return std::string(text);
        };
        // By its own clock.
        const std::time_t now = 1'790'000'000 + std::chrono::duration_cast<seconds>(world_.elapsed()).count();
        response.headers.emplace_back("date", dated(now));
        value = dated(now + asked.count());
    }
    world_.tell("   come back in %ld s: %s", static_cast<long>(asked.count()), value.c_str());
    response.headers.emplace_back("retry-after", std::move(value));
}

/// Others use the account as well, and nothing of the window is left.
void VirtualVendor::tell_of_others(Sent &request, Response &response) {
    const seconds reset(world_.between(1, scenario_.window_seconds));
    request.spent = reset;
    world_.tell("   nothing of the window is left for %ld s", static_cast<long>(reset.count()));
    response.headers.emplace_back("x-remaining", "0");
    response.headers.emplace_back("x-reset", std::to_string(reset.count()));
}

/// Why nothing of a request is done.
std::optional<Response> VirtualVendor::refusal_of(const Sent &request) {
    for (const std::uint64_t row : request.rows) {
        const Poison poison = scenario_.orders.at(row - 1).poison;
        const bool is_lookup = request.operation == "lookup";
        if (poison == Poison::breaks && !is_lookup)
            return status(500, R"({"message": "this row breaks us"})");
        const bool is_whole = request.object == 3 && poison != Poison::none;
        // Of those that cannot be looked up one in two.
        if (is_lookup ? poison == Poison::fails_whole && row % 2 == 0 : is_whole || poison == Poison::fails_whole)
            return status(400, R"({"message": "something is wrong with a row"})");
    }
    return std::nullopt;
}

Response VirtualVendor::carry_out(Sent &request, bool lies) {
    const std::string idempotency_key = request.header("Idempotency-Key");
    if (request.object == 1 && request.operation == "create") {
        if (idempotency_key.empty())
            throw Violation("a create has no idempotency key");
        if (const auto known = answers_.find(idempotency_key); known != answers_.end()) {
            if (known->second.request != request.body)
                throw Violation("an idempotency key was used for two requests");
            request.goes_again = known->second.goes_again;
            request.waits = known->second.waits;
            return status(200, known->second.answer);
        }
    }
    if (std::optional<Response> refusal = refusal_of(request))
        return *refusal;
    if (request.operation == "lookup")
        return lookup(request, lies);
    if (object_names[request.object] == std::string("told"))
        return told(request);
    std::vector<RowAnswer> answers;
    for (const Json &input : request.inputs)
        answers.push_back(apply_row(request.object, request.operation, input));
    // A lie is told once: what is kept for when the request comes again is true.
    Response response = answer_of(request, answers, false);
    if (!idempotency_key.empty())
        answers_[idempotency_key] = {request.body, response.body, request.goes_again, request.waits};
    return lies ? answer_of(request, std::move(answers), true) : response;
}

/// One word for all rows, of which none is taken where one is refused.
Response VirtualVendor::told(Sent &request) {
    const bool ok = std::all_of(request.rows.begin(), request.rows.end(),
                                [&](std::uint64_t row) { return scenario_.orders[row - 1].poison == Poison::none; });
    if (!ok)
        request.goes_again.insert(request.rows.begin(), request.rows.end());
    if (!ok)
        return status(200, R"({"ok": false, "message": "something is wrong with a row"})");
    for (const Json &input : request.inputs)
        apply_row(request.object, request.operation, input);
    return status(200, R"({"ok": true, "odd":0})");
}

Response VirtualVendor::lookup(Sent &request, bool lies) {
    Json records = Json::array();
    std::set<std::uint64_t> absent;
    const long how = lies ? world_.between(0, 4) : -1;
    if (how >= 0)
        request.goes_again.insert(request.rows.begin(), request.rows.end());
    for (const Json &input : request.inputs) {
        const auto found = records_.find({request.object, input.at("key").get<std::string>()});
        const bool is_hidden = how == 0 && world_.chance(0.5);
        if (found == records_.end() || is_hidden) {
            absent.insert(row_of(input));
            continue;
        }
        records.push_back({{"id", found->second.id}, {"email", found->first.second}, {"odd", 0}});
        if (how == 1)
            records.back().erase("email");
        if (how == 2)
            records.push_back({{"id", "another's"}, {"email", found->first.second}});
    }
    if (how == 3)
        records.push_back({{"id", "another's"}, {"email", "another"}});
    if (how == 4 && !records.empty())
        return status(200, Json{{"elsewhere", records}}.dump());
    said_absent_.insert(absent.begin(), absent.end());
    return status(200, Json{{"records", records}}.dump());
}

VirtualVendor::RowAnswer VirtualVendor::apply_row(int object, const std::string &operation, const Json &input) {
    RowAnswer answer;
    answer.row = row_of(input);
    const Order &order = scenario_.orders.at(answer.row - 1);
    if (order.object != object || operation_name(order.operation) != operation)
        throw Violation("row " + std::to_string(answer.row) + " was sent elsewhere");
    if (order.poison != Poison::none) {
        answer.ok = false;
        answer.mentioned = order.poison != Poison::unmentioned;
        answer.waits = order.poison == Poison::waits;
        answer.message = "this row is refused";
        return answer;
    }
    if (operation == "update" || operation == "delete") {
        const auto key = key_of_id_.find(input.at("id"));
        if (key == key_of_id_.end())
            throw Violation("row " + std::to_string(answer.row) + " names an id that is not its own");
        if (!records_.contains({object, key->second})) {
            said_absent_.insert(answer.row);
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

/// An answer that is not true, and of which it can be told that it is not.
void VirtualVendor::falsify(const Sent &request, std::vector<RowAnswer> &rows) {
    // A row of another request, if there is one between those of this one.
    const std::uint64_t other = request.rows.back() - 1;
    const bool is_other = std::find(request.rows.begin(), request.rows.end(), other) == request.rows.end();
    const RowAnswer unknown{is_other ? other : 999'999, "r0", "no such row", world_.chance(0.5), false, false, true};
    const bool is_listed = object_names[request.object] == std::string("listed");
    const auto any = [&] { return rows.begin() + world_.between(0, static_cast<long>(rows.size()) - 1); };
    const long how = rows.empty() ? 2 : world_.between(0, is_listed ? 3 : 5);
    if (how == 0 || how == 4)
        rows.erase(any());
    if ((how == 1 || how == 4) && !rows.empty())
        rows.push_back(*any());
    if (how == 2)
        rows.push_back(unknown);
    if (how == 3)
        rows.clear();
    if (how == 5)
        *any() = unknown;
    if (is_listed && rows.size() == request.rows.size())
        rows.push_back(unknown);
}

Response VirtualVendor::answer_of(Sent &request, std::vector<RowAnswer> rows, bool lies) {
    const std::string name = object_names[request.object];
    if (name == "whole")
        return status(200, R"({"message": "thanks"})");
    for (const RowAnswer &row : rows) {
        if (row.waits)
            request.waits.insert(row.row);
        if (row.waits || !row.mentioned)
            request.goes_again.insert(row.row);
    }
    std::erase_if(rows, [](const RowAnswer &row) { return !row.mentioned; });
    if (lies)
        falsify(request, rows);
    if (lies || (name == "listed" && rows.size() != request.rows.size())) {
        request.goes_again.insert(request.rows.begin(), request.rows.end());
        request.waits.clear();
    }
    if (lies && world_.chance(0.1))
        return status(200);
    Json results = Json::array(), errors = Json::array(), list = Json::array();
    for (const RowAnswer &row : rows) {
        Json entry = {{"trace", row.row}, {"id", row.id},      {"message", row.message}, {"odd", 0},
                      {"ok", row.ok},     {"wait", row.waits}, {"absent", row.absent}};
        (row.ok ? results : errors).push_back(entry);
        list.push_back(entry);
    }
    return status(200, name == "listed" ? Json{{"list", list}}.dump()
                                        : Json{{"results", results}, {"errors", errors}}.dump());
}

} // namespace reverse_etl::simulation
