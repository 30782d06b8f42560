#include "engine/http/link_header.h"
#include "engine/http/url_reference.h"
#include "engine/requests/fetch.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// Reads a list, or looks rows up, and keeps the records' JSON.
struct Reader : RecordSink {
    Reader(const ScriptedDestination &destination, const std::string &operation,
           OperationKind kind = OperationKind::list, ListFilter filter = {})
        : line(small_connector(operation), "things", kind, {}, kind == OperationKind::list ? "" : "email",
               at(destination.url()), {}, quick(), {"email", "name"}),
          fetch(line.bound.operation, line.dispatcher, *this, std::move(filter)) {}

    void record(simdjson::dom::element record) override { records += json_of(record); }

    int pages() {
        int read = 0;
        while (read < 20 && fetch.next_page())
            ++read;
        return read;
    }

    Line line;
    Fetch fetch;
    std::string records;
};

std::string fault(Reader &reader) {
    try {
        reader.pages();
        return "";
    } catch (const DestinationError &error) {
        return error.what();
    }
}

std::string list(const std::string &next, const std::string &more = "") {
    return R"({"list": {"request": "GET /v1/things", "query": {"limit": "2", "at": "{cursor}"}, "records": "/data", )" +
           more + R"("next": )" + next + "}}";
}

/// A destination that answers requests in turn, and repeats the last answer.
struct Answers {
    explicit Answers(std::vector<std::string> bodies, std::vector<std::string> links = {})
        : bodies(std::move(bodies)), links(std::move(links)),
          destination([this](const Received &, LoopbackServer::Connection &connection) {
              const std::size_t now = std::min(asked++, this->bodies.size() - 1);
              if (now < this->links.size() && !this->links[now].empty())
                  connection.answer(200, this->bodies[now], "Link: " + this->links[now] + "\r\n");
              else
                  connection.answer(200, this->bodies[now]);
          }) {}

    std::string targets() const {
        std::string all;
        for (const Received &one : destination.received())
            all += one.target + " ";
        return all;
    }
    std::string sent() const {
        std::string all;
        for (const Received &one : destination.received())
            all += one.body;
        return all;
    }

    std::vector<std::string> bodies, links;
    std::size_t asked = 0;
    ScriptedDestination destination;
};

} // namespace

BOOST_AUTO_TEST_CASE(pages_end_with_the_last) {
    Answers answers(
        {R"({"data": [{"a": 1}], "meta": {"pages": 2}})", R"({"data": [{"a": 2}], "meta": {"pages": "2"}})"});
    Reader reader(answers.destination, list(R"({"page": {"first": 1, "pages": "/meta/pages"}})"));
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(reader.records == R"({"a":1}{"a":2})");
    BOOST_TEST(answers.targets() == "/v1/things?limit=2 /v1/things?limit=2&at=2 ");
}

BOOST_AUTO_TEST_CASE(offsets_end_with_the_total) {
    Answers answers({R"({"data": [{"a": 1}, {"a": 2}], "total": 3})", R"({"data": [{"a": 3}], "total": 3})"});
    Reader reader(answers.destination, list(R"({"offset": {"first": 0, "total": "/total"}})"));
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(answers.targets() == "/v1/things?limit=2 /v1/things?limit=2&at=2 ");
    // A page may be short, where records are hidden: its size says where the next begins.
    Answers sized({R"({"data": [{"a": 1}], "total": 4})", R"({"data": [{"a": 3}, {"a": 4}], "total": 4})"});
    Reader of_size(sized.destination, list(R"({"offset": {"first": 1, "size": 2, "total": "/total"}})"));
    BOOST_TEST(of_size.pages() == 2);
    BOOST_TEST(sized.targets() == "/v1/things?limit=2 /v1/things?limit=2&at=3 ");
}

BOOST_AUTO_TEST_CASE(without_a_total_an_empty_page_ends_a_list) {
    for (const char *next : {R"({"page": {"first": 1, "pages": "/gone"}})",
                             R"({"offset": {"first": 0, "total": "/gone"}})", R"({"page": 1})", R"({"offset": 0})"}) {
        Answers answers({R"({"data": [{"a": 1}]})", R"({"data": []})"});
        Reader reader(answers.destination, list(next));
        BOOST_TEST(reader.pages() == 2, next);
    }
}

BOOST_AUTO_TEST_CASE(a_list_goes_on_from_its_last_record_while_there_is_more) {
    Answers answers({R"({"data": [{"id": "x"}, {"id": "y&z"}], "has_more": true})",
                     R"({"data": [{"id": "q"}], "has_more": false})"});
    Reader reader(answers.destination, list(R"({"last": "/id", "more_when": {"/has_more": true}})"));
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(answers.targets() == "/v1/things?limit=2 /v1/things?limit=2&at=y%26z ");
    Answers circle({R"({"data": [{"id": "x"}], "has_more": true})"});
    Reader in_circle(circle.destination, list(R"({"last": "/id", "more_when": {"/has_more": true}})"));
    BOOST_TEST(fault(in_circle).find("was read before") != std::string::npos);
    // Notion gives both a cursor and a word.
    Answers notion({R"({"data": [{"id": "x"}], "has_more": false, "next_cursor": "c"})"});
    Reader one(notion.destination, list(R"({"cursor": "/next_cursor", "more_when": {"/has_more": true}})"));
    BOOST_TEST(one.pages() == 1);
}

/// A destination that gives of its records what was asked for, two a page, behind the last of the page before.
BOOST_AUTO_TEST_CASE(what_a_list_goes_on_from_is_asked_for) {
    std::string asked_for;
    ScriptedDestination strict([&](const Received &request, LoopbackServer::Connection &connection) {
        const Json body = Json::parse(request.body);
        asked_for = body["fields"].dump();
        const auto is_asked_for = [&](const char *field) { return std::ranges::count(body["fields"], field) == 1; };
        Json records = Json::array();
        for (int i = std::stoi(body.value("after", "0")) + 1; i <= 5 && records.size() < 2; i++) {
            Json record = Json::object();
            if (is_asked_for("name"))
                record["name"] = "n";
            if (is_asked_for("id"))
                record["id"] = i;
            records.push_back(std::move(record));
        }
        connection.answer(200, Json{{"data", records}}.dump());
    });
    const auto operation = [](const std::string &last) {
        return small_connector(R"({"list": {"request": "POST /search", "records": "/data", "next": {"last": ")" + last +
                               R"("}, "body": {"fields": "{fields}", "after": "{cursor}"}}})");
    };
    struct : RecordSink {
        void record(simdjson::dom::element) override { records++; }
        int records = 0;
    } sink;
    for (const std::vector<std::string> &wanted :
         {std::vector<std::string>{"name"}, {"id"}, {"name", "id"}, {"email"}}) {
        Line line(operation("/id"), "things", OperationKind::list, {}, "", at(strict.url()), {}, quick(), wanted);
        Fetch fetch(line.bound.operation, line.dispatcher, sink);
        sink.records = 0;
        while (fetch.next_page()) {
        }
        BOOST_TEST(sink.records == 5, asked_for);
    }
}

/// A list never ends in silence where its answers do not say that it ends.
BOOST_AUTO_TEST_CASE(a_list_that_cannot_go_on_is_an_error) {
    const struct {
        const char *next, *body, *fault;
    } cases[] = {
        {R"({"last": "/id"})", R"({"data": [{"id": 1}, {"name": "x"}]})", "no text or number at \"/id\""},
        {R"({"last": "/id"})", R"({"data": [{"id": null}]})", "no text or number at \"/id\""},
        {R"({"last": "/id"})", R"({"data": [{"id": ""}]})", "no text or number at \"/id\""},
        {R"({"last": "/id"})", R"({"data": [{"id": {"of": 1}}]})", "no text or number at \"/id\""},
        {R"({"last": "/a/id", "more_when": {"/more": true}})", R"({"data": [{"a": 1}], "more": true})", "at \"/a/id\""},
        {R"({"last": "/id", "more_when": {"/more": true}})", R"({"data": [], "more": true})", "but not from where"},
        {R"({"cursor": "/next"})", R"({"data": [], "next": {"id": 2}})", "at \"/next\", from which the list goes on"},
        {R"({"cursor": "/next"})", R"({"data": [], "next": [1]})", "neither a text nor a number"},
        {R"({"cursor": "/next"})", R"({"data": [], "next": true})", "neither a text nor a number"},
        {R"({"url": "/next"})", R"({"data": [], "next": false})", "neither a text nor a number"},
        {R"({"url": "/next"})", R"({"data": [], "next": {"href": "/2"}})", "neither a text nor a number"},
        {R"({"cursor": "/next", "more_when": {"/more": true}})", R"({"data": [], "more": true})", "not from where"},
        {R"({"url": "/next", "more_when": {"/more": true}})", R"({"data": [], "more": true, "next": null})",
         "but not from where"},
        {R"({"link": "next", "more_when": {"/more": true}})", R"({"data": [{}], "more": true})", "but not from where"},
        {R"({"page": 1, "more_when": {"/more": true}})", R"({"data": [], "more": true})", "was read before"},
        {R"({"offset": 0, "more_when": {"/more": true}})", R"({"data": [], "more": true})", "was read before"},
    };
    for (const auto &one : cases) {
        Answers answers({one.body});
        Reader reader(answers.destination, list(one.next));
        const std::string found = fault(reader);
        BOOST_TEST(found.find(one.fault) != std::string::npos, one.next << " and " << one.body << ": " << found);
    }
}

BOOST_AUTO_TEST_CASE(a_list_ends_where_its_answers_say_so) {
    for (const auto &[next, body] :
         {std::pair(R"({"last": "/id"})", R"({"data": []})"), std::pair(R"({"cursor": "/next"})", R"({"data": [{}]})"),
          std::pair(R"({"cursor": "/next"})", R"({"data": [{}], "next": null})"),
          std::pair(R"({"cursor": "/next"})", R"({"data": [{}], "next": {}})"),
          std::pair(R"({"url": "/next"})", R"({"data": [{}], "next": []})"),
          std::pair(R"({"cursor": "/next", "more_when": {"/next": {"not": false}}})", R"({"data": [], "next": false})"),
          std::pair(R"({"last": "/id", "more_when": {"/more": true}})", R"({"data": [{"name": "x"}], "more": false})"),
          std::pair(R"({"page": 1})", R"({"data": []})"), std::pair(R"({"link": "next"})", R"({"data": [{}]})")}) {
        Answers answers({body});
        Reader reader(answers.destination, list(next));
        BOOST_TEST(fault(reader) == "", next << " and " << body);
        BOOST_TEST(answers.asked == 1u, next << " and " << body);
    }
    // A cursor may be a number; and a page may be empty that is not the last.
    Answers numbers(
        {R"({"data": [{"a": 1}], "next": 7})", R"({"data": [], "next": 8, "more": true})", R"({"data": []})"});
    Reader reader(numbers.destination, list(R"({"cursor": "/next"})"));
    BOOST_TEST(reader.pages() == 3);
    BOOST_TEST(numbers.targets() == "/v1/things?limit=2 /v1/things?limit=2&at=7 /v1/things?limit=2&at=8 ");
    Answers gap({R"({"data": [], "more": true})", R"({"data": [{"a": 1}], "more": false})"});
    Reader over(gap.destination, list(R"({"page": 1, "more_when": {"/more": true}})"));
    BOOST_TEST(over.pages() == 2);
    BOOST_TEST(over.records == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(pages_by_link_headers) {
    Answers answers({R"({"data": [{"a": 1}]})", R"({"data": [{"a": 2}]})", R"({"data": [{"a": 3}]})"},
                    {R"(</v1/things?page=3>; rel="last", <?page=2&q=a,b>; title="x; rel=\"no\""; rel="prev NEXT")",
                     "</v2/things;x?page=3>;rel=next", R"(<things?page=1>; rel="first")"});
    Reader reader(answers.destination, list(R"({"link": "next"})"));
    BOOST_TEST(reader.pages() == 3);
    BOOST_TEST(answers.targets() == "/v1/things?limit=2 /v1/things?page=2&q=a,b /v2/things;x?page=3 ");
    Answers circle({R"({"data": [{"a": 1}]})"}, {R"(<?limit=2>; rel="next")"});
    Reader in_circle(circle.destination, list(R"({"link": "next"})"));
    BOOST_TEST(fault(in_circle).find("was read before") != std::string::npos);
    BOOST_TEST(circle.asked < 4u);
}

BOOST_AUTO_TEST_CASE(links) {
    const auto next = [](const char *value) { return link_target({{"link", value}}, "next"); };
    BOOST_TEST(next(R"(<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last")") == "https://a/?page=2");
    BOOST_TEST(next(R"(<b> ; REL = next ; rel=last)") == "b");
    BOOST_TEST(next(R"(<b>; rel=last; rel=next)") == "");
    BOOST_TEST(next(R"(<b>; title="<c>; rel=next, <d>"; rel=prev,<e>;rel=next)") == "e");
    for (const char *none :
         {"", "<", "<a", "a; rel=next", "<a>", "<a>; rel", "<a>; rel=", "<a>; rel=\"next", ",,,", "<a>; rel=nextpage"})
        BOOST_TEST((next(none) == "" || std::string(none) == "<a>; rel=\"next"), none);
}

/// RFC 3986 section 5.4: what is seen from http://a/b/c/d;p?q.
BOOST_AUTO_TEST_CASE(references) {
    const struct {
        const char *reference, *url;
    } cases[] = {{"g", "http://a/b/c/g"},     {"./g", "http://a/b/c/g"},
                 {"g/", "http://a/b/c/g/"},   {"/g", "http://a/g"},
                 {"//g/", "http://g/"},       {"?y", "http://a/b/c/d;p?y"},
                 {"g?y", "http://a/b/c/g?y"}, {"g#s", "http://a/b/c/g"},
                 {";x", "http://a/b/c/;x"},   {"g;x?y#s", "http://a/b/c/g;x?y"},
                 {"..", "http://a/b/"},       {"../g", "http://a/b/g"},
                 {"../../g", "http://a/g"},   {"../../../g", "http://a/g"},
                 {"http://x/y", "http://x/y"}};
    for (const auto &one : cases)
        BOOST_TEST(resolve_reference("http://a/b/c/d;p?q", one.reference).value_or("none") == one.url, one.reference);
    for (const char *none :
         {"http://ada@a/g", "http://ada:secret@a/g", "//ada@a/g", "http://", "gopher:g", "http://a b/"})
        BOOST_TEST(!resolve_reference("http://a/b", none).has_value(), none);
    BOOST_TEST(have_one_origin("https://A.example/x", "https://a.example:443"));
    for (const char *other :
         {"http://a.example/", "https://a.example:444/", "https://b.example", "https://a.example.b"})
        BOOST_TEST(!have_one_origin("https://a.example", other), other);
}

BOOST_AUTO_TEST_CASE(records_may_be_members_of_an_object) {
    Answers answers({R"({"result": {"ada@x": {"contact": {"id": 1}}, "grace@x": {"error": "not found"},
                                    "alan@x": {"contact": {"id": 2}}}})"});
    Reader reader(answers.destination,
                  R"({"list": {"request": "POST /search", "records": {"map": "/result", "record": "/contact"}}})");
    BOOST_TEST(reader.pages() == 1);
    BOOST_TEST(reader.records == R"({"id":1}{"id":2})");
    Answers plain({R"({"a": {"id": 1}, "b": {"id": 2}, "took": 3})"});
    Reader whole(plain.destination, R"({"list": {"request": "GET /all", "records": {"map": ""}}})");
    BOOST_TEST(whole.pages() == 1);
    BOOST_TEST(whole.records == R"({"id":1}{"id":2})");
    Answers wrong({R"({"result": [{"id": 1}]})"});
    Reader array(wrong.destination, R"({"list": {"request": "GET /all", "records": {"map": "/result"}}})");
    BOOST_TEST(fault(array).find("holds no records at \"/result\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_may_say_that_there_are_none) {
    Answers answers({R"({"status": "empty", "errors": [{"text": "nothing there"}]})"});
    Reader reader(answers.destination, list(R"({"page": 1})", R"("none_when": {"/status": "empty"}, )"));
    BOOST_TEST(reader.pages() == 1);
    BOOST_TEST(reader.records == "");
}

BOOST_AUTO_TEST_CASE(bodies_of_pages) {
    Answers answers({R"({"data": [{"id": 1}], "total": 2})", R"({"data": [{"id": 2}], "total": 2})"});
    Reader reader(answers.destination, R"({"list": {"request": "POST /search", "records": "/data",
        "body": {"fields": "{fields}", "page": {"from": {"$number": "{cursor}"}, "as": "{cursor}"}},
        "next": {"offset": {"first": 0, "total": "/total"}}}})");
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(answers.sent() ==
               R"({"fields":["email","name"]}{"fields":["email","name"],"page":{"from":1,"as":"1"}})");
}

BOOST_AUTO_TEST_CASE(keys_stand_in_the_body_of_a_look_up) {
    Answers answers({R"([{"id": 1}, {"id": 2}])"});
    Reader reader(answers.destination,
                  R"({"lookup": {"request": "POST /search", "rows": 10, "body": {"emails": "{keys}", "limit": 10}}})",
                  OperationKind::lookup);
    std::vector<Batch> batches;
    batches.emplace_back(reader.line.bound.operation.frame());
    add_row(batches.back(), reader.line.bound.operation, 1, {"ada@x"});
    add_row(batches.back(), reader.line.bound.operation, 2, {"\"o'neil\""});
    reader.fetch.lookup(std::move(batches));
    BOOST_TEST(answers.sent() == R"({"emails":["ada@x","\"o'neil\""],"limit":10})");
    BOOST_TEST(reader.records == R"({"id":1}{"id":2})");
}

BOOST_AUTO_TEST_CASE(filters_are_said_by_parameters_and_in_bodies) {
    FilterSpec status, since, ids;
    status.parameter = "status";
    since.element =
        std::make_shared<const Json>(Json::parse(R"({"field": "created", "op": "GTE", "value": "{value}"})"));
    ids.parameter = "id[]";
    ids.is_repeated = true;
    Answers answers({R"({"data": [{"id": 1}], "next": "c"})", R"({"data": []})"});
    Reader reader(answers.destination, list(R"({"cursor": "/next"})"), OperationKind::list,
                  {{&status, {"a&b"}, {"\"a&b\""}, false}, {&ids, {"1", "2,3"}, {"1", "\"2,3\""}, true}});
    BOOST_TEST(reader.pages() == 2);
    BOOST_TEST(answers.targets() == "/v1/things?limit=2&status=a%26b&id%5B%5D=1&id%5B%5D=2%2C3 "
                                    "/v1/things?limit=2&at=c&status=a%26b&id%5B%5D=1&id%5B%5D=2%2C3 ");
    const char *const search = R"({"list": {"request": "POST /search", "records": "/data",
        "body": {"filterGroups": [{"filters": {"$filters": "all"}}], "limit": 1}}})";
    Answers searched({R"({"data": []})"});
    Reader with(searched.destination, search, OperationKind::list,
                {{&since, {"2026-01-31"}, {"\"2026-01-31\""}, false}});
    BOOST_TEST(with.pages() == 1);
    Reader without(searched.destination, search);
    BOOST_TEST(without.pages() == 1);
    BOOST_TEST(
        searched.sent() ==
        R"({"filterGroups":[{"filters":[{"field":"created","op":"GTE","value":"2026-01-31"}]}],"limit":1}{"limit":1})");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_said_is_not) {
    FilterSpec commas, body;
    commas.parameter = "ids";
    body.element = std::make_shared<const Json>("{value}");
    const auto can = [](const FilterSpec &spec, std::vector<std::string> texts, bool is_list) {
        return AppliedFilter{&spec, std::move(texts), {}, is_list}.can_be_said();
    };
    BOOST_TEST(can(commas, {"a", "b"}, true));
    BOOST_TEST(can(commas, {"a,b"}, false));
    BOOST_TEST(!can(commas, {"a,b"}, true));
    BOOST_TEST(!can(commas, {""}, false));
    BOOST_TEST(!can(commas, {std::string(3000, 'x')}, false));
    BOOST_TEST(can(body, {"", "a,b", std::string(3000, 'x')}, true));
    const auto can_be_number = [&](const char *digits) {
        return AppliedFilter{&body, {digits}, {digits}, false}.can_be_said();
    };
    BOOST_TEST(can_be_number("9007199254740993"));
    BOOST_TEST(can_be_number("1.5"));
    BOOST_TEST(!can_be_number("12345678901234567890.10"));
    BOOST_TEST(!can_be_number("1.50"));
}
