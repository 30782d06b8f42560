#include "engine/files/file_rows.h"
#include "engine/files/file_sample.h"
#include "engine/files/remote_files.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

/// A store that answers in JSON, and knows folders.
const std::string store = R"({"manifest": 1, "name": "store", "title": "Store", "base_url": "http://localhost",
    "auth": {"kind": "bearer", "token": "{token}"}, "credentials": {"token": {"description": "the token"}}, "reason": "/message",
    "errors": [{ "status": 404, "then": "stop" }],
    "files": {
        "list": { "request": "GET /o", "query": { "prefix": "{files.prefix}", "delimiter": "{files.delimiter}", "pageToken": "{files.page}" },
                  "valid_when": { "/kind": "objects" }, "files": "/items", "name": "/name", "size": "/size", "version": "/generation",
                  "folders": "/prefixes", "next": "/nextPageToken" },
        "read": { "request": "GET /o/{files.name}", "query": { "alt": "media", "generation": "{files.version}" },
                  "headers": { "Range": "bytes={files.first}-{files.last}" } } },
    "objects": {"*": {}}})";

struct Reading {
    explicit Reading(const ScriptedDestination &destination)
        : source(*Connector::parse(store).files(at(destination.url()))), policy(quick()),
          authenticator(source.object.auth, {{"token", "secret"}}), line{transport, waiter, limiter, policy},
          files(source, authenticator, line, nullptr) {}

    /// The rows of a pattern, with blanks between their cells.
    std::string rows(const std::string &pattern, std::vector<FileColumn> columns, const PathFilter &filter = {}) {
        const FileRowsSpec spec{PathPattern(pattern), {}, 0, std::move(columns)};
        FileRows rows(files, spec, filter, [] {});
        std::string all;
        for (FilePage page; rows.next_page(page);)
            for (std::size_t row = 0; row < page.cells.rows(); row++) {
                all += all.empty() ? "" : ", ";
                for (std::size_t i = 0; i < spec.columns.size(); i++)
                    all += (i == 0 ? "" : " ") +
                           std::string(page.cells.cell(row, i) == nullptr ? "NULL" : page.cells.cell(row, i));
            }
        return all;
    }

    std::string fault(const std::string &pattern) {
        try {
            return "read " + rows(pattern, {{"id"}});
        } catch (const DestinationError &error) {
            return std::string(error.what()).substr(source.object.base_url.size());
        }
    }

    const ConnectorFiles source;
    const Policy policy;
    PollWaiter waiter;
    RateLimiter limiter;
    Authenticator authenticator;
    CurlTransport transport;
    const AccountLine line;
    RemoteFiles files;
};

bool has(const Received &request, const std::string &what) {
    return request.target.find(what) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(pages_of_a_list_and_folders_that_a_filter_lets_pass) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (has(request, "/o/"))
            connection.answer(206, has(request, "2.csv") ? "id\n2\n" : "id\n1\n");
        else if (has(request, "delimiter=%2F"))
            connection.answer(200, R"({"kind": "objects", "prefixes": ["a/d=1/", "a/d=2/", "a/e=3/"]})");
        else if (has(request, "pageToken=more"))
            connection.answer(
                200, R"({"kind": "objects", "items": {"name": "a/d=2/2.csv", "size": "5", "generation": "8"}})");
        else
            connection.answer(200, R"({"kind": "objects", "nextPageToken": "more", "items": [
                {"name": "a/d=2/1.csv", "size": 5, "generation": 7}, {"name": "a/d=2/none.txt", "size": 1}, {"name": "a/d=2/empty.csv", "size": 0}]})");
    });
    Reading reading(destination);
    const PathFilter filter{
        {true}, [](const PathValues &values, const std::vector<bool> &known) { return !known[0] || values[0] == "2"; }};
    BOOST_TEST(reading.rows("a/d={d}/*.csv", {{"id"}, {"d", 0}}, filter) == "1 2, 2 2");
    std::vector<std::string> targets;
    for (const Received &request : destination.received())
        targets.push_back(request.target);
    const std::vector<std::string> expected = {
        "/o?prefix=a%2Fd%3D&delimiter=%2F", "/o?prefix=a%2Fd%3D2%2F", "/o/a%2Fd%3D2%2F1.csv?alt=media&generation=7",
        "/o?prefix=a%2Fd%3D2%2F&pageToken=more", "/o/a%2Fd%3D2%2F2.csv?alt=media&generation=8"};
    std::sort(targets.begin(), targets.end());
    std::vector<std::string> sorted = expected;
    std::sort(sorted.begin(), sorted.end());
    BOOST_TEST(targets == sorted, boost::test_tools::per_element());
    for (const Received &request : destination.received())
        if (has(request, "/o/")) {
            BOOST_TEST(request.all_of("range") == "bytes=0-4");
            BOOST_TEST(request.all_of("accept-encoding") == "gzip");
        }
}

BOOST_AUTO_TEST_CASE(what_a_store_says_wrong_is_told) {
    std::string list = R"({"kind": "objects", "items": [{"name": "x.csv", "size": 5}]})", body = "id\n1\n";
    int status = 206;
    const ScriptedDestination destination([&](const Received &request, auto &connection) {
        connection.answer(has(request, "/o/") ? status : 200, has(request, "/o/") ? body : list);
    });
    Reading reading(destination);
    BOOST_TEST(reading.fault("x.csv") == "read 1");
    body = "id\n1";
    BOOST_TEST(reading.fault("x.csv").starts_with("/x.csv: 5 bytes from byte 0 on were asked for, and 4 came"));
    status = 404;
    BOOST_TEST(reading.fault("x.csv").starts_with("/x.csv: "));
    list = R"({"items": []})";
    BOOST_TEST(reading.fault("x.csv") ==
               "/x.csv*: the answer is no list of files: what shows that it is one is missing");
    list = R"({"kind": "objects", "items": [{"name": "x.csv"}]})";
    BOOST_TEST(reading.fault("x.csv") == "/x.csv*: the answer is no list of files: a file has no name or no size");
    list = R"({"kind": "objects", "nextPageToken": "x"})";
    BOOST_TEST(reading.fault("x.csv").ends_with("the next part of the list of files is one that was read before"));
}

BOOST_AUTO_TEST_CASE(columns_are_found_in_files_and_names) {
    const ScriptedDestination destination([](const Received &request, auto &connection) {
        if (has(request, "/o/"))
            connection.answer(206, has(request, "1.ndjson") ? "{\"a\":1,\"b\":\"x\"}\n" : "{\"a\":1.5,\"c\":[1]}");
        else
            connection.answer(
                200,
                R"({"kind": "objects", "items": [{"name": "2026-11-01/1.ndjson", "size": 16}, {"name": "2026-11-02/2.ndjson", "size": 17}]})");
    });
    Reading reading(destination);
    std::string all;
    for (const SampledColumn &column : sample_files(reading.files, PathPattern("{day}/*.ndjson"), {}, [] {}))
        all += column.field + " " + column.type + (column.is_of_name ? " of the name, " : ", ");
    BOOST_TEST(all == "a numeric, b text, c jsonb, day date of the name, ");
}
