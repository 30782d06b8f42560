#pragma once

#include "engine/requests/delivery.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

inline bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

inline Settings with_url(Settings settings, const std::string &url) {
    settings["base_url"] = url;
    return settings;
}

/// Delivers rows of one operation, and holds the outcome of each.
struct Deliverer : OutcomeSink {
    Deliverer(const std::string &url, const Connector &connector, const std::string &object, OperationKind kind,
              const std::vector<std::string> &written, const std::string &key, const Settings &credentials = {},
              const Policy &policy = quick())
        : line(connector, object, kind, written, key, with_url({}, url), credentials, policy),
          delivery(line.bound.operation, line.dispatcher, *this, true, policy.max_attempts) {}

    void accepted(std::uint64_t row, const std::string &id) override { note(row, id.empty() ? "accepted" : id); }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        note(row, "rejected: " + reason + " (" + std::to_string(status) + ")");
    }
    void absent(std::uint64_t row) override { note(row, "absent"); }

    void note(std::uint64_t row, const std::string &outcome) {
        BOOST_TEST(outcomes.emplace(row, outcome).second, "a second outcome of row " << row << ": " << outcome);
    }

    void deliver(const std::vector<Values> &rows, std::size_t rows_a_batch = 0) {
        if (rows_a_batch == 0)
            rows_a_batch = line.bound.operation.rows_per_batch();
        std::vector<Batch> batches;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i % rows_a_batch == 0)
                batches.emplace_back(line.bound.operation.frame());
            add_row(batches.back(), line.bound.operation, i + 1, rows[i]);
        }
        delivery.deliver(std::move(batches));
    }

    /// The error that ends the delivery.
    std::string fault(const std::vector<Values> &rows, Fault expected, std::size_t rows_a_batch = 0) {
        try {
            deliver(rows, rows_a_batch);
            return "";
        } catch (const DestinationError &error) {
            BOOST_TEST((error.fault == expected));
            return std::string(error.what()) + " | " + error.detail + " | " + error.hint;
        }
    }

    std::size_t count(const std::string &beginning) const {
        return std::count_if(outcomes.begin(), outcomes.end(),
                             [&](const auto &outcome) { return outcome.second.starts_with(beginning); });
    }

    Line line;
    Delivery delivery;
    std::map<std::uint64_t, std::string> outcomes;
};

/// HubSpot's contacts, upserted by email.
struct Contacts : Deliverer {
    explicit Contacts(const ScriptedDestination &hubspot, OperationKind kind = OperationKind::upsert,
                      const Policy &policy = quick())
        : Deliverer(hubspot.url(), built_in_connector("hubspot"), "contacts", kind, {"email"}, "email",
                    {{"access_token", "pat"}}, policy) {}
};

/// An endpoint that takes one row a request.
struct Messages : Deliverer {
    explicit Messages(const ScriptedDestination &destination, const std::string &more = "",
                      const Policy &policy = quick(), const std::string &shared = "")
        : Deliverer(
              destination.url(),
              small_connector(R"({"create": {"request": "POST /messages", "body": {"$columns": "all"})" + more + "}}",
                              shared),
              "things", OperationKind::create, {"name"}, "", {}, policy) {}
};

std::vector<Values> emails(int count, const std::set<int> &bad = {}) {
    std::vector<Values> rows;
    for (int i = 1; i <= count; ++i)
        rows.push_back({(bad.contains(i) ? "bad" : "good") + std::to_string(i) + "@example.com"});
    return rows;
}

/// What HubSpot answers to a batch that it takes: in another order than it was asked.
inline std::string all_done(const Received &request) {
    Json results = Json::array();
    for (const Json &input : request.member("inputs"))
        results.insert(results.begin(), Json{{"id", "id of " + input["objectWriteTraceId"].get<std::string>()},
                                             {"objectWriteTraceId", input["objectWriteTraceId"]}});
    return Json{{"results", results}}.dump();
}

} // namespace reverse_etl
