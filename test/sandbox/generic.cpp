// A JSON endpoint as in-house APIs have it: /http/<any path> takes rows and gives them back.
#include "json.h"
#include "router.h"
#include "text.h"
#include "world.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::string_view key_member = "email";

using simdjson::ondemand::json_type;

struct Rows {
    std::string text; // the rows' compact objects, one after the other
    std::vector<std::pair<std::size_t, std::size_t>> ranges;

    void add(simdjson::ondemand::value row) {
        std::size_t begin = text.size();
        append_compact(text, row);
        ranges.emplace_back(begin, text.size() - begin);
    }
    void add_all(simdjson::ondemand::array array) {
        for (simdjson::ondemand::value row : array)
            add(row);
    }
    std::string_view operator[](std::size_t at) const {
        return std::string_view(text).substr(ranges[at].first, ranges[at].second);
    }
};

// An array is its rows; so is an object whose only array it is; any other object is one row.
void read_rows(JsonBody &json, std::string_view body, Rows &rows) {
    rows.text.reserve(body.size());
    simdjson::ondemand::document document = json.parse(body);
    if (document.type() == json_type::array) {
        rows.add_all(document.get_array());
        return require_end(document);
    }
    int arrays = 0;
    for (simdjson::ondemand::field field : document.get_object())
        arrays += field.value().type() == json_type::array;
    document.rewind();
    if (arrays != 1) {
        rows.add(document.get_value());
        return require_end(document);
    }
    for (simdjson::ondemand::field field : document.get_object())
        if (field.value().type() == json_type::array)
            rows.add_all(field.value().get_array());
    require_end(document);
}

void refuse(Answer &answer, int status, std::string_view error) {
    answer.set(status, "{\"error\":" + in_quotes(error) + '}');
}

bool is_valid_email(std::string_view raw) {
    return raw.empty() || raw == "null" || raw.find('@') != raw.npos;
}

void store_row(Table &table, std::string_view row, std::int64_t now) {
    std::string_view key = row.starts_with('{') ? member(row, key_member) : std::string_view();
    auto existing = is_empty_value(key) || key.empty() ? std::nullopt : table.find(key_member, inner(key));
    if (existing)
        table.replace(*existing, row, now);
    else
        table.insert(row, now);
}

void accept_rows(Answer &answer, std::size_t count) {
    answer.body += R"({"ok":true,"rows":)";
    append_number(answer.body, static_cast<std::int64_t>(count));
    answer.body += '}';
}

// What was asked for before under the same key is not done again, and must be the same.
bool is_repeated(World &world, const Request &request, Answer &answer, std::string_view path, std::size_t count) {
    std::string_view key = request.header("Idempotency-Key");
    if (key.empty())
        return false;
    std::string name = std::string(path) + ' ' + std::string(key);
    auto [known, is_new] = world.http_repeats.try_emplace(name, request.body);
    if (is_new)
        return false;
    if (known->second != request.body) {
        refuse(answer, 422, "the idempotency key belongs to another request");
        return true;
    }
    ++world.stats.repeated;
    accept_rows(answer, count);
    return true;
}

void store_rows(World &world, const Request &request, Answer &answer, std::string_view path) {
    Rows rows;
    read_rows(world.json, request.body, rows);
    for (std::size_t at = 0; at < rows.ranges.size(); ++at)
        if (rows[at].starts_with('{') && !is_valid_email(member(rows[at], key_member)))
            return refuse(answer, 400, "row " + std::to_string(at + 1) + ": invalid email");
    if (is_repeated(world, request, answer, path, rows.ranges.size()))
        return;
    Table &table = world.store.table("http", path);
    for (std::size_t at = 0; at < rows.ranges.size(); ++at)
        if (world.faults.discard)
            table.count_only();
        else
            store_row(table, rows[at], request.now_ms);
    world.stats.rows += rows.ranges.size();
    accept_rows(answer, rows.ranges.size());
}

// {path}/{key} where {path} has rows: the row with that e-mail or "id".
struct Place {
    Table *table = nullptr;
    std::optional<std::size_t> position;
};

Place place_of(World &world, std::string_view path) {
    std::size_t slash = path.rfind('/');
    if (slash == path.npos || world.store.existing("http", path))
        return {};
    Place place{world.store.existing("http", path.substr(0, slash)), {}};
    if (!place.table)
        return {};
    std::string key = in_quotes(path.substr(slash + 1));
    for (std::string_view name : {key_member, std::string_view("id")})
        if (!place.position)
            place.position = place.table->find(name, inner(key));
    return place;
}

void write(World &world, const Request &request, Answer &answer) try {
    const std::string &path = request.parameters[0];
    if (request.body.empty())
        return refuse(answer, 400, "the body is empty");
    Place place = request.method == "POST" ? Place() : place_of(world, path);
    if (!place.table)
        return store_rows(world, request, answer, path);
    if (!place.position)
        return refuse(answer, 404, "not found");
    std::string row = world.json.compact(request.body);
    if (request.method == "PATCH")
        row = merged((*place.table)[*place.position].json(), row, false);
    place.table->replace(*place.position, row, request.now_ms);
    ++world.stats.rows;
    answer.body = row;
} catch (const simdjson::simdjson_error &error) {
    refuse(answer, 400, std::string("invalid JSON: ") + error.what());
}

void remove(World &world, const Request &request, Answer &answer) {
    Place place = place_of(world, request.parameters[0]);
    if (!place.position)
        return refuse(answer, 404, "not found");
    place.table->remove(*place.position);
    ++world.stats.rows;
    answer.status = 204;
}

std::size_t number(const Fields &query, std::string_view name, std::size_t otherwise) {
    std::string_view text = field(query, name);
    return text.empty() ? otherwise : static_cast<std::size_t>(std::atoll(std::string(text).c_str()));
}

void list(const Table *table, const Request &request, Answer &answer) {
    Fields query = form_fields(request.query);
    bool paged = field(query, "paged") == "1";
    std::size_t limit = number(query, "limit", paged ? 100 : static_cast<std::size_t>(-1));
    std::size_t skip = number(query, "offset", 0);
    std::size_t position = number(query, "cursor", 0);
    std::size_t count = 0;
    answer.body += paged ? "{\"items\":[" : "[";
    for (; table && position < table->end() && count < limit; ++position) {
        if (!table->holds(position))
            continue;
        if (skip > 0) {
            --skip;
            continue;
        }
        if (count++ > 0)
            answer.body += ',';
        answer.body += (*table)[position].json();
    }
    while (table && position < table->end() && !table->holds(position))
        ++position;
    answer.body += ']';
    if (paged) {
        bool more = table && position < table->end();
        answer.body += ",\"next\":" + (more ? in_quotes(std::to_string(position)) : "null") + '}';
    }
}

void read(World &world, const Request &request, Answer &answer) {
    const std::string &path = request.parameters[0];
    Place place = place_of(world, path);
    if (place.position)
        answer.body = (*place.table)[*place.position].json();
    else if (place.table)
        refuse(answer, 404, "not found");
    else
        list(world.store.existing("http", path), request, answer);
}

bool authorize(World &world, const Request &request, Answer &answer) {
    const Header &wanted = world.settings.http_credentials;
    if (wanted.name.empty() || request.header(wanted.name) == wanted.value)
        return true;
    refuse(answer, 401, "unauthorized");
    return false;
}

void not_found(const Request &, Answer &answer) {
    refuse(answer, 404, "not found");
}

void fail(Failure failure, const FaultRule &rule, std::int64_t now, Answer &answer) {
    switch (failure) {
    case Failure::rate_limited:
        refuse(answer, 429, "too many requests");
        break;
    case Failure::unavailable:
        refuse(answer, 503, "service unavailable");
        break;
    case Failure::broken:
        refuse(answer, 500, "internal server error");
        return;
    }
    if (std::string retry_after = rule.retry_after_header(now); !retry_after.empty())
        answer.headers.push_back({"Retry-After", retry_after});
}

void finish(World &, Answer &) {}

constexpr Route routes[] = {
    {"POST", "/http/{path...}", write},    {"PUT", "/http/{path...}", write}, {"PATCH", "/http/{path...}", write},
    {"DELETE", "/http/{path...}", remove}, {"GET", "/http/{path...}", read},
};

} // namespace

extern const Connector generic{"http", "/http/", routes, authorize, not_found, fail, finish};

} // namespace reverse_etl::sandbox
