// Slack's Web API: /api/<method>, form or JSON bodies, and HTTP 200 also for what it refuses.
#include "json.h"
#include "router.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::string_view team = "T0SANDBOX1", bot = "B0SANDBOX1", bot_user = "U0SANDBOX1";

struct Person {
    std::string_view id, name, real_name, email;
};
constexpr Person people[] = {
    {"U0ADA00001", "ada", "Ada Lovelace", "ada@example.com"},
    {"U0GRACE001", "grace", "Grace Hopper", "grace@example.com"},
    {"U0EDITH001", "edith", "Edith Clarke", "edith@example.com"},
    {"U0MARY0001", "mary", "Mary Somerville", "mary@example.com"},
    {"U0KATHE001", "katherine", "Katherine Johnson", "katherine@example.com"},
};

struct Channel {
    std::string_view id, name;
};
constexpr Channel channels[] = {
    {"C0GENERAL1", "general"}, {"C0RANDOM01", "random"}, {"C0SALES001", "sales"},
    {"C0ALERTS01", "alerts"},  {"C0REVOPS01", "revops"},
};

void refuse(Answer &answer, std::string_view error) {
    answer.set(200, "{\"ok\":false,\"error\":" + in_quotes(error) + '}');
}

// The arguments of a call from query, form or JSON, values as compact JSON.
struct Arguments {
    std::map<std::string, std::string, std::less<>> values;

    std::string_view raw(std::string_view name) const {
        auto found = values.find(name);
        return found == values.end() ? std::string_view() : std::string_view(found->second);
    }
    std::string text(std::string_view name) const { return plain(raw(name)); }
};

bool read_arguments(World &world, const Request &request, Arguments &arguments) try {
    auto add_form = [&](std::string_view form) {
        for (const auto &[name, value] : form_fields(form))
            arguments.values[name] = in_quotes(value);
    };
    add_form(request.query);
    if (request.header("Content-Type").starts_with("application/json")) {
        std::string body = world.json.compact(request.body);
        for_each_member(
            body, [&](std::string_view name, std::string_view value) { arguments.values[std::string(name)] = value; });
    } else {
        add_form(request.body);
    }
    // In a form, structured arguments are JSON inside a string.
    for (std::string_view name : {"blocks", "attachments"}) {
        auto found = arguments.values.find(name);
        if (found == arguments.values.end() || !found->second.starts_with('"'))
            continue;
        std::string nested = plain(found->second);
        std::size_t length = nested.size();
        nested.resize(length + simdjson::SIMDJSON_PADDING);
        found->second = world.json.compact(std::string_view(nested).substr(0, length));
    }
    return true;
} catch (const simdjson::simdjson_error &) {
    return false;
}

bool is_channel(std::string_view channel) {
    return starts_with_any(channel, {"C", "D", "G", "#"});
}

// "#name" is known by its id from then on.
std::string channel_id(std::string_view channel) {
    if (!channel.starts_with('#'))
        return std::string(channel);
    for (const Channel &known : channels)
        if (known.name == channel.substr(1))
            return std::string(known.id);
    std::string id = "C0";
    for (std::size_t hash = std::hash<std::string_view>()(channel), at = 0; at < 8; ++at, hash /= 36)
        id += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[hash % 36];
    return id;
}

std::string next_ts(SlackChannels &state, std::int64_t now) {
    state.last_ts_us = std::max(state.last_ts_us + 1, now * 1000);
    char text[32];
    std::snprintf(text, sizeof text, "%010lld.%06lld", static_cast<long long>(state.last_ts_us / 1'000'000),
                  static_cast<long long>(state.last_ts_us % 1'000'000));
    return text;
}

void ratelimited(Answer &answer, std::string_view seconds) {
    refuse(answer, "ratelimited");
    answer.status = 429;
    answer.headers.push_back({"Retry-After", std::string(seconds)});
}

// Slack gives every attachment a number and a fallback.
std::string numbered(std::string_view attachments) {
    std::string out = "[";
    int number = 0;
    for_each_element(attachments, [&](std::string_view attachment) {
        std::string fallback(member(attachment, "fallback"));
        out += number++ ? "," : "";
        out += "{\"id\":" + std::to_string(number) +
               ",\"fallback\":" + (fallback.empty() ? "\"[no preview available]\"" : fallback) + '}';
    });
    return out += ']';
}

std::string message_of(const Arguments &arguments, std::string_view ts) {
    std::string message = R"({"type":"message","ts":)" + in_quotes(ts);
    message.append(R"(,"user":")").append(bot_user).append(R"(","bot_id":")").append(bot);
    message.append(R"(","team":")").append(team).append(R"(","text":)");
    message += in_quotes(arguments.text("text"));
    if (std::string_view blocks = arguments.raw("blocks"); blocks.size() > 2)
        message.append(R"(,"blocks":)").append(blocks);
    if (std::string_view attachments = arguments.raw("attachments"); attachments.size() > 2)
        message.append(R"(,"attachments":)").append(numbered(attachments));
    if (std::string_view thread = arguments.raw("thread_ts"); thread.size() > 2)
        message.append(R"(,"thread_ts":)").append(thread);
    return message += '}';
}

bool says_nothing(const Arguments &arguments) {
    return arguments.text("text").empty() && arguments.raw("blocks").size() <= 2 &&
           arguments.raw("attachments").size() <= 2;
}

// What control calls show: the message and where it stands.
std::string record_of(std::string_view channel, std::string_view message) {
    return merged("{\"channel\":" + in_quotes(channel) + '}', message, false);
}

void post_message(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    if (!read_arguments(world, request, arguments))
        return refuse(answer, "invalid_json");
    if (!is_channel(arguments.text("channel")))
        return refuse(answer, "channel_not_found");
    if (says_nothing(arguments))
        return refuse(answer, "no_text");
    std::string channel = channel_id(arguments.text("channel"));
    if (world.settings.slack_channel_rate) {
        std::int64_t &last = world.slack_channels.last_message_ms[channel];
        if (request.now_ms - last < 1000)
            return ratelimited(answer, "1");
        last = request.now_ms;
    }
    std::string ts = next_ts(world.slack_channels, request.now_ms);
    std::string message = message_of(arguments, ts);
    Table &table = world.store.table("slack", "messages");
    if (world.faults.discard)
        table.count_only();
    else
        table.insert(record_of(channel, message), request.now_ms);
    ++world.stats.rows;
    answer.set(200, R"({"ok":true,"channel":)" + in_quotes(channel) + R"(,"ts":)" + in_quotes(ts) + R"(,"message":)" +
                        message + '}');
}

std::optional<std::size_t> find_message(Table &table, const Arguments &arguments) {
    auto position = table.find("ts", arguments.text("ts"));
    if (position && plain(member(table[*position].json(), "channel")) != channel_id(arguments.text("channel")))
        return std::nullopt;
    return position;
}

void update_message(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    if (!read_arguments(world, request, arguments))
        return refuse(answer, "invalid_json");
    if (!is_channel(arguments.text("channel")))
        return refuse(answer, "channel_not_found");
    Table &table = world.store.table("slack", "messages");
    auto position = find_message(table, arguments);
    if (!position)
        return refuse(answer, "message_not_found");
    if (says_nothing(arguments))
        return refuse(answer, "no_text");
    std::string channel = channel_id(arguments.text("channel")), ts = arguments.text("ts");
    std::string message = message_of(arguments, ts);
    table.replace(*position, record_of(channel, message), request.now_ms);
    ++world.stats.rows;
    std::string text = in_quotes(arguments.text("text"));
    answer.set(200, R"({"ok":true,"channel":)" + in_quotes(channel) + R"(,"ts":)" + in_quotes(ts) + R"(,"text":)" +
                        text + R"(,"message":{"type":"message","user":")" + std::string(bot_user) + R"(","text":)" +
                        text + "}}");
}

void delete_message(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    if (!read_arguments(world, request, arguments))
        return refuse(answer, "invalid_json");
    if (!is_channel(arguments.text("channel")))
        return refuse(answer, "channel_not_found");
    Table &table = world.store.table("slack", "messages");
    auto position = find_message(table, arguments);
    if (!position)
        return refuse(answer, "message_not_found");
    table.remove(*position);
    ++world.stats.rows;
    answer.set(200, R"({"ok":true,"channel":)" + in_quotes(channel_id(arguments.text("channel"))) + R"(,"ts":)" +
                        in_quotes(arguments.text("ts")) + '}');
}

std::string user_of(const Person &person) {
    std::string user = R"({"id":")" + std::string(person.id);
    user.append(R"(","team_id":")").append(team).append(R"(","name":")").append(person.name);
    user.append(R"(","deleted":false,"real_name":")").append(person.real_name);
    user.append(R"(","profile":{"real_name":")").append(person.real_name);
    user.append(R"(","real_name_normalized":")").append(person.real_name);
    user.append(R"(","display_name":")").append(person.name);
    user.append(R"(","display_name_normalized":")").append(person.name);
    user.append(R"(","email":")").append(person.email);
    user.append(R"(","avatar_hash":"g0","title":"","phone":"","skype":"","status_text":"","status_emoji":"",)");
    user.append(R"("team":")").append(team);
    return user += R"("},"is_admin":false,"is_owner":false,"is_bot":false,"is_app_user":false,"updated":1700000000})";
}

std::string conversation_of(const Channel &channel) {
    std::string out = R"({"id":")" + std::string(channel.id);
    out.append(R"(","name":")").append(channel.name).append(R"(","name_normalized":")").append(channel.name);
    out.append(R"(","created":1700000000,"creator":"U0ADA00001","is_archived":false,"is_channel":true,)");
    out.append(R"("is_general":)").append(channel.name == "general" ? "true" : "false");
    out.append(R"(,"is_mpim":false,"is_group":false,"is_org_shared":false,"is_im":false,"is_shared":false,)");
    out.append(R"("is_private":false,"is_member":true,"topic":{"value":"","creator":"","last_set":0},)");
    return out += R"("purpose":{"value":"","creator":"","last_set":0},"num_members":5})";
}

// A page of `all`; cursors are positions. Fills `next` with the cursor of the next page, or nothing.
template <class Item, std::size_t N, class Write>
std::string page_of(const Item (&all)[N], const Arguments &arguments, Write write, std::string &next) {
    auto from = static_cast<std::size_t>(std::atoi(arguments.text("cursor").c_str()));
    auto limit = static_cast<std::size_t>(std::atoi(arguments.text("limit").c_str()));
    std::size_t to = limit == 0 ? N : std::min(N, from + limit);
    std::string out = "[";
    for (std::size_t at = from; at < to; ++at)
        out += (at > from ? "," : "") + write(all[at]);
    next = to < N ? std::to_string(to) : "";
    return out += ']';
}

void list_users(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    read_arguments(world, request, arguments);
    std::string next, members = page_of(people, arguments, user_of, next);
    answer.set(200, R"({"ok":true,"cache_ts":1700000000,"members":)" + members +
                        R"(,"response_metadata":{"next_cursor":)" + in_quotes(next) + "}}");
}

void list_conversations(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    read_arguments(world, request, arguments);
    std::string next, list = page_of(channels, arguments, conversation_of, next);
    answer.set(200,
               R"({"ok":true,"channels":)" + list + R"(,"response_metadata":{"next_cursor":)" + in_quotes(next) + "}}");
}

void lookup_by_email(World &world, const Request &request, Answer &answer) {
    Arguments arguments;
    read_arguments(world, request, arguments);
    std::string email = lower(arguments.text("email"));
    for (const Person &person : people)
        if (person.email == email)
            return answer.set(200, R"({"ok":true,"user":)" + user_of(person) + '}');
    refuse(answer, "users_not_found");
}

// A token that begins with xoxb-few may do little.
void auth_test(World &, const Request &request, Answer &answer) {
    const bool may_do_little = request.header("Authorization").starts_with("Bearer xoxb-few");
    answer.headers.push_back(
        {"X-OAuth-Scopes", may_do_little ? "chat:write" : "chat:write,users:read,users:read.email,channels:read"});
    answer.set(200,
               R"({"ok":true,"url":"https://sandbox.slack.com/","team":"Sandbox","user":"reverse_etl","team_id":")" +
                   std::string(team) + R"(","user_id":")" + std::string(bot_user) + R"(","bot_id":")" +
                   std::string(bot) + R"(","is_enterprise_install":false})");
}

void api_test(World &, const Request &, Answer &answer) {
    answer.set(200, R"({"ok":true,"args":{}})");
}

// The token may also stand among the arguments, as older clients send it.
bool authorize(World &world, const Request &request, Answer &answer) {
    std::string_view header = request.header("Authorization");
    std::string token(header.starts_with("Bearer ") ? header.substr(7) : std::string_view());
    if (token.empty()) {
        Arguments arguments;
        read_arguments(world, request, arguments);
        token = arguments.text("token");
    }
    if (token.starts_with("xoxb-"))
        return true;
    refuse(answer, token.empty() ? "not_authed" : "invalid_auth");
    return false;
}

void not_found(const Request &, Answer &answer) {
    refuse(answer, "unknown_method");
}

void fail(Failure failure, const FaultRule &rule, std::int64_t now, Answer &answer) {
    if (failure == Failure::rate_limited) {
        std::string retry_after = rule.retry_after_header(now);
        return ratelimited(answer, retry_after.empty() ? "1" : retry_after);
    }
    refuse(answer, failure == Failure::unavailable ? "service_unavailable" : "internal_error");
    answer.status = failure == Failure::unavailable ? 503 : 500;
}

void finish(World &, Answer &answer) {
    if (answer.content_type == "application/json")
        answer.content_type = "application/json; charset=utf-8";
}

constexpr Route routes[] = {
    {"*", "/api/auth.test", auth_test},
    {"*", "/api/api.test", api_test, true},
    {"*", "/api/chat.postMessage", post_message},
    {"*", "/api/chat.update", update_message},
    {"*", "/api/chat.delete", delete_message},
    {"*", "/api/users.list", list_users},
    {"*", "/api/users.lookupByEmail", lookup_by_email},
    {"*", "/api/conversations.list", list_conversations},
};

} // namespace

extern const Connector slack{"slack", "/api/", routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
