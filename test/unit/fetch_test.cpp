#include "engine/requests/fetch.h"
#include "engine/text/value_refused.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

const Settings token = {{"access_token", "t"}};

/// Reads, and keeps the records' JSON.
struct Reader : RecordSink {
    Reader(const ScriptedDestination &destination, const char *connector, const char *object, OperationKind kind,
           const std::string &key, Settings settings = {}, const Settings &credentials = token)
        : line(built_in_connector(connector), object, kind, {}, key, with_url(settings, destination.url()), credentials,
               quick(), {"email", "firstname"}),
          fetch(line.bound.operation, line.dispatcher, *this) {}

    static Settings with_url(Settings settings, const std::string &url) {
        settings["base_url"] = url;
        settings["api_version"] = "v61.0";
        return settings;
    }

    void record(simdjson::dom::element record) override { records.push_back(json_of(record)); }

    /// Looks rows up, `rows_a_batch` keys a request.
    void lookup(const std::vector<Values> &keys, std::size_t rows_a_batch = 100) {
        std::vector<Batch> batches;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (i % rows_a_batch == 0)
                batches.emplace_back(line.bound.operation.frame());
            add_row(batches.back(), line.bound.operation, i + 1, keys[i]);
        }
        fetch.lookup(std::move(batches));
    }

    int pages() {
        int read = 0;
        while (read < 50 && fetch.next_page())
            ++read;
        return read;
    }

    Line line;
    Fetch fetch;
    std::vector<std::string> records;
};

/// The words of the error that ends the reading.
template <typename Reading>
std::string fault(Reading reading, Fault expected) {
    try {
        reading();
        return "";
    } catch (const DestinationError &error) {
        BOOST_TEST((error.fault == expected));
        return error.what();
    }
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(pages_by_cursor) {
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        if (contains(request.target, "after=c%261"))
            connection.answer(200, R"({"results": [{"id": 3}], "paging": {"next": {"after": "c2"}}})");
        else if (contains(request.target, "after=c2"))
            connection.answer(200, R"({"results": []})");
        else
            connection.answer(200, R"({"results": [{"id": 1}, {"id": 2}], "paging": {"next": {"after": "c&1"}}})");
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
    BOOST_TEST(reader.pages() == 3);
    BOOST_TEST((reader.records == std::vector<std::string>{R"({"id":1})", R"({"id":2})", R"({"id":3})"}));
    BOOST_TEST(hubspot.received()[0].target ==
               "/crm/v3/objects/contacts?limit=100&properties=email&properties=firstname");
    BOOST_TEST(!reader.fetch.next_page());
    BOOST_TEST(hubspot.received().size() == 3u);
}

BOOST_AUTO_TEST_CASE(an_empty_cursor_ends_a_list) {
    ScriptedDestination slack([](const Received &, auto &connection) {
        connection.answer(200, R"({"ok": true, "members": [{}], "response_metadata": {"next_cursor": ""}})");
    });
    Reader reader(slack, "slack", "users", OperationKind::list, "", {}, {{"bot_token", "b"}});
    BOOST_TEST(reader.pages() == 1);
}

BOOST_AUTO_TEST_CASE(a_cursor_that_leads_nowhere_new_is_refused) {
    ScriptedDestination hubspot([](const Received &, auto &connection) {
        connection.answer(200, R"({"results": [], "paging": {"next": {"after": "again"}}})");
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
    BOOST_TEST(
        contains(fault([&] { reader.pages(); }, Fault::unintelligible), "next page is one that was read before"));
    BOOST_TEST(hubspot.received().size() == 2u);
}

BOOST_AUTO_TEST_CASE(pages_by_url) {
    ScriptedDestination salesforce([](const Received &request, auto &connection) {
        if (request.target.starts_with("/services/data/v61.0/query?"))
            connection.answer(200,
                              R"({"records": [{"Id": 1}], "nextRecordsUrl": "/services/data/v61.0/query/01g-2000"})");
        else
            connection.answer(200, R"({"records": [{"Id": 2}], "nextRecordsUrl": null})");
    });
    Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(salesforce.received()[1].target == "/services/data/v61.0/query/01g-2000");
    BOOST_TEST(salesforce.received()[1].authorization() == "Bearer t");
    BOOST_TEST(reader.records.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_url_of_this_host_may_be_whole) {
    std::string next;
    ScriptedDestination salesforce([&](const Received &, auto &connection) {
        connection.answer(200, R"({"records": [], "nextRecordsUrl": )" + next + "}");
        next = "null";
    });
    next = "\"" + salesforce.url() + "/next\"";
    Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(salesforce.received()[1].target == "/next");
}

BOOST_AUTO_TEST_CASE(the_next_page_is_never_on_another_host) {
    ScriptedDestination stranger([](const Received &, auto &connection) { connection.answer(200, "{}"); });
    std::string next;
    ScriptedDestination salesforce([&](const Received &, auto &connection) {
        connection.answer(200, R"({"records": [], "nextRecordsUrl": ")" + next + "\"}");
    });
    const std::string port = salesforce.url().substr(salesforce.url().rfind(':'));
    for (const std::string &elsewhere :
         {stranger.url() + "/next", salesforce.url() + "@" + stranger.url().substr(7) + "/next",
          salesforce.url() + "1/next", "https://127.0.0.1" + port + "/next", "http://localhost" + port + "/next",
          std::string("file:///etc/passwd"), std::string("//") + stranger.url().substr(7) + "/next",
          std::string("http://ada:secret@") + salesforce.url().substr(7) + "/next", std::string("http://")}) {
        next = elsewhere;
        Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
        BOOST_TEST(contains(fault([&] { reader.pages(); }, Fault::unintelligible), "is said to be elsewhere"),
                   elsewhere);
    }
    BOOST_TEST(stranger.received().empty());
    BOOST_TEST(salesforce.count("/next") == 0u);
}

BOOST_AUTO_TEST_CASE(a_url_of_two_slashes_names_another_host) {
    ScriptedDestination stranger([](const Received &, auto &connection) { connection.answer(200, "{}"); });
    ScriptedDestination salesforce([&](const Received &request, auto &connection) {
        connection.answer(200, request.target.starts_with("/services")
                                   ? R"({"records": [], "nextRecordsUrl": "//)" + stranger.url().substr(7) + "/x\"}"
                                   : std::string(R"({"records": []})"));
    });
    Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
    BOOST_TEST(contains(fault([&] { reader.pages(); }, Fault::unintelligible), "is said to be elsewhere"));
    BOOST_TEST(stranger.received().empty());
}

BOOST_AUTO_TEST_CASE(a_url_that_leads_nowhere_new_is_refused) {
    ScriptedDestination salesforce([](const Received &, auto &connection) {
        connection.answer(200, R"({"records": [{}], "nextRecordsUrl": "/again"})");
    });
    Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
    BOOST_TEST(
        contains(fault([&] { reader.pages(); }, Fault::unintelligible), "next page is one that was read before"));
    BOOST_TEST(salesforce.received().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_url_cannot_bring_headers_in) {
    ScriptedDestination salesforce([](const Received &, auto &connection) {
        connection.answer(200, R"({"records": [], "nextRecordsUrl": "/next HTTP/1.1\r\nX-Evil: 1\r\n"})");
    });
    Reader reader(salesforce, "salesforce", "Contact", OperationKind::list, "");
    BOOST_TEST(contains(fault([&] { reader.pages(); }, Fault::unintelligible), "is said to be elsewhere"));
    BOOST_TEST(salesforce.received().size() == 1u);
}

BOOST_AUTO_TEST_CASE(look_ups_of_many_keys_in_one_request) {
    ScriptedDestination hubspot([](const Received &request, auto &connection) {
        Json answer = {{"results", Json::array()}};
        for (const Json &input : request.member("inputs"))
            if (input["id"] != "nobody")
                answer["results"].push_back({{"id", input["id"]}});
        connection.answer(207, answer.dump());
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::lookup, "email");
    reader.lookup({{"a@x"}, {"nobody"}, {"b@x"}});
    BOOST_TEST((reader.records == std::vector<std::string>{R"({"id":"a@x"})", R"({"id":"b@x"})"}));
    BOOST_TEST(hubspot.received()[0].member("idProperty") == "email");
    BOOST_TEST(hubspot.received()[0].member("properties").size() == 2u);
}

BOOST_AUTO_TEST_CASE(look_ups_of_one_key_a_request) {
    ScriptedDestination people([](const Received &request, auto &connection) {
        if (request.target == "/people/nobody%2Fat%20all")
            connection.answer(404, R"({"message": "no such person"})");
        else
            connection.answer(200, R"({"path": ")" + request.target + "\"}");
    });
    Reader reader(people, "http", "endpoint", OperationKind::lookup, "email", {{"path", "/people"}});
    reader.lookup({{"a@x"}, {"nobody/at all"}, {""}, {"b@x"}}, 1); // no row has an empty key
    BOOST_TEST(people.received().size() == 3u);
    std::sort(reader.records.begin(), reader.records.end());
    BOOST_TEST(
        (reader.records == std::vector<std::string>{R"({"path":"/people/a%40x"})", R"({"path":"/people/b%40x"})"}));
}

/// That it is not asked for does not mean that it is not there.
BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_asked_for_ends_the_reading) {
    ScriptedDestination people([](const Received &, auto &connection) { connection.answer(200, "[]"); });
    const auto fault_of = [&](const std::string &request, const std::vector<Values> &keys) {
        Line line(small_connector(R"({"lookup": {"rows": 10, )" + request + "}}"), "things", OperationKind::lookup, {},
                  "email", at(people.url()), {}, quick(), {"email"});
        struct : RecordSink {
            void record(simdjson::dom::element) override {}
        } sink;
        Fetch fetch(line.bound.operation, line.dispatcher, sink);
        std::vector<Batch> batches;
        batches.push_back(batch_of(line.bound.operation, keys));
        try {
            fetch.lookup(std::move(batches));
            return std::string();
        } catch (const ValueRefused &refusal) {
            return std::string(refusal.what());
        }
    };
    const std::string in_path = R"("request": "GET /{keys}")",
                      in_body = R"("request": "POST /s", "body": {"k": "{keys}"})",
                      in_query = R"("request": "GET /s", "query": {"ids": "{keys}"})",
                      alone = R"("request": "GET /{key}")",
                      repeated = R"("request": "GET /s", "query": {"ids": ["{keys}"]})";
    for (const auto &[request, key] : {std::pair(in_path, "a,b"),
                                       {in_query, "a,b"},
                                       {in_path, ".."},
                                       {in_body, "."},
                                       {alone, ".."},
                                       {alone, "a/../b"}}) {
        BOOST_TEST(fault_of(request, {{"x"}, {""}, {key}})
                       .starts_with("\"" + std::string(key) + "\" cannot be asked for: an empty text"),
                   request << ": " << key);
        BOOST_TEST(people.received().empty());
    }
    for (const std::string &request : {in_body, alone, repeated})
        BOOST_TEST(fault_of(request, {{"a,b"}}) == "", request);
    BOOST_TEST(people.count("/a%2Cb") == 1u);
    BOOST_TEST(people.count("/s?ids=a%2Cb") == 1u);
    BOOST_TEST(fault_of(in_path, {{""}}) == "");
    BOOST_TEST(people.received().size() == 3u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_ends_the_reading) {
    std::pair<int, std::string> answer;
    ScriptedDestination hubspot(
        [&](const Received &, auto &connection) { connection.answer(answer.first, answer.second); });
    const auto fault_of = [&](int status, const char *body, Fault expected) {
        answer = {status, body};
        Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
        return fault([&] { reader.pages(); }, expected);
    };
    BOOST_TEST(contains(fault_of(400, R"({"message": "bad filter"})", Fault::stopped), ": bad filter"));
    BOOST_TEST(contains(fault_of(200, R"({"found": [{"id": 1}]})", Fault::unintelligible),
                        "holds no records at \"/results\""));
    BOOST_TEST(contains(fault_of(200, R"({"data": {"results": [{"id": 1}]}})", Fault::unintelligible), "no records"));
    BOOST_TEST(contains(fault_of(200, R"({"results": "many"})", Fault::unintelligible), "no records"));
    BOOST_TEST(contains(fault_of(200, "<html>", Fault::unintelligible), "is a web page"));
    BOOST_TEST(contains(fault_of(401, "{}", Fault::unauthorized), "HTTP status 401"));
    BOOST_TEST(contains(fault_of(500, "{}", Fault::unreachable), "after 8 attempts"));
}

BOOST_AUTO_TEST_CASE(no_records_are_no_fault) {
    std::pair<int, std::string> answer;
    ScriptedDestination hubspot(
        [&](const Received &, auto &connection) { connection.answer(answer.first, answer.second); });
    for (const auto &one : {std::pair(204, ""), std::pair(200, ""), std::pair(200, R"({"total": 0})"),
                            std::pair(200, R"({"results": null})"), std::pair(200, R"({"results": []})"),
                            std::pair(200, "{}"), std::pair(200, R"({"header": {"members": [1, 2]}})")}) {
        answer = one;
        Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
        BOOST_TEST(reader.pages() == 1, one.second);
        BOOST_TEST(reader.records.empty());
    }
}

BOOST_AUTO_TEST_CASE(one_odd_value_leaves_the_others_readable) {
    const std::string values = R"({"n": 123456789012345678901234567890, "d": 0.12345678901234567890, "z": 1.10,)"
                               R"( "e": 1e400, "s": "\ud83d!", "nan": NaN, "i": 7})";
    ScriptedDestination hubspot([&](const Received &, auto &connection) {
        connection.answer(200, "\xef\xbb\xbf{\"results\": [" + values + ", {\"s\": \"a\xff z\"}]}");
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
    BOOST_TEST(reader.pages() == 1);
    BOOST_TEST(reader.records[0] == R"({"n":123456789012345678901234567890,"d":0.12345678901234567890,"z":1.10,)"
                                    "\"e\":1e400,\"s\":\"\xef\xbf\xbd!\",\"nan\":\"NaN\",\"i\":7}");
    BOOST_TEST(reader.records[1] == "{\"s\":\"a\xef\xbf\xbd z\"}");
}

BOOST_AUTO_TEST_CASE(pages_that_go_round_in_a_circle_are_refused) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &, auto &connection) {
        const std::string next(1, "ABC"[requests++ % 3]);
        connection.answer(200, R"({"results": [{}], "paging": {"next": {"after": ")" + next + "\"}}}");
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
    BOOST_TEST(contains(fault([&] { reader.pages(); }, Fault::unintelligible), "one that was read before"));
    BOOST_TEST(requests == 4);
}

namespace {

/// A list of five that are shown two at a time, as the destination's query says.
void show_five(const std::string &target, LoopbackServer::Connection &connection, const std::string &parameter,
               int step, int first) {
    const std::size_t found = target.find(parameter + "=");
    const int begin =
        found == target.npos ? 0 : (std::atoi(target.c_str() + found + parameter.size() + 1) - first) * step;
    std::string items;
    for (int i = begin; i < std::min(begin + 2, 5); ++i)
        items += (items.empty() ? "" : ",") + std::string(R"({"id":)") + std::to_string(i) + "}";
    connection.answer(200, R"({"items":[)" + items + "]}");
}

} // namespace

BOOST_AUTO_TEST_CASE(pages_by_offset_and_by_number) {
    for (const auto &[next, parameter, step, first] :
         {std::tuple(R"({"offset": 0})", "skip", 1, 0), std::tuple(R"({"page": 1})", "page", 2, 1)}) {
        ScriptedDestination people([&](const Received &request, auto &connection) {
            show_five(request.target, connection, parameter, step, first);
        });
        Reader reader(people, "http", "endpoint", OperationKind::list, "",
                      {{"path", "/people"},
                       {"records", "/items"},
                       {"next", next},
                       {"query", std::string("{\"") + parameter + "\": \"{cursor}\"}"}});
        BOOST_TEST(reader.pages() == 4);
        BOOST_TEST(reader.records.size() == 5u);
        BOOST_TEST(people.received()[0].target == "/people");
    }
    // A destination that knows no pages shows the first for ever.
    ScriptedDestination one([](const Received &, auto &connection) { connection.answer(200, R"([{"id": 1}])"); });
    Reader reader(one, "http", "endpoint", OperationKind::list, "",
                  {{"path", "/people"}, {"next", R"({"page": 1})"}, {"query", R"({"page": "{cursor}"})"}});
    BOOST_TEST(contains(fault([&] { reader.pages(); }, Fault::unintelligible), "one that was read before"));
    BOOST_TEST(one.received().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_list_may_have_a_body) {
    ScriptedDestination search([](const Received &request, auto &connection) {
        connection.answer(200, request.body.find("after") == std::string::npos
                                   ? R"({"results": [{"id": 1}], "next": "n2"})"
                                   : R"({"results": [{"id": 2}]})");
    });
    const Connector connector = small_connector(
        R"({"list": {"request": "POST /search", "records": "/results", "next": {"cursor": "/next"},
                     "body": {"fields": "{fields}", "limit": 2, "after": "{cursor}", "of": [{"page": "p{cursor}"}]}}})");
    Line line(connector, "things", OperationKind::list, {}, "", {{"base_url", search.url()}}, {}, quick(),
              {"email", "name"});
    struct : RecordSink {
        void record(simdjson::dom::element) override { records++; }
        int records = 0;
    } sink;
    Fetch fetch(line.bound.operation, line.dispatcher, sink);
    while (fetch.next_page()) {
    }
    BOOST_TEST(sink.records == 2);
    BOOST_TEST(search.received()[0].body == R"({"fields":["email","name"],"limit":2})");
    BOOST_TEST(search.received()[1].body ==
               R"({"fields":["email","name"],"limit":2,"after":"n2","of":[{"page":"pn2"}]})");
}

BOOST_AUTO_TEST_CASE(look_ups_find_their_record_where_lists_have_them_or_alone) {
    std::string answer;
    ScriptedDestination people([&](const Received &, auto &connection) { connection.answer(200, answer); });
    for (const char *one :
         {R"({"data": {"email": "a@x"}})", R"({"email": "a@x"})", R"({"data": [{"email": "a@x"}]})"}) {
        answer = one;
        Reader reader(people, "http", "endpoint", OperationKind::lookup, "email",
                      {{"path", "/people"}, {"records", "/data"}});
        reader.lookup({{"a@x"}});
        BOOST_TEST((reader.records == std::vector<std::string>{R"({"email":"a@x"})"}), one);
    }
}

BOOST_AUTO_TEST_CASE(a_read_comes_again_after_a_break) {
    int requests = 0;
    ScriptedDestination hubspot([&](const Received &, auto &connection) {
        if (++requests < 3)
            connection.reset();
        else
            connection.answer(200, R"({"results": [{}]})");
    });
    Reader reader(hubspot, "hubspot", "contacts", OperationKind::list, "");
    BOOST_TEST(reader.pages() == 1);
    BOOST_TEST(reader.records.size() == 1u);
}
