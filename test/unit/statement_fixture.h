#pragma once

#include "engine/sources/statement_run.h"

#include "dispatch_fixture.h"

#include <string>
#include <utility>

namespace reverse_etl {

/// Polled, cancelled, and read by numbered pages of which the first comes with the state.
inline const std::string polled = R"({
    "submit": { "request": "POST /run", "query": { "id": "{statement.id}" },
                "body": { "sql": "{statement.sql}", "seconds": { "$number": "{statement.seconds}" }, "tag": "{statement.tag}", "where": "{statement.schema}",
                          "values": { "$parameters": { "name": "{parameter.number}", "value": { "type": "{parameter.type}", "value": "{parameter.value}" } } } } },
    "keep": { "handle": "/handle" },
    "done_when": { "/rows": { "exists": true } }, "failed_when": { "/state": "failed" }, "reason": "/why",
    "poll": { "request": "GET /run/{statement.handle}", "every": { "milliseconds": 1, "up_to": 5 } },
    "cancel": { "request": "POST /run/{statement.handle}/cancel" },
    "result": { "request": "GET /run/{statement.handle}", "query": { "page": "{statement.page}" }, "inline": true,
                "columns": "/columns", "types": [{ "when": { "/type": "day" }, "type": "date", "cell": "days" }, { "type": "text" }],
                "rows": "/rows", "next": { "number": "/pages" } },
    "facts": { "bytes": "/scanned" },
    "dialect": { "relation": "{object}", "parameters": { "types": { "text": "TEXT" } } } })";

inline Connector connector(const std::string &statement) {
    return Connector::parse(R"({"manifest": 1, "name": "house", "title": "House", "base_url": "http://localhost",
        "auth": {"kind": "bearer", "token": "{token}"}, "credentials": {"token": {"description": "the token"}}, "reason": "/message",
        "statement": )" + statement +
                            R"(, "objects": {"*": {}}})");
}

struct Reading {
    Reading(const ScriptedDestination &destination, const std::string &statement, SqlText sql = {"SELECT 1", {}},
            std::chrono::seconds longest = std::chrono::seconds(7), Milliseconds of_request = Milliseconds(0))
        : Reading(destination.url(), statement, std::move(sql), longest, of_request) {}

    Reading(const std::string &url, const std::string &statement, SqlText sql = {"SELECT 1", {}},
            std::chrono::seconds longest = std::chrono::seconds(7), Milliseconds of_request = Milliseconds(0))
        : source(*connector(statement).statement(at(url))), policy(quick_within(of_request)),
          authenticator(source.object.auth, {{"token", "secret"}}), line{transport, waiter, limiter, policy},
          run(source, authenticator, line, std::move(sql), {"the schema", "the tag", longest}) {}

    static Policy quick_within(Milliseconds timeout) {
        Policy policy = quick();
        if (timeout > Milliseconds(0)) {
            policy.timeout = timeout;
            policy.max_attempts = 1;
        }
        return policy;
    }

    /// All rows, with blanks between their cells.
    std::string rows() {
        std::string all;
        for (ResultPage page; run.next_page(page);)
            for (std::size_t row = 0; row < page.rows(); row++) {
                all += all.empty() ? "" : ", ";
                for (std::size_t i = 0; i < run.columns().size(); i++)
                    all += (i == 0 ? "" : " ") + std::string(page.cell(row, i) == nullptr ? "NULL" : page.cell(row, i));
            }
        return all;
    }

    std::string fault() {
        try {
            return "read " + rows();
        } catch (const DestinationError &error) {
            return std::string(error.what()).substr(source.object.base_url.size()) + " | " + error.detail;
        }
    }

    const ConnectorStatement source;
    const Policy policy;
    PollWaiter waiter;
    RateLimiter limiter;
    Authenticator authenticator;
    CurlTransport transport;
    const AccountLine line;
    StatementRun run;
};

} // namespace reverse_etl
