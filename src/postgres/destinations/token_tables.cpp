#include "postgres/destinations/token_tables.h"

#include "engine/text/json.h"
#include "engine/text/sealed_text.h"
#include "postgres/border/border.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/settings.h"
#include "postgres/border/sql.h"

#include <fstream>
#include <iterator>

extern "C" {
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl::token_tables {

namespace {

constexpr std::size_t most_key_bytes = 65536;

/// "" where none is configured. The file is read each time: a token is fetched once an hour.
std::string read_key() {
    const std::string path = settings::token_key_file == nullptr ? "" : settings::token_key_file;
    if (path.empty())
        return "";
    std::ifstream file(path, std::ios::binary);
    const std::string secret{std::istreambuf_iterator<char>(file), {}};
    constexpr std::size_t least_bytes = 16;
    if (!file.good() && !file.eof())
        throw Error(ERRCODE_CONFIG_FILE_ERROR, "could not read the file that \"reverse_etl.token_key_file\" names");
    if (secret.size() < least_bytes || secret.size() > most_key_bytes)
        throw Error(ERRCODE_CONFIG_FILE_ERROR,
                    "the file that \"reverse_etl.token_key_file\" names holds no key of at least " +
                        std::to_string(least_bytes) + " bytes");
    return key_of(secret);
}

std::int64_t milliseconds_now() {
    return std::chrono::duration_cast<Milliseconds>(WallClock::now().time_since_epoch()).count();
}

Json json_of(const TokenResult &result) {
    if (const auto *token = std::get_if<FetchedToken>(&result))
        return {{"token", token->text},
                {"base_url", token->base_url},
                {"until", token->life ? Json(milliseconds_now() + token->life->count()) : Json()}};
    const auto &fault = std::get<TokenFault>(result);
    return {{"fault", static_cast<int>(fault.error.fault)},
            {"message", fault.error.what()},
            {"hint", fault.error.hint},
            {"passes", fault.passes},
            {"delay", fault.delay ? Json(fault.delay->count()) : Json()}};
}

TokenResult result_of(const Json &json) {
    const auto span = [&](const char *member) {
        const Json &value = json.at(member);
        return value.is_null() ? std::nullopt : std::optional(Milliseconds(value.get<std::int64_t>()));
    };
    if (json.contains("token")) {
        FetchedToken token{json.at("token"), json.at("base_url"), "", span("until")};
        if (token.life)
            *token.life -= Milliseconds(milliseconds_now());
        return token;
    }
    return TokenFault{DestinationError(static_cast<Fault>(json.at("fault").get<int>()), json.at("message"), "",
                                       json.at("hint").get<std::string>()),
                      json.at("passes"), span("delay")};
}

/// Call inside pg_call.
Datum bytea_of(std::string_view bytes) {
    auto *value = static_cast<bytea *>(palloc(bytes.size() + VARHDRSZ));
    SET_VARSIZE(value, bytes.size() + VARHDRSZ);
    memcpy(VARDATA(value), bytes.data(), bytes.size());
    return PointerGetDatum(value);
}
sql::Parameter bytes(std::string_view value) {
    return {BYTEAOID, bytea_of(value)};
}
/// Valid while the memory context is.
std::string_view bytes_of(Datum value) {
    bytea *bytes = DatumGetByteaPP(value);
    return {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}

struct Row {
    std::int64_t number = 0;
    std::string_view entry;
};

/// Reads past the snapshot: in a transaction that sees one state of the database all along, the token that another
/// process has just fetched must be found.
Row read_row(const std::string &account) {
    Row row;
    Relation table = table_open(internal_relation("access_tokens"), AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, static_cast<AttrNumber>(own_column(table, "account") + 1), BTEqualStrategyNumber, F_BYTEAEQ,
                bytea_of(account));
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, SnapshotSelf, 1, &key);
    while (HeapTuple tuple = systable_getnext(scan)) {
        bool is_null = false;
        TupleDesc columns = RelationGetDescr(table);
        row.number = DatumGetInt64(heap_getattr(tuple, own_column(table, "number") + 1, columns, &is_null));
        Datum entry = heap_getattr(tuple, own_column(table, "entry") + 1, columns, &is_null);
        row.entry = bytes_of(PointerGetDatum(PG_DETOAST_DATUM_COPY(entry)));
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return row;
}

} // namespace

bool Entry::is_usable() const {
    const auto *token = result ? std::get_if<FetchedToken>(&*result) : nullptr;
    return token != nullptr && (!token->life || token->life->count() > 0);
}

Entry read(const std::string &account) {
    const Row row = pg_call([&] { return read_row(account); });
    Entry entry{row.number, std::nullopt};
    if (row.number == 0)
        return entry;
    // One that cannot be opened is fetched anew.
    if (const auto text = opened(row.entry, read_key(), account))
        entry.result.emplace(result_of(Json::parse(*text)));
    return entry;
}

std::string newest_refresh_token(const std::string &identity) {
    std::string_view entry;
    pg_call([&] {
        if (sql::execute("SELECT entry FROM reverse_etl_internal.refresh_tokens WHERE account = $1",
                         {bytes(identity)}) > 0)
            entry = bytes_of(sql::column(0, 1));
    });
    if (entry.empty())
        return "";
    if (auto token = opened(entry, read_key(), identity))
        return *token;
    throw Error(ERRCODE_CONFIG_FILE_ERROR,
                "the refresh token that took the place of the user mapping's cannot be opened",
                "It was sealed with another key than the one in the file that \"reverse_etl.token_key_file\" names.",
                "Bring back that key, or set a new refresh token with ALTER USER MAPPING.");
}

void check_key() {
    read_key();
}

void write(const std::string &account, std::int64_t number, const TokenResult &result, const RefreshIdentity &refresh) {
    const std::string key = read_key();
    const std::string entry =
        sealed(json_of(result).dump(-1, ' ', false, Json::error_handler_t::replace), key, account);
    const auto *token = std::get_if<FetchedToken>(&result);
    const bool rotates = token != nullptr && !token->refresh_token.empty();
    const std::string newest = rotates ? sealed(token->refresh_token, key, refresh.identity) : "";
    const std::string mapped = key_of(refresh.mapped);
    pg_call([&] {
        sql::execute("INSERT INTO reverse_etl_internal.access_tokens AS t (account, number, entry) VALUES ($1, $2, $3) "
                     "ON CONFLICT (account) DO UPDATE SET number = excluded.number, entry = excluded.entry, "
                     "kept_at = excluded.kept_at",
                     {bytes(account), sql::int8(number), bytes(entry)});
        if (rotates)
            sql::execute("INSERT INTO reverse_etl_internal.refresh_tokens AS t (account, mapped, entry) "
                         "VALUES ($1, $2, $3) ON CONFLICT (account) DO UPDATE SET entry = excluded.entry, "
                         "kept_at = excluded.kept_at",
                         {bytes(refresh.identity), bytes(mapped), bytes(newest)});
    });
}

} // namespace reverse_etl::token_tables
