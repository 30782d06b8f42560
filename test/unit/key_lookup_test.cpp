#include "engine/requests/key_lookup.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

using Outcomes = std::map<std::uint64_t, std::string>;

/// Looks HubSpot's contacts up by their e-mail, as a loop does that serves many.
struct Contacts : OutcomeSink {
    explicit Contacts(const std::string &url)
        : line(built_in_connector("hubspot"), "contacts", OperationKind::lookup, {}, "email", {{"base_url", url}},
               {{"access_token", "t"}}, quick(), {"hs_object_id", "email"}),
          lookup(line.bound.operation, line.dispatcher, *this,
                 [this](std::uint64_t row, const std::string &id) { note(row, id); }) {}

    void accepted(std::uint64_t row, const std::string &) override { note(row, "accepted"); }
    void absent(std::uint64_t row) override { note(row, "absent"); }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        note(row, "rejected: " + reason + " (" + std::to_string(status) + ")");
    }
    void failed(const Batch &batch, const DestinationError &error) override {
        for (const BatchRow &row : batch.rows())
            note(row.number, std::string("failed: ") + error.what());
    }
    void note(std::uint64_t row, const std::string &outcome) {
        BOOST_TEST(outcomes.emplace(row, outcome).second, "a second outcome of row " << row << ": " << outcome);
    }

    const Outcomes &find(const std::vector<std::string> &keys) {
        std::vector<Batch> batches;
        batches.emplace_back(line.bound.operation.frame());
        for (std::size_t i = 0; i < keys.size(); ++i)
            add_row(batches.back(), line.bound.operation, i + 1, {keys[i]});
        lookup.submit(std::move(batches));
        while (line.dispatcher.jobs() > 0) {
            Clock::time_point next = std::min(lookup.start_ready(), Clock::now() + std::chrono::seconds(1));
            std::vector<Finished> finished;
            line.transport.run(line.waiter, next, finished);
            for (const Finished &one : finished)
                BOOST_TEST(lookup.take(one));
        }
        return outcomes;
    }

    Line line;
    KeyLookup lookup;
    Outcomes outcomes;
};

Json record(const std::string &id, const std::string &email) {
    return {{"id", id}, {"properties", {{"email", email}}}};
}

std::string results(const Json &records) {
    return Json{{"results", records}}.dump();
}

/// Answers every request in the same way.
ScriptedDestination::Script always(int status, const std::string &body) {
    return [=](const Received &, auto &connection) { connection.answer(status, body); };
}

std::vector<std::string> keys_in(const Received &request) {
    std::vector<std::string> keys;
    for (const Json &input : request.member("inputs"))
        keys.push_back(input["id"]);
    return keys;
}

} // namespace

BOOST_AUTO_TEST_CASE(ids_are_found_whatever_the_order) {
    ScriptedDestination hubspot(
        always(207, results({record("12", "grace@example.com"), record("11", "ada@example.com")})));
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"ada@example.com", "nobody@example.com", "grace@example.com"}) ==
                Outcomes{{1, "\"11\""}, {2, "absent"}, {3, "\"12\""}}));
    BOOST_TEST(hubspot.received().size() == 1u);
    const Received request = hubspot.received().front();
    BOOST_TEST(request.target == "/crm/v3/objects/contacts/batch/read");
    BOOST_TEST((request.member("properties") == Json{"hs_object_id", "email"}));
    BOOST_TEST(request.member("idProperty") == "email");
}

BOOST_AUTO_TEST_CASE(the_destination_may_write_keys_in_lower_case) {
    ScriptedDestination hubspot(always(200, results({record("11", "ada@example.com")})));
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"Ada@Example.com", "grace@example.com"}) == Outcomes{{1, "\"11\""}, {2, "absent"}}));
    BOOST_TEST(hubspot.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(two_spellings_of_a_key_are_asked_for_one_by_one) {
    ScriptedDestination hubspot(always(200, results({record("11", "ada@example.com")})));
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"Ada@example.com", "ada@example.com"}) == Outcomes{{1, "\"11\""}, {2, "\"11\""}}));
    BOOST_TEST(hubspot.received().size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_row_with_another_key_is_not_the_row) {
    // HubSpot finds a contact by its secondary e-mail too.
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        bool asked = keys_in(request).back() == "second@example.com";
        connection.answer(200, results(asked ? Json{record("11", "first@example.com")} : Json::array()));
    });
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"ada@example.com", "second@example.com"}) ==
                Outcomes{{1, "absent"},
                         {2, "rejected: the destination finds a row by this key that has another: first@example.com "
                             "(200)"}}));
}

BOOST_AUTO_TEST_CASE(several_rows_with_the_key_are_left_alone) {
    ScriptedDestination hubspot(
        always(200, results({record("11", "ada@example.com"), record("12", "ada@example.com")})));
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"ada@example.com"}) ==
                Outcomes{{1, "rejected: the destination has several rows with this key (200)"}}));
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_refused_is_halved) {
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        Json records = Json::array();
        for (const std::string &key : keys_in(request)) {
            if (key == "bad")
                return connection.answer(400, R"({"message": "bad is no e-mail"})");
            records.push_back(record("id of " + key, key));
        }
        connection.answer(200, results(records));
    });
    Contacts contacts(hubspot.url());
    BOOST_TEST((
        contacts.find({"a", "b", "bad", "d"}) ==
        Outcomes{{1, "\"id of a\""}, {2, "\"id of b\""}, {3, "rejected: bad is no e-mail (400)"}, {4, "\"id of d\""}}));
}

BOOST_AUTO_TEST_CASE(a_fault_of_the_destination_fails_the_rows) {
    ScriptedDestination unauthorized(always(401, R"({"message": "expired"})"));
    BOOST_TEST(Contacts(unauthorized.url()).find({"a", "b"}).at(2) ==
               "failed: " + unauthorized.url() + ": expired (HTTP status 401)");

    ScriptedDestination other(always(200, R"({"rows": [{"id": 1}]})"));
    BOOST_TEST(Contacts(other.url()).find({"a"}).at(1) ==
               "failed: " + other.url() + ": the answer holds no records at \"/results\"");
}

BOOST_AUTO_TEST_CASE(no_records_mean_that_the_row_is_not_there) {
    for (const auto &[status, body] :
         {std::pair(204, ""), std::pair(200, "{}"), std::pair(200, R"({"results": null})")}) {
        ScriptedDestination empty(always(status, body));
        BOOST_TEST(Contacts(empty.url()).find({"a"}).at(1) == "absent");
    }
}

BOOST_AUTO_TEST_CASE(null_among_the_records_is_a_row_that_is_not_there) {
    ScriptedDestination two(always(200, results({nullptr, record("11", "a")})));
    BOOST_TEST((Contacts(two.url()).find({"b", "a"}) == Outcomes{{1, "absent"}, {2, "\"11\""}}));
    BOOST_TEST(two.received().size() == 1u, "nothing is asked again");
    ScriptedDestination none(always(200, results({nullptr})));
    BOOST_TEST(Contacts(none.url()).find({"a"}).at(1) == "absent");
    ScriptedDestination other(always(200, R"({"rows": [null, {"id": 1}]})"));
    BOOST_TEST(Contacts(other.url()).find({"a"}).at(1).starts_with("failed: "), "records at another place");
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_asked_for_is_not_said_to_be_absent) {
    ScriptedDestination hubspot(always(200, results({record("11", "a")})));
    Contacts contacts(hubspot.url());
    const Outcomes outcomes = contacts.find({"", "a", "..", "."});
    for (const int row : {1, 3, 4})
        BOOST_TEST(outcomes.at(row).starts_with("rejected: an empty text, \".\" or \"..\" names no row"));
    BOOST_TEST(outcomes.at(2) == "\"11\"");
    BOOST_TEST((keys_in(hubspot.received().front()) == std::vector<std::string>{"a"}));
}

BOOST_AUTO_TEST_CASE(a_transient_fault_is_tried_again) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &, auto &connection) {
        if (++requests <= 2)
            connection.answer(500, "{}");
        else
            connection.answer(200, results({record("11", "a")}));
    });
    Contacts contacts(hubspot.url());
    BOOST_TEST((contacts.find({"a"}) == Outcomes{{1, "\"11\""}}));
    BOOST_TEST(requests == 3);
}
