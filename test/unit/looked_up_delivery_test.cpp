#include "engine/requests/looked_up_delivery.h"

#include "follow_up_fixture.h"
#include "uninterested.h"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const std::string lookup =
    R"("lookup": {"request": "POST /search", "rows": 3, "body": {"emails": "{keys}"}, "records": "/found"}, )";
const std::string update = R"("update": {"request": "PUT /things/{key}", "by": "id", "body": {"$columns": "all"},
    "errors": [{"status": 404, "then": "absent"}]}, )";
const std::string upsert = R"("upsert": {"by": "lookup"}, )";
const std::string create =
    R"("create": {"request": "POST /things", "rows": 2, "body": {"things": {"$rows": {"$columns": "all"}}}})";

/// Upserts things by look-ups, as a statement does, or as a loop that serves many.
class Things : public RowsUnderWay {
  public:
    explicit Things(const std::string &url, const std::string &operations = lookup + update + upsert + create,
                    const std::vector<std::string> &key = {"email"},
                    const std::vector<std::string> &fields = {"email", "name"},
                    const std::vector<OperationKind> &write_email = {})
        : connector_(Connector::parse(manifest(operations, key))), object_(connector_.object("things", at(url))) {
        for (ColumnSpec &column : object_.columns)
            if (column.field == "email")
                column.written_by = write_email;
        for (const std::string &field : fields)
            columns_.push_back({field, true, field == "email" ? key_form("lower").value_or(KeyForm()) : KeyForm()});
        operation_.emplace(compile_lookup(object_, columns_, key));
        after_.emplace(update_or_create(object_, columns_, NullAs::clear, NullAs::omit));
        authenticator_ = std::make_unique<Authenticator>(object_.auth, Settings{});
        dispatcher_ =
            std::make_unique<Dispatcher>(*operation_, transport_, waiter_, limiter_, *authenticator_, policy_);
    }

    /// The rows' outcomes; those that are accepted with their ids.
    const Outcomes &upsert_all(const std::vector<Json> &rows) {
        make_delivery(false);
        delivery_->want_ids();
        delivery_->deliver(batches(*operation_, NullAs::null, rows));
        return outcomes;
    }

    /// The same in a loop, where what must not be repeated is held first.
    const Outcomes &upsert_in_loop(const std::vector<Json> &rows) {
        make_delivery(true);
        delivery_->submit(batches(*operation_, NullAs::null, rows));
        run_in_loop(*delivery_);
        return outcomes;
    }

    RowDelivery &delivery() { return *delivery_; }

  private:
    void accepted(std::uint64_t row, const std::string &id) override { note(row, "accepted " + id); }
    void rejected(std::uint64_t row, const std::string &reason, long) override { note(row, reason); }

    static std::string manifest(const std::string &operations, const std::vector<std::string> &key) {
        Json manifest = Json::parse(small_manifest("{" + operations + "}"));
        manifest["objects"]["things"]["key"] = key;
        return manifest.dump();
    }

    void make_delivery(bool holds) {
        delivery_ = std::make_unique<LookedUpDelivery>(
            *operation_, *dispatcher_, *after_,
            DeliveryContext{{transport_, waiter_, limiter_}, *authenticator_, policy_, nullptr, holds},
            static_cast<RowSource &>(*this), *this);
    }

    Connector connector_;
    Object object_;
    std::optional<CompiledOperation> operation_;
    std::optional<AfterLookup> after_;
    const Policy policy_ = one_at_a_time();
    std::unique_ptr<Authenticator> authenticator_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<LookedUpDelivery> delivery_;
};

Json row(const std::string &email, const Json &name = "n") {
    return {{"email", email}, {"name", name}};
}

/// An API that finds things by e-mail, and strictly knows no upsert.
struct Api {
    std::multimap<std::string, std::string> ids; ///< by e-mail
    std::function<bool(const Received &, LoopbackServer::Connection &)> fault = [](auto &, auto &) { return false; };

    ScriptedDestination destination{[this](const Received &request, LoopbackServer::Connection &connection) {
        if (fault(request, connection))
            return;
        if (request.method == "PUT") {
            const std::string id = request.target.substr(std::string("/things/").size());
            const bool known = std::any_of(ids.begin(), ids.end(), [&](const auto &one) { return one.second == id; });
            return connection.answer(known ? 200 : 404, "{}");
        }
        if (request.target == "/search") {
            Json found = Json::array();
            for (const Json &email : request.member("emails"))
                for (auto [one, end] = ids.equal_range(email.get<std::string>()); one != end; ++one)
                    found.insert(found.begin(), Json{{"id", one->second}, {"email", one->first}});
            return connection.answer(200, Json{{"found", found}}.dump());
        }
        for (const Json &thing : request.member("things"))
            ids.emplace(thing.at("email").get<std::string>(), "new" + std::to_string(ids.size() + 1));
        connection.answer(201, "{}");
    }};

    std::string requests() const { return requests_to(destination); }
};

} // namespace

BOOST_AUTO_TEST_CASE(what_is_found_is_updated_and_the_rest_created) {
    for (const bool in_loop : {false, true}) {
        Api api;
        api.ids = {{"a", "1"}, {"c", "3"}};
        Things things(api.destination.url());
        const std::vector<Json> rows = {row("a", nullptr), row("b"), row("c"), row("d", nullptr), row("e")};
        if (in_loop) {
            BOOST_TEST(
                (things.upsert_in_loop(rows) ==
                 Outcomes{{1, "accepted "}, {2, "accepted "}, {3, "accepted "}, {4, "accepted "}, {5, "accepted "}}));
            BOOST_TEST((things.held == std::vector<std::uint64_t>{2, 5}), "creates, and nothing but creates, are held");
            BOOST_TEST(api.destination.count("/things/") == 2u);
            continue;
        }
        BOOST_TEST(
            (things.upsert_all(rows) ==
             Outcomes{{1, "accepted 1"}, {2, "accepted "}, {3, "accepted 3"}, {4, "accepted "}, {5, "accepted "}}));
        BOOST_TEST(api.requests() == R"(POST /search {"emails":["a","b","c"]}
POST /search {"emails":["d","e"]}
PUT /things/1 {"email":"a","name":null}
PUT /things/3 {"email":"c","name":"n"}
POST /things {"things":[{"email":"b","name":"n"},{"email":"d"}]}
POST /things {"things":[{"email":"e","name":"n"}]}
)");
        BOOST_TEST(things.delivery().counts().requests == 6u);
        BOOST_TEST(things.delivery().counts().bytes > 100u);
    }
}

BOOST_AUTO_TEST_CASE(what_follows_a_look_up_may_be_grouped) {
    const std::string by_name =
        R"("update": {"request": "PUT /things/all/{row.name}", "by": "id", "group_by": "name", "rows": 9, "body": {"things": {"$rows": {"id": "{key}"}}}}, )";
    const std::string in_groups =
        R"("create": {"request": "POST /things/{row.name}", "group_by": "name", "rows": 9, "body": {"things": {"$rows": {"email": "{row.email}"}}}})";
    for (const bool in_loop : {false, true}) {
        Api api;
        api.ids = {{"a", "1"}, {"b", "2"}, {"c", "all/x"}, {"d", "all/y"}};
        Things things(api.destination.url(), lookup + by_name + upsert + in_groups);
        const std::vector<Json> rows = {row("a", "x"), row("b", "y"), row("c", "x"), row("e", "x"),
                                        row("f", "y"), row("g", "x"), row("d", "y")};
        const Outcomes &outcomes = in_loop ? things.upsert_in_loop(rows) : things.upsert_all(rows);
        BOOST_TEST(std::count_if(outcomes.begin(), outcomes.end(),
                                 [](const auto &outcome) { return outcome.second.starts_with("accepted"); }) == 7);
        for (const Received &one : api.destination.received())
            if (one.target != "/search")
                for (const Json &thing : one.member("things")) {
                    const std::string name = one.target.substr(one.target.size() - 1);
                    const std::string said = (thing.contains("id") ? thing.at("id") : thing.at("email")).dump();
                    BOOST_TEST(std::string(name == "x" ? R"("1" "all/x" "e" "g")" : R"("2" "all/y" "f")").find(said) !=
                                   std::string::npos,
                               one.target << " " << one.body);
                }
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_is_found_twice_is_rejected) {
    Api api;
    api.ids = {{"a", "1"}, {"a", "2"}};
    Things things(api.destination.url());
    BOOST_TEST((things.upsert_all({row("a"), row("b")}) ==
                Outcomes{{1, "the destination has several rows with this key"}, {2, "accepted "}}));
}

BOOST_AUTO_TEST_CASE(an_empty_key_creates_nothing) {
    for (const char *name : {"", ".", ".."}) {
        Api api;
        Things things(api.destination.url());
        BOOST_TEST(things.upsert_all({row(name)}).at(1).starts_with("an empty text"));
        BOOST_TEST(api.requests() == "");
    }
}

BOOST_AUTO_TEST_CASE(what_is_gone_when_it_is_to_be_updated_is_created) {
    Api api;
    api.ids = {{"a", "1"}};
    api.fault = [&](const Received &request, auto &) {
        if (request.method == "PUT")
            api.ids.clear();
        return false;
    };
    for (const bool in_loop : {false, true}) {
        Things things(api.destination.url());
        BOOST_TEST((in_loop ? things.upsert_in_loop({row("a")}) : things.upsert_all({row("a")})).at(1) == "accepted ");
        BOOST_TEST(api.ids.size() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(no_update_is_sent_that_would_say_nothing) {
    Api api;
    api.ids = {{"a", "1"}};
    Things things(api.destination.url(), lookup + update + upsert + create, {"email"}, {"email"},
                  {OperationKind::create});
    BOOST_TEST((things.upsert_all({row("a"), row("b")}) == Outcomes{{1, "accepted 1"}, {2, "accepted "}}));
    BOOST_TEST(api.requests() == R"(POST /search {"emails":["a","b"]}
POST /things {"things":[{"email":"b"}]}
)");
}

BOOST_AUTO_TEST_CASE(an_update_that_may_have_been_made_is_made_again) {
    Api api;
    api.ids = {{"a", "1"}};
    int puts = 0;
    api.fault = [&](const Received &request, auto &connection) {
        if (request.method != "PUT" || ++puts > 2)
            return false;
        connection.answer(500, "{}");
        return true;
    };
    Things things(api.destination.url());
    BOOST_TEST(things.upsert_all({row("a")}).at(1) == "accepted 1");
    BOOST_TEST(puts == 3);
    BOOST_TEST(api.destination.count("/search") == 1u);
}

BOOST_AUTO_TEST_CASE(a_create_that_may_have_been_made_is_not_made_again) {
    Api api;
    api.fault = [&](const Received &request, auto &connection) {
        if (request.target != "/things")
            return false;
        connection.answer(500, "{}");
        return true;
    };
    for (const bool in_loop : {false, true}) {
        Things things(api.destination.url());
        const std::vector<Json> rows = {row("a"), row("b")};
        const Outcomes outcomes = in_loop ? things.upsert_in_loop(rows) : things.upsert_all(rows);
        BOOST_TEST(outcomes.at(1).starts_with("unknown: "));
        BOOST_TEST(outcomes.at(2).starts_with("unknown: "));
    }
    BOOST_TEST(api.destination.count("/things") == 2u);
}

BOOST_AUTO_TEST_CASE(a_create_with_an_idempotency_key_is_of_one_row_and_made_again) {
    Api api;
    std::map<std::string, int> attempts;
    api.fault = [&](const Received &request, auto &connection) {
        if (request.target != "/things" || ++attempts[request.idempotency_key() + " " + request.body] > 1)
            return false;
        connection.answer(500, "{}");
        return true;
    };
    std::string keyed = create;
    keyed.insert(keyed.rfind('}'), R"(, "idempotency_key": "Idempotency-Key")");
    Things things(api.destination.url(), lookup + update + upsert + keyed);
    BOOST_TEST((things.upsert_in_loop({row("a"), row("b")}) == Outcomes{{1, "accepted "}, {2, "accepted "}}));
    BOOST_TEST(attempts.size() == 2u, "a request for each row, the same at each attempt");
    BOOST_TEST(api.destination.count("/things") == 4u);
}

BOOST_AUTO_TEST_CASE(a_fault_of_the_look_up_creates_nothing) {
    for (const bool in_loop : {false, true}) {
        Api api;
        api.fault = [&](const Received &request, auto &connection) {
            if (request.target == "/search")
                connection.answer(401, R"({"message": "expired"})");
            return request.target == "/search";
        };
        Things things(api.destination.url());
        if (in_loop)
            BOOST_CHECK_THROW(things.upsert_in_loop({row("a")}), DestinationError);
        else
            BOOST_CHECK_THROW(things.upsert_all({row("a")}), DestinationError);
        BOOST_TEST(api.destination.count("/things") == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_row_that_makes_too_large_a_request_is_rejected) {
    Api api;
    std::string small = create;
    small.insert(small.rfind('}'), R"(, "bytes": 100)");
    Things things(api.destination.url(), lookup + update + upsert + small);
    const Outcomes outcomes =
        things.upsert_all({row("a"), row("b", std::string(200, 'x')), row("c", std::string(50, 'x')), row("d")});
    BOOST_TEST(outcomes.at(2).starts_with("the row makes a request of "));
    BOOST_TEST(outcomes.at(1) == "accepted ");
    BOOST_TEST(outcomes.at(3) == "accepted ");
    BOOST_TEST(outcomes.at(4) == "accepted ");
}

BOOST_AUTO_TEST_CASE(what_is_withdrawn_is_every_row_that_was_not_sent) {
    Api api;
    api.ids = {{"a", "1"}};
    Things things(api.destination.url());
    api.fault = [&](const Received &request, auto &connection) {
        if (request.method == "PUT")
            connection.answer(403, "{}");
        return request.method == "PUT";
    };
    BOOST_CHECK_THROW(things.upsert_all({row("a"), row("b"), row("c")}), DestinationError);
    std::size_t rows = 0;
    for (const std::unique_ptr<Job> &job : things.delivery().withdraw())
        rows += job->batch.rows().size();
    BOOST_TEST(rows + things.outcomes.size() == 2u, "the row that failed is not among them");
}

BOOST_AUTO_TEST_CASE(a_key_of_several_fields) {
    ScriptedDestination destination([](const Received &request, auto &connection) {
        if (request.method != "GET" && request.target != "/search")
            return connection.answer(200, "{}");
        // Pairs that read alike when they are put together are different keys.
        connection.answer(200, R"({"found": [{"id": 7, "email": "ab", "name": "c"}]})");
    });
    const std::string by_both = R"("lookup": {"by": ["name", "email"], "request": "POST /search", "rows": 10,
        "body": {"pairs": {"$rows": ["{row.email}", "{row.name}"]}}, "records": "/found"}, )";
    Things things(destination.url(), by_both + update + upsert + create, {"email", "name"});
    things.upsert_all({row("a", "bc"), row("ab", "c")});
    const std::vector<Received> received = destination.received();
    BOOST_TEST(received.size() == 3u);
    BOOST_TEST((received[0].member("pairs") == Json::array({Json::array({"a", "bc"}), Json::array({"ab", "c"})})));
    BOOST_TEST(received[1].target == "/things/7");
    BOOST_TEST((received[2].member("things") == Json::array({row("a", "bc")})));
}

BOOST_AUTO_TEST_CASE(each_request_counts_against_the_limits) {
    Api api;
    api.ids = {{"a", "1"}};
    std::string operations = lookup + update + upsert + create;
    for (const char *request : {"\"request\": \"POST /search\"", "\"request\": \"PUT", "\"request\": \"POST /things\""})
        operations.insert(operations.find(request),
                          R"("rate_limits": [{"name": "all", "requests": 2, "seconds": 1}], )");
    Things things(api.destination.url(), operations);
    things.upsert_all({row("a"), row("b")});
    const std::vector<Received> received = api.destination.received();
    BOOST_TEST(received.size() == 3u);
    BOOST_TEST((received[2].at - received[0].at > std::chrono::milliseconds(900)), "the third waits for the window");
}
