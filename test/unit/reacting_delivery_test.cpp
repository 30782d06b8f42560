#include "engine/requests/reacting_delivery.h"

#include "follow_up_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <numeric>
#include <set>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const std::string unarchive = R"({"unarchive": {"request": "POST /things/{key}/unarchive"}})";

std::string update_with(const std::string &then, const std::string &more = "") {
    return R"({"create": {"request": "POST /things", "body": {"$columns": "all"}},
               "lookup": {"request": "GET /things/{key}", "errors": [{"status": 404, "then": "absent"}]},
               "update": {"request": "PUT /things/{key}", "body": {"$columns": "all"},
                          "errors": [{"status": [404, 409], "then": )" +
           then + "}]" + more + "}}";
}

/// Updates things that are named by their e-mail: as a statement does, or as a loop that serves many.
class Things : public RowsUnderWay {
  public:
    Things(const std::string &url, const std::string &operations, const std::string &reactions = "",
           const std::vector<StatementColumn> &columns = {{"name", true}, {"email", false}}, int key = 1,
           OperationKind kind = OperationKind::update, const std::string &scope = "of the test")
        : connector_(Connector::parse(manifest(operations, reactions))), object_(connector_.object("things", at(url))),
          operation_(object_, object_.operations.at(kind), columns, key, {}), policy_(one_at_a_time(scope)),
          authenticator_(object_.auth, Settings{}),
          dispatcher_(operation_, transport_, waiter_, limiter_, authenticator_, policy_),
          reactions_(compile_reactions(operation_, {NullAs::clear, NullAs::omit})) {
        columns_ = columns;
    }

    const Outcomes &deliver(const std::vector<Json> &rows) {
        make_delivery(false);
        delivery->deliver(batches(operation_, NullAs::clear, rows));
        return outcomes;
    }

    const Outcomes &deliver_in_loop(const std::vector<Json> &rows) {
        make_delivery(true);
        delivery->submit(batches(operation_, NullAs::clear, rows));
        run_in_loop(*delivery);
        return outcomes;
    }

    std::vector<std::uint64_t> put_off_rows;
    std::unique_ptr<ReactingDelivery> delivery;

  private:
    void accepted(std::uint64_t row, const std::string &) override { note(row, "accepted"); }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        note(row, reason + " (" + std::to_string(status) + ")");
    }
    void put_off(const Batch &batch) override { put_off_rows.push_back(batch.rows().front().number); }
    static std::string manifest(const std::string &operations, const std::string &reactions) {
        Json manifest = Json::parse(small_manifest(operations));
        Json &things = manifest["objects"]["things"];
        things["columns"]["_rev"] = {{"type", "text"}, {"write", false}};
        if (!reactions.empty())
            things["reactions"] = Json::parse(reactions);
        return manifest.dump();
    }

    void make_delivery(bool holds) {
        if (holds && !operation_.spec().idempotent)
            dispatcher_.hold_starts();
        delivery = std::make_unique<ReactingDelivery>(
            operation_, dispatcher_, reactions_,
            DeliveryContext{{transport_, waiter_, limiter_}, authenticator_, policy_, nullptr, holds},
            static_cast<RowSource &>(*this), *this);
    }

    Connector connector_;
    Object object_;
    CompiledOperation operation_;
    const Policy policy_;
    Authenticator authenticator_;
    Dispatcher dispatcher_;
    Reactions reactions_;
};

Json row(const std::string &email, const Json &name = "n") {
    return {{"email", email}, {"name", name}};
}

/// An API that is strict: what is archived cannot be written, what is not there not updated, and who writes says of
/// which revision.
struct Api {
    std::set<std::string> archived, missing;
    std::map<std::string, std::string> revisions; ///< by e-mail
    std::function<bool(const Received &, LoopbackServer::Connection &)> fault = [](auto &, auto &) { return false; };

    ScriptedDestination destination{[this](const Received &request, LoopbackServer::Connection &connection) {
        if (fault(request, connection))
            return;
        std::string name = request.target.substr(std::min(request.target.size(), std::string("/things/").size()));
        if (const std::size_t slash = name.find('/'); slash != name.npos) {
            archived.erase(name.substr(0, slash));
            return connection.answer(200, "{}");
        }
        if (request.method == "GET") {
            const auto found = revisions.find(name);
            return connection.answer(
                found == revisions.end() ? 404 : 200,
                found == revisions.end() ? "{}" : Json{{"id", "1"}, {"email", name}, {"_rev", found->second}}.dump());
        }
        const Json body = Json::parse(request.body);
        if (request.method == "POST" && request.target == "/things") {
            missing.erase(body.at("email").get<std::string>());
            return connection.answer(201, "{}");
        }
        if (missing.contains(name))
            return connection.answer(404, R"({"message": "gone"})");
        const bool conflicts = revisions.contains(name) && body.value("_rev", "") != revisions[name];
        if (archived.contains(name) || conflicts)
            return connection.answer(409, R"({"message": "conflict"})");
        connection.answer(200, "{}");
    }};

    std::string requests() const { return requests_to(destination); }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_named_request_and_then_the_same_again) {
    for (const bool in_loop : {false, true}) {
        Api api;
        api.archived = {"b"};
        Things things(api.destination.url(), update_with(R"({"try": "unarchive", "and": "again"})"), unarchive);
        const std::vector<Json> rows = {row("a"), row("b", nullptr)};
        BOOST_TEST(((in_loop ? things.deliver_in_loop(rows) : things.deliver(rows)) ==
                    Outcomes{{1, "accepted"}, {2, "accepted"}}));
        BOOST_TEST(api.requests() == "PUT /things/a {\"name\":\"n\"}\nPUT /things/b {\"name\":null}\n"
                                     "POST /things/b/unarchive \nPUT /things/b {\"name\":null}\n");
        BOOST_TEST(things.delivery->counts().requests == 4u);
        BOOST_TEST((things.put_off_rows == std::vector<std::uint64_t>{2}));
        BOOST_TEST(things.held.empty(), "all of it may be made twice");
    }
}

BOOST_AUTO_TEST_CASE(another_operation_takes_the_place) {
    for (const bool in_loop : {false, true}) {
        Api api;
        api.missing = {"b"};
        Things things(api.destination.url(), update_with(R"({"try": "create"})"));
        const std::vector<Json> rows = {row("a"), row("b", nullptr)};
        BOOST_TEST(((in_loop ? things.deliver_in_loop(rows) : things.deliver(rows)) ==
                    Outcomes{{1, "accepted"}, {2, "accepted"}}));
        BOOST_TEST(api.requests() == "PUT /things/a {\"name\":\"n\"}\nPUT /things/b {\"name\":null}\n"
                                     "POST /things {\"email\":\"b\"}\n");
        BOOST_TEST(things.held.size() == (in_loop ? 1u : 0u), "a create is noted before it is made");
    }
}

BOOST_AUTO_TEST_CASE(what_is_found_goes_with_the_row) {
    for (const bool in_loop : {false, true}) {
        Api api;
        api.revisions = {{"b", "2-\"x"}};
        Things things(api.destination.url(), update_with(R"({"try": "lookup", "and": "again", "with": "_rev"})"));
        const std::vector<Json> rows = {row("a"), row("b")};
        BOOST_TEST(((in_loop ? things.deliver_in_loop(rows) : things.deliver(rows)) ==
                    Outcomes{{1, "accepted"}, {2, "accepted"}}));
        BOOST_TEST(api.requests() == "PUT /things/a {\"name\":\"n\"}\nPUT /things/b {\"name\":\"n\"}\n"
                                     "GET /things/b \nPUT /things/b {\"name\":\"n\",\"_rev\":\"2-\\\"x\"}\n");
    }
}

BOOST_AUTO_TEST_CASE(rows_are_looked_up_together) {
    for (const bool in_loop : {false, true}) {
        std::vector<std::size_t> asked;
        const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
            const Json body = Json::parse(request.body);
            if (request.method == "PUT")
                return connection.answer(body.contains("_rev") ? 200 : 409, "{}");
            Json found = Json::array();
            for (const Json &key : body.at("keys"))
                if (key != "c")
                    found.push_back({{"email", key}, {"_rev", "of " + key.get<std::string>()}});
            asked.push_back(body.at("keys").size());
            connection.answer(200, Json{{"found", found}}.dump());
        });
        Things things(
            destination.url(),
            R"({"lookup": {"request": "POST /lookup", "rows": 3, "body": {"keys": "{keys}"}, "records": "/found"},
                          "update": {"request": "PUT /things/{key}", "body": {"$columns": "all"},
                                     "errors": [{"status": 409, "then": {"try": "lookup", "and": "again", "with": "_rev"}}]}})");
        const std::vector<Json> rows = {row("a"), row("b"), row("c"), row("d")};
        const Outcomes outcomes = in_loop ? things.deliver_in_loop(rows) : things.deliver(rows);
        BOOST_TEST((outcomes == Outcomes{{1, "accepted"},
                                         {2, "accepted"},
                                         {3, "\"lookup\", tried in reaction, finds no such row (0)"},
                                         {4, "accepted"}}));
        BOOST_TEST(std::accumulate(asked.begin(), asked.end(), std::size_t()) == 4u);
        if (!in_loop)
            BOOST_TEST((asked == std::vector<std::size_t>{3, 1}));
    }
}

/// A create that is refused for a thing that is there, and perhaps archived.
std::string create_with(const std::string &then) {
    return R"({"create": {"request": "POST /things", "body": {"$columns": "all"},
                          "errors": [{"status": 409, "then": )" +
           then + R"(}]},
               "update": {"request": "PUT /things/{key}", "by": "id", "body": {"$columns": "all"}}})";
}
const std::string unarchive_and_update =
    R"({"try": "unarchive", "and": "update", "keep": {"id": {"at": ["/no", "/why"], "after": "id=", "before": ";"}}})";

/// What becomes of a row whose create is answered so, and the requests that were made.
std::pair<std::string, std::string> refused_with(const std::string &then, const std::string &answer, bool in_loop,
                                                 const std::string &reactions = unarchive) {
    const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
        connection.answer(request.target == "/things" ? 409 : 200, request.target == "/things" ? answer : "{}");
    });
    Things things(destination.url(), create_with(then), reactions, {{"name", true}, {"email", true}}, 1,
                  OperationKind::create);
    const std::string outcome = (in_loop ? things.deliver_in_loop({row("a")}) : things.deliver({row("a")})).at(1);
    return {outcome, requests_to(destination)};
}

BOOST_AUTO_TEST_CASE(what_the_refusal_tells_names_the_row_from_then_on) {
    using Made = std::pair<std::string, std::string>;
    const std::string created = "POST /things {\"name\":\"n\",\"email\":\"a\"}\n";
    for (const bool in_loop : {false, true}) {
        BOOST_TEST((refused_with(unarchive_and_update, R"({"why": "id=no id=7/x; gone"})", in_loop) ==
                    Made{"accepted", created + "POST /things/7%2Fx/unarchive \n"
                                               "PUT /things/7%2Fx {\"name\":\"n\",\"email\":\"a\"}\n"}));
        BOOST_TEST((refused_with(R"({"try": "update", "keep": {"id": "/with/0"}})", R"({"with": [42]})", in_loop) ==
                    Made{"accepted", created + "PUT /things/42 {\"name\":\"n\",\"email\":\"a\"}\n"}));
        // It may stand anywhere in a request.
        BOOST_TEST((refused_with(R"({"try": "restore", "keep": {"id": "/id"}})", R"({"id": 42})", in_loop,
                                 R"({"restore": {"request": "POST /restore", "body": {"ids": ["{row.id}"]}}})") ==
                    Made{"accepted", created + "POST /restore {\"ids\":[42]}\n"}));
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_that_tells_nothing_rejects_the_row) {
    for (const char *answer : {R"({"message": "no"})", R"({"message": "no", "why": "7"})",
                               R"({"message": "no", "why": "id="})", R"({"message": "no", "why": true})",
                               R"({"message": "no", "why": ["id=7"]})", R"({"message": "no", "why": null})"}) {
        const auto [outcome, requests] = refused_with(unarchive_and_update, answer, false);
        BOOST_TEST(outcome.find("(\"unarchive\" is not tried: the answer does not tell \"id\") (409)") != outcome.npos,
                   outcome);
        BOOST_TEST(requests.find("unarchive") == requests.npos, requests);
    }
    const auto [long_one, none] =
        refused_with(unarchive_and_update, Json{{"why", "id=" + std::string(1001, '7')}}.dump(), false);
    BOOST_TEST(long_one.find("does not tell") != long_one.npos);
    // What would name something else than a row is not asked for.
    const auto [outcome, requests] = refused_with(unarchive_and_update, R"({"why": "id=.."})", false);
    BOOST_TEST(outcome.find("names no row") != outcome.npos, outcome);
    BOOST_TEST(requests.find("unarchive") == requests.npos, requests);
}

BOOST_AUTO_TEST_CASE(the_second_request_has_another_key) {
    Api api;
    api.archived = {"a"};
    Things things(api.destination.url(),
                  update_with(R"({"try": "unarchive", "and": "again"})", R"(, "idempotency_key": "Idempotency-Key")"),
                  unarchive);
    BOOST_TEST(things.deliver({row("a")}).at(1) == "accepted");
    const std::vector<Received> received = api.destination.received();
    BOOST_TEST(received.size() == 3u);
    BOOST_TEST(!received.front().idempotency_key().empty());
    BOOST_TEST(!received.back().idempotency_key().empty());
    BOOST_TEST(received.front().idempotency_key() != received.back().idempotency_key());
}

BOOST_AUTO_TEST_CASE(what_is_tried_has_a_key_of_its_own_wherever_it_goes) {
    std::set<std::string> keys;
    const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
        keys.insert(request.idempotency_key());
        connection.answer(keys.size() == 1 ? 409 : 200, "{}");
    });
    Things things(
        destination.url(),
        update_with(R"({"try": "unarchive", "and": "again"})", R"(, "idempotency_key": "Idempotency-Key")"),
        R"({"unarchive": {"request": "PUT /things/{key}", "body": {"archived": false}, "idempotency_key": "Idempotency-Key"}})");
    BOOST_TEST(things.deliver({row("a")}).at(1) == "accepted");
    BOOST_TEST(keys.size() == 3u);
}

/// Where requests are noted, since they may come again after a crash, that is; a statement makes the same one again.
BOOST_AUTO_TEST_CASE(a_key_that_was_drawn_makes_nothing_safe) {
    for (const bool in_loop : {false, true}) {
        std::vector<std::string> keys;
        const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
            if (request.target.ends_with("/unarchive"))
                return connection.answer(200, "{}");
            keys.push_back(request.idempotency_key());
            connection.answer(keys.size() == 1 ? 409 : keys.size() == 2 ? 500 : 201, "{}");
        });
        Things things(
            destination.url(),
            R"({"create": {"request": "POST /things", "body": {"$columns": "all"}, "idempotency_key": "Idempotency-Key",
                          "errors": [{"status": 409, "then": {"try": "unarchive", "and": "again"}}]}})",
            unarchive, {{"name", true}, {"email", true}}, 1, OperationKind::create, "");
        const std::string outcome = (in_loop ? things.deliver_in_loop({row("a")}) : things.deliver({row("a")})).at(1);
        BOOST_TEST(outcome.starts_with(in_loop ? "unknown: outcome unknown" : "accepted"), outcome);
        BOOST_TEST(keys.size() == (in_loop ? 2u : 3u));
        BOOST_TEST(keys.at(0) != keys.at(1));
        BOOST_TEST(keys.back() == keys.at(1));
    }
}

BOOST_AUTO_TEST_CASE(a_create_of_which_nothing_is_said_is_told_as_unknown) {
    const ScriptedDestination destination([](const Received &request, LoopbackServer::Connection &connection) {
        connection.answer(request.method == "PUT" ? 404 : 200, R"({"results": []})");
    });
    Things things(destination.url(),
                  R"({"create": {"request": "POST /things", "body": {"$columns": "all"},
                                 "outcome": [{"each": "/results", "row": [{"key": "/email"}]}]},
                      "update": {"request": "PUT /things/{key}", "body": {"$columns": "all"},
                                 "errors": [{"status": 404, "then": {"try": "create", "and": "again"}}]}})");
    const std::string outcome = things.deliver({row("a")}).at(1);
    BOOST_TEST(outcome.starts_with("outcome unknown, the destination may have the row: "), outcome);
    BOOST_TEST(outcome.find("(\"create\", tried in reaction)") != outcome.npos, outcome);
}

BOOST_AUTO_TEST_CASE(once_a_row) {
    Api api;
    api.fault = [](const Received &request, auto &connection) {
        if (request.method != "PUT")
            return false;
        connection.answer(409, R"({"message": "still so"})");
        return true;
    };
    for (const bool in_loop : {false, true}) {
        Things things(api.destination.url(), update_with(R"({"try": "unarchive", "and": "again"})"), unarchive);
        const std::string outcome = (in_loop ? things.deliver_in_loop({row("a")}) : things.deliver({row("a")})).at(1);
        BOOST_TEST(outcome.find("still so") != outcome.npos);
        BOOST_TEST(things.delivery->counts().requests == 3u);
    }
}

BOOST_AUTO_TEST_CASE(a_reaction_that_fails_rejects_the_row) {
    Api api;
    api.archived = {"a"};
    api.fault = [](const Received &request, auto &connection) {
        if (!request.target.ends_with("/unarchive"))
            return false;
        connection.answer(422, R"({"message": "never"})");
        return true;
    };
    Things things(api.destination.url(), update_with(R"({"try": "unarchive", "and": "again"})"), unarchive);
    const std::string outcome = things.deliver({row("a")}).at(1);
    BOOST_TEST(outcome.starts_with("\"unarchive\", tried in reaction, failed: "), outcome);
    BOOST_TEST(things.delivery->counts().requests == 2u);

    Api empty;
    empty.archived = {"a"};
    Things lost(empty.destination.url(), update_with(R"({"try": "lookup", "and": "again", "with": "_rev"})"));
    BOOST_TEST(lost.deliver({row("a")}).at(1) == "\"lookup\", tried in reaction, finds no such row (0)");
}

BOOST_AUTO_TEST_CASE(a_create_in_reaction_that_may_have_been_made_is_not_made_again) {
    Api api;
    api.missing = {"a"};
    api.fault = [](const Received &request, auto &connection) {
        if (request.method != "POST")
            return false;
        connection.answer(500, "{}");
        return true;
    };
    for (const bool in_loop : {false, true}) {
        Things things(api.destination.url(), update_with(R"({"try": "create"})"));
        BOOST_TEST((in_loop ? things.deliver_in_loop({row("a")}) : things.deliver({row("a")}))
                       .at(1)
                       .starts_with("unknown: outcome unknown"));
        BOOST_TEST(things.delivery->counts().requests == 2u);
    }
}

BOOST_AUTO_TEST_CASE(what_would_make_another_row_is_not_tried) {
    Api api;
    api.missing = {"7"};
    Things things(api.destination.url(), update_with(R"({"try": "create"})"), "", {{"name", true}, {"id", false}}, 1);
    const std::string outcome = things.deliver({{{"id", "7"}, {"name", "n"}}}).at(1);
    BOOST_TEST(outcome.find("\"create\" is not tried: \"create\" does not write what the row is named by") !=
                   outcome.npos,
               outcome);
    BOOST_TEST(things.delivery->counts().requests == 1u);
}

BOOST_AUTO_TEST_CASE(rows_of_a_batch_are_tried_alone) {
    std::set<std::string> archived = {"b"};
    const ScriptedDestination destination([&](const Received &request, LoopbackServer::Connection &connection) {
        if (request.target.ends_with("/unarchive")) {
            archived.erase("b");
            return connection.answer(200, "{}");
        }
        bool refused = false;
        for (const Json &thing : request.member("things"))
            refused |= archived.contains(thing.at("email").get<std::string>());
        connection.answer(refused ? 409 : 200, "{}");
    });
    Things things(
        destination.url(),
        R"({"create": {"request": "POST /things", "rows": 3, "body": {"things": {"$rows": {"$columns": "all"}}},
                      "errors": [{"status": 409, "then": {"try": "unarchive", "and": "again"}}]}})",
        unarchive, {{"name", true}, {"email", true}}, 1, OperationKind::create);
    BOOST_TEST((things.deliver_in_loop({row("a"), row("b"), row("c")}) ==
                Outcomes{{1, "accepted"}, {2, "accepted"}, {3, "accepted"}}));
    BOOST_TEST(archived.empty());
}
