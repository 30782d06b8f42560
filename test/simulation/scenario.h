#pragma once

#include "engine/manifest/connector.h"
#include "world.h"

#include <set>
#include <string>
#include <vector>

namespace reverse_etl::simulation {

/// What is wrong with a vendor for a while.
struct Spell {
    enum class Kind {
        unreachable, ///< no connection
        bad_gateway, ///< 502 from a proxy, at times after the request was carried out
        failing,     ///< 500, and nothing was done
        busy,        ///< 429
        busy_until,  ///< 429 with Retry-After
        cut,         ///< the connection breaks, at times after the request was carried out
        lying,       ///< results are missing, too many, twice, or of rows that nobody sent
        slow,        ///< answers take longer than anybody waits
        denied,      ///< 401
        garbage,     ///< 200 with a page of HTML, at times although the request was carried out
    } kind;
    Clock::duration from, to; ///< since the beginning
    double probability = 1;   ///< for each request
    int object = -1;          ///< -1: all
    int role = -1;            ///< likewise

    bool is_on(Clock::duration now, int of_object, int of_role) const {
        return from <= now && now < to && (object < 0 || object == of_object) && (role < 0 || role == of_role);
    }
};
const char *name_of(Spell::Kind kind);

/// What is wrong with a row, for ever.
enum class Poison {
    none,
    breaks,      ///< 500 for the request that holds it
    fails_whole, ///< 400 for the request that holds it, and for one that looks its key up
    refused,     ///< by itself
    unmentioned, ///< the answer does not speak of it, and it is not taken
    waits,       ///< the answer asks to come back with it
};
const char *name_of(Poison poison);

/// A row that someone queues.
struct Order {
    std::uint64_t id = 0;
    Clock::duration at; ///< since the beginning
    int object = 0;
    int role = 0;
    OperationKind operation = OperationKind::upsert;
    std::string key; ///< "" for none
    Poison poison = Poison::none;
};

/// All that a seed decides before the run begins.
struct Scenario {
    explicit Scenario(World &world);

    int roles = 1;
    std::vector<Order> orders; ///< by time, and so by id
    std::vector<Spell> spells;
    Clock::duration calm{}; ///< when the last spell has ended
    Milliseconds latency{}, jitter{};
    int requests_a_window = 0, window_seconds = 0, concurrent = 0; ///< limits; 0: none
    bool tokens = false;
    long token_seconds = 0;
    double kill = 0; ///< the probability at each step
    int most_kills = 0;
    bool crashes = false;      ///< with a kill goes what stood in shared memory
    double jump = 0;           ///< of the clocks
    std::size_t most_rows = 0; ///< in memory
    int max_in_flight = 1;
    double puts_off = 0;  ///< the probability that outcomes are stored a turn later
    bool is_odd = false;  ///< answers hold values that not every parser takes
    bool revokes = false; ///< a token ends when there is a newer one
    double forgets = 0;   ///< the probability with each request that the tokens of its role end
    double spent = 0;     ///< the probability that an answer says that others have used the window up
    bool dates = false;   ///< Retry-After is a date
    int capacity = 0;     ///< more requests at once are answered with 429; 0: any number

    bool has_faults() const { return !spells.empty() || has_poison || kill > 0 || jump > 0; }
    bool has_poison = false;
    std::string summary() const;

  private:
    void become_a_rush(World &world);
    void become_keyed_creates(World &world);
};

/// The objects that the vendor has: they differ in how answers speak of rows.
constexpr const char *object_names[] = {"numbered", "keyed", "listed", "whole", "told"};
constexpr int object_count = 5;
/// How many rows their requests take.
constexpr std::size_t rows_of_a_request[] = {5, 4, 5, 8, 6};

/// The vendor's manifest, with the limits of the scenario.
Connector connector_of(const Scenario &scenario);

} // namespace reverse_etl::simulation
