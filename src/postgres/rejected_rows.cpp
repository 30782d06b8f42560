#include "postgres/rejected_rows.h"

#include "postgres/border.h"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Reasons that the WARNING repeats; the others are in the table.
constexpr std::size_t most_reasons_shown = 5;

/// It runs as the table's owner, and nothing in it is the user's.
constexpr const char *insert = R"(
    INSERT INTO reverse_etl.rejected_rows
           (destination, operation, row_number, key, "row", reason, http_status, statement_at, rejected_by)
    SELECT $1, $2, number, key::pg_catalog.jsonb, "row"::pg_catalog.jsonb, reason, status, $8, $9
      FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6),
                      pg_catalog.unnest($7)) AS _ (number, key, "row", reason, status))";

Oid owner_of_table() {
    Oid table = get_relname_relid("rejected_rows", get_namespace_oid("reverse_etl", false));
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "table reverse_etl.rejected_rows does not exist");
    Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

/// An array of one value a row.
struct Column {
    Datum *values;
    bool *nulls;
    int count = 0;

    explicit Column(std::size_t rows)
        : values(static_cast<Datum *>(palloc(sizeof(Datum) * rows))), nulls(static_cast<bool *>(palloc0(rows))) {}
    void add(Datum value) { values[count++] = value; }
    void add_null() { nulls[count++] = true; }
    void add_text(const std::string &utf8) {
        if (utf8.empty())
            add_null();
        else
            add(CStringGetTextDatum(pg_any_to_server(utf8.c_str(), static_cast<int>(utf8.size()), PG_UTF8)));
    }
    Datum array(Oid type, int length, bool by_value, char alignment) const {
        int lower = 1, size = count;
        return PointerGetDatum(construct_md_array(values, nulls, 1, &size, &lower, type, length, by_value, alignment));
    }
    Datum texts() const { return array(TEXTOID, -1, false, TYPALIGN_INT); }
};

} // namespace

void store_rejected_rows(const std::string &destination, const char *operation, const std::vector<RejectedRow> &rows) {
    pg_call([&] {
        Oid user;
        int security_context;
        GetUserIdAndSecContext(&user, &security_context);
        SPI_connect();
        Column numbers(rows.size()), keys(rows.size()), objects(rows.size()), reasons(rows.size()),
            statuses(rows.size());
        for (const RejectedRow &row : rows) {
            numbers.add(Int64GetDatum(static_cast<int64>(row.number)));
            keys.add_text(row.key);
            objects.add_text(row.row);
            reasons.add_text(row.reason.empty() ? "no reason was given" : row.reason);
            if (row.status == 0)
                statuses.add_null();
            else
                statuses.add(Int32GetDatum(static_cast<int32>(row.status)));
        }
        Oid types[] = {TEXTOID,      TEXTOID,      INT8ARRAYOID,   TEXTARRAYOID, TEXTARRAYOID,
                       TEXTARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID, NAMEOID};
        Datum values[] = {CStringGetTextDatum(destination.c_str()),
                          CStringGetTextDatum(operation),
                          numbers.array(INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE),
                          keys.texts(),
                          objects.texts(),
                          reasons.texts(),
                          statuses.array(INT4OID, 4, true, TYPALIGN_INT),
                          TimestampTzGetDatum(GetCurrentStatementStartTimestamp()),
                          DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(user, false)))};
        // Nobody is granted to write into the table; its owner writes, as with referential actions. An abort restores
        // the user.
        SetUserIdAndSecContext(owner_of_table(), security_context | SECURITY_LOCAL_USERID_CHANGE);
        if (SPI_execute_with_args(insert, 9, types, values, nullptr, false, 0) != SPI_OK_INSERT)
            elog(ERROR, "could not insert into reverse_etl.rejected_rows");
        SPI_finish();
        SetUserIdAndSecContext(user, security_context);
    });
}

void RejectionReport::add(const std::string &reason) {
    rows_++;
    if (first_reasons_.size() < most_reasons_shown)
        first_reasons_.push_back(reason);
}

void RejectionReport::warn(const std::string &destination, std::uint64_t of_rows) {
    if (rows_ == reported_)
        return;
    reported_ = rows_;
    std::string reasons;
    for (const std::string &reason : first_reasons_)
        reasons += (reasons.empty() ? "" : "\n") + reason;
    if (rows_ > first_reasons_.size())
        reasons += "\nand " + std::to_string(rows_ - first_reasons_.size()) + " more";
    const char *detail = reasons.c_str(), *name = destination.c_str();
    unsigned long long rejected = rows_, rows = of_rows;
    // The reasons quote rows; the server log is not where those belong.
    pg_call([&] {
        ereport(WARNING, (errcode(ERRCODE_WARNING),
                          errmsg("destination \"%s\" rejected %llu of %llu rows", name, rejected, rows),
                          errdetail("%s", detail), errdetail_log("The reasons are in reverse_etl.rejected_rows."),
                          errhint("The rejected rows and their reasons are in reverse_etl.rejected_rows.")));
    });
}

} // namespace reverse_etl
