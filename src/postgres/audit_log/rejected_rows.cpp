#include "postgres/audit_log/rejected_rows.h"

#include "engine/text/json_text.h"
#include "postgres/border/sql.h"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

/// Reasons that the WARNING repeats; the others are in the table.
constexpr std::size_t most_reasons_shown = 5;

/// What one text holds, unless a single row is larger.
constexpr std::size_t most_bytes = 1 << 20;

} // namespace

std::vector<std::string> rejected_rows_json(const std::vector<RejectedRow> &rows) {
    std::vector<std::string> texts;
    for (const RejectedRow &row : rows) {
        if (texts.empty() || texts.back().size() >= most_bytes)
            texts.emplace_back();
        std::string &text = texts.back();
        text += (text.empty() ? "[{\"number\":" : ",{\"number\":") + std::to_string(row.number);
        if (!row.key.empty()) {
            text += ",\"key\":";
            append_json_string(text, row.key);
        }
        text += ",\"row\":";
        append_json_string(text, row.row);
        text += ",\"reason\":";
        append_json_string(text, row.reason.empty() ? "no reason was given" : row.reason);
        if (row.status != 0)
            text += ",\"status\":" + std::to_string(row.status);
        text += '}';
    }
    for (std::string &text : texts)
        text += ']';
    return texts;
}

void insert_rejected_rows(std::int64_t push_id, const PushRecord &push, std::string_view rows) {
    static constexpr const char *insert = R"(
        INSERT INTO reverse_etl.rejected_rows
               (push, destination_name, destination, operation, row_number, key, "row", reason, http_status, statement_at,
                rejected_by, role_id)
        SELECT $1, $2, (SELECT oid FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $8), $3, number, reverse_etl_internal.kept_json(key),
               reverse_etl_internal.kept_json("row"), reason, status, $4, $5, $6
          FROM pg_catalog.json_to_recordset($7)
               AS _(number pg_catalog.int8, key pg_catalog.text, "row" pg_catalog.text, reason pg_catalog.text,
                    status pg_catalog.int4))";
    pg_call([&] {
        SPI_connect();
        sql::execute(insert, {sql::int8(push_id),
                              {TEXTOID, text_datum(to_server_legible(push.destination))},
                              sql::text(push.operation),
                              sql::timestamptz(push.statement_at),
                              sql::name(ServerText(push.role)),
                              sql::oid(push.role_id),
                              sql::json(rows),
                              sql::oid(push.destination_id)});
        SPI_finish();
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
    unsigned long long rejected = rows_, rows = of_rows;
    const std::string hint = where_rejected_rows_are;
    // The reasons quote rows; the server log is not where those belong.
    pg_call([&] {
        ereport(WARNING, (errcode(ERRCODE_WARNING),
                          errmsg("destination \"%s\" rejected %llu of %llu rows", destination, rejected, rows),
                          errdetail("%s", reasons), errdetail_log("The reasons are in reverse_etl.rejected_rows."),
                          errhint("%s", hint)));
    });
}

} // namespace reverse_etl
