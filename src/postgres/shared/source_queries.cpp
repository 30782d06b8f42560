#include "postgres/shared/source_queries.h"

#include "postgres/border/border.h"
#include "postgres/shared/part_lock.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

extern "C" {
#include "catalog/pg_authid.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

constexpr std::uint64_t places = 256;
constexpr std::size_t most_sql_bytes = 1024, most_id_bytes = 128;

struct Place {
    std::uint64_t number; ///< of the statement, from 1; 0: none
    int pid;
    Oid database, server, table, role;
    SourceQueryRecord::State state;
    TimestampTz started_at, ended_at;
    std::uint64_t rows, bytes;
    std::int64_t source_bytes;
    char sql[most_sql_bytes], id[most_id_bytes];
};

struct Places {
    std::uint64_t last; ///< number that was given
    Place place[places];
};

/// Without shared memory a process sees only its own.
Places own;

Places &table() {
    return SourceQueryEntry::shared.address != nullptr ? *static_cast<Places *>(SourceQueryEntry::shared.address) : own;
}

/// The lock, where others look as well.
struct Locked {
    Locked() {
        if (SourceQueryEntry::shared.lock != nullptr)
            lock.emplace(SourceQueryEntry::shared);
    }
    std::optional<shared_memory::PartLock> lock;
};

/// The beginning of a text in UTF-8, cut between characters.
template <std::size_t size>
void set(char (&target)[size], std::string_view text) {
    std::size_t length = std::min(text.size(), size - 1);
    while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
        length--;
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

void forget(Oid database) {
    const Locked locked;
    for (Place &place : table().place)
        if (place.database == database)
            place.number = 0;
}

bool may_see(Oid role) {
    return has_privs_of_role(GetUserId(), role) || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

SourceQueryRecord record_of(const Place &place) {
    SourceQueryRecord record;
    record.pid = place.pid;
    record.database = place.database;
    record.server = place.server;
    record.table = place.table;
    record.role = place.role;
    record.state = place.state;
    record.started_at = place.started_at;
    record.ended_at = place.ended_at;
    record.sql = place.sql;
    record.id = place.id;
    record.rows = place.rows;
    record.bytes = place.bytes;
    record.source_bytes = place.source_bytes;
    return record;
}

} // namespace

shared_memory::Part SourceQueryEntry::shared = {"reverse_etl source queries", sizeof(Places), nullptr, forget};

SourceQueryEntry::SourceQueryEntry(Oid server, Oid table_of_query, Oid role, const std::string &sql) {
    const TimestampTz now = GetCurrentTimestamp();
    const Locked locked;
    number_ = ++table().last;
    Place &place = table().place[number_ % places];
    place = {};
    place.number = number_;
    place.pid = MyProcPid;
    place.database = MyDatabaseId;
    place.server = server;
    place.table = table_of_query;
    place.role = role;
    place.state = SourceQueryRecord::State::running;
    place.started_at = now;
    place.source_bytes = -1;
    set(place.sql, sql);
}

SourceQueryEntry::~SourceQueryEntry() {
    end(SourceQueryRecord::State::cancelled);
}

void SourceQueryEntry::tell(const std::string &id, std::uint64_t rows, std::uint64_t bytes, std::int64_t source_bytes) {
    const Locked locked;
    Place &place = table().place[number_ % places];
    if (number_ == 0 || place.number != number_)
        return;
    set(place.id, id);
    place.rows = rows;
    place.bytes = bytes;
    place.source_bytes = source_bytes;
}

void SourceQueryEntry::end(SourceQueryRecord::State state) {
    const TimestampTz now = GetCurrentTimestamp();
    const Locked locked;
    Place &place = table().place[number_ % places];
    if (number_ != 0 && place.number == number_) {
        place.state = state;
        place.ended_at = now;
    }
    number_ = 0;
}

std::vector<SourceQueryRecord> SourceQueryEntry::visible() {
    std::vector<Place> found;
    {
        const auto all = std::make_unique<Places>();
        {
            const Locked locked;
            *all = table();
        }
        for (const Place &place : all->place)
            if (place.number != 0 && place.database == MyDatabaseId)
                found.push_back(place);
    }
    std::sort(found.begin(), found.end(),
              [](const Place &one, const Place &other) { return one.number < other.number; });
    std::vector<SourceQueryRecord> records;
    for (const Place &place : found)
        if (pg_call([&] { return may_see(place.role); }))
            records.push_back(record_of(place));
    return records;
}

} // namespace reverse_etl
