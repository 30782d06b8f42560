#include "postgres/syncs/source_statements.h"

#include "postgres/border/sql_text.h"

namespace reverse_etl {

SourceStatements::SourceStatements(const SyncDefinition &sync, std::uint64_t buckets)
    : sync_(sync), statements_(sync), state_(SyncStatements::state_table(sync.id)),
      modulus_(std::to_string(buckets) + "::pg_catalog.int8") {}

// As HashedRows has it, of keys that are not NULL.
std::string SourceStatements::place(const char *prefix) const {
    const std::string text = joined(sync_.key, " || ", [&](const std::string &name) {
        return "pg_catalog.replace((" + (prefix + quoted_name(name)) + ")::pg_catalog.text, '~', '~0') || '~1'";
    });
    return "('x'::pg_catalog.text || pg_catalog.right(pg_catalog.md5(pg_catalog.convert_to(" + text +
           ", 'UTF8')), 15))::pg_catalog.bit(60)::pg_catalog.int8";
}

std::string SourceStatements::compared() const {
    const std::string number = sends_changed(sync_.mode) ? "s.\"#hash\"" : place("s.");
    return "SELECT COALESCE(b.\"#bucket\", s.\"#bucket\") AS \"#bucket\", COALESCE(b.\"#rows\", 0) AS \"#rows\", "
           "b.\"#rows\" IS NOT DISTINCT FROM s.\"#rows\" AND b.\"#sum\" IS NOT DISTINCT FROM s.\"#sum\" AND NOT "
           "s.\"#unknown\" AS \"#same\" FROM \"#buckets\" AS b FULL JOIN (SELECT " +
           place("s.") + " % " + modulus_ + " AS \"#bucket\", pg_catalog.count(*) AS \"#rows\", pg_catalog.sum(" +
           number + ") AS \"#sum\", pg_catalog.bool_or(s.\"#hash\" IS NULL) AS \"#unknown\" FROM " + state_ +
           " AS s GROUP BY 1) AS s ON b.\"#bucket\" = s.\"#bucket\"";
}

std::string SourceStatements::keys_of_differing() const {
    return "SELECT h.* FROM \"#all\" AS h WHERE " + is_in_differing("h.\"#place\"");
}

std::string SourceStatements::is_in_differing(const std::string &place) const {
    return place + " % " + modulus_ + " IN (SELECT b.\"#bucket\" FROM \"#compared\" AS b WHERE NOT b.\"#same\")";
}

/// Of rows that are joined with the state, s.
std::string SourceStatements::differs(const char *row) const {
    if (sends_unchanged(sync_.mode))
        return "true";
    return sends_changed(sync_.mode)
               ? "(s.ctid IS NULL OR s.\"#hash\" IS DISTINCT FROM " + std::string(row) + "\"#hash\")"
               : "(s.ctid IS NULL OR s.\"#hash\" IS NULL)";
}

std::string SourceStatements::judged() const {
    const std::string other = place("s.");
    const std::string place_of_state = "CASE WHEN s.ctid IS NOT NULL THEN " + other + " END";
    return "SELECT h.\"#place\", h.\"#differs\" OR h.\"#other\" <> h.\"#place\" OR h.\"#copies\" > 1 AS \"#wanted\", "
           "h.\"#other\" FROM (SELECT h.\"#place\", " +
           differs("h.") + " AS \"#differs\", " + place_of_state +
           " AS \"#other\", pg_catalog.count(*) OVER (PARTITION BY " + statements_.key_forms("h.") +
           ") AS \"#copies\" FROM \"#there\" AS h LEFT JOIN " + state_ + " AS s ON " +
           statements_.same_key("h.", "s.") + ") AS h";
}

std::string SourceStatements::wanted() const {
    return "SELECT j.\"#place\" FROM \"#judged\" AS j WHERE j.\"#wanted\" UNION SELECT j.\"#other\" FROM \"#judged\" "
           "AS j "
           "WHERE j.\"#wanted\" AND j.\"#other\" IS NOT NULL";
}

std::string SourceStatements::fetched_and_wanted() const {
    return "SELECT m.* FROM \"#fetched\" AS m WHERE m.\"#place\" IN (SELECT w.\"#place\" FROM \"#wanted\" AS w)";
}

std::string SourceStatements::changes() const {
    return "SELECT " + statements_.names("m.") +
           ", m.\"#hash\", s.ctid IS NULL AS \"#new\", NULL::pg_catalog.int4 AS \"#attempts\", false AS \"#doubt\" "
           "FROM "
           "\"#source\" AS m LEFT JOIN " +
           state_ + " AS s ON " + statements_.same_key("m.", "s.") + " WHERE " + differs("m.");
}

std::string SourceStatements::gone() const {
    return statements_.gone_where(is_in_differing(place("s.")) + " AND NOT EXISTS (SELECT FROM \"#there\" AS h WHERE " +
                                  statements_.same_key("h.", "s.") + ")");
}

} // namespace reverse_etl
