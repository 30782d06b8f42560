#include "postgres/outbox/destination_health.h"

#include "postgres/border/sql.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// How long the database is left alone the first time, and at most.
constexpr Milliseconds shortest_hold{200}, longest_hold_of_database{30'000};

} // namespace

void DestinationHealth::retry_now() {
    Health::retry_now();
    held_until_ = {};
}

void DestinationHealth::hold(const Error &error, const char *what) {
    Milliseconds pause = std::min(longest_hold_of_database, shortest_hold * (1 << std::min(holds_, 10)));
    held_until_ = Clock::now() + pause;
    // What passes at once concerns nobody.
    if (++holds_ > 1)
        unusable(std::string(what) + ": " + error.what());
}

void DestinationHealth::release() {
    if (holds_ > 1)
        usable();
    holds_ = 0;
    held_until_ = {};
}

void DestinationHealth::store() const {
    for (const auto &of_role : circuits_) {
        Oid role = of_role.first;
        const Circuit &circuit = of_role.second;
        bool closed = circuit.state() == Circuit::State::closed;
        if (closed && !stored_.contains(role))
            continue;
        pg_call([&] {
            if (closed) {
                sql::execute("DELETE FROM reverse_etl.destination_states WHERE destination = $1 AND role = $2",
                             {sql::oid(destination_), sql::oid(role)});
                return;
            }
            // Somebody may have said that it is to be tried now.
            auto pause = std::chrono::duration_cast<Milliseconds>(circuit.retry_at() - Clock::now());
            sql::execute(R"(
                INSERT INTO reverse_etl.destination_states (destination, role, state, reason, failures, retry_at)
                VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6::float8 / 1000))
                ON CONFLICT (destination, role) DO UPDATE
                   SET state = excluded.state, reason = excluded.reason, failures = excluded.failures,
                       retry_at = excluded.retry_at)",
                         {sql::oid(destination_), sql::oid(role),
                          sql::text(circuit.state() == Circuit::State::paused ? "paused" : "failing"),
                          sql::text(circuit.reason()), sql::int8(circuit.failures()),
                          sql::int8(std::max<std::int64_t>(pause.count(), 0))});
        });
    }
}

void DestinationHealth::forget_changes() {
    stored_.clear();
    for (const auto &[role, circuit] : circuits_)
        if (circuit.state() != Circuit::State::closed)
            stored_[role] = circuit.state();
    changed_ = false;
}

} // namespace reverse_etl
