#include "postgres/syncs/statements.h"

#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/key_forms.h"

#include <algorithm>
#include <iterator>

namespace reverse_etl {

namespace {

const std::string hash_of_row = "reverse_etl.hash_row(m.*)";
/// Keeps a query apart from the one around it. The number is no expression, or its processes could not share the work.
const std::string apart = " OFFSET pg_catalog.int8 '0'";
/// What touched() adds to the rows of the model where nothing is kept.
const std::string nothing_kept = "NULL::pg_catalog.int4 AS \"#attempts\", false AS \"#doubt\"";

} // namespace

SyncStatements::SyncStatements(const SyncDefinition &sync)
    : sync_(sync), model_columns_(sync.columns), state_(state_table(sync.id)), rows_(rows_table(sync.id)) {
    auto add = [&](const std::string &name) {
        if (std::find(model_columns_.begin(), model_columns_.end(), name) == model_columns_.end())
            model_columns_.push_back(name);
    };
    std::for_each(sync.key.begin(), sync.key.end(), add);
    if (sync.by_cursor())
        add(sync.cursor_column);
    std::transform(sync.key_types.begin(), sync.key_types.end(), std::back_inserter(key_types_), qualified_type_name);
}

std::string SyncStatements::state_table(int32 sync) {
    return "reverse_etl_internal.sync_" + std::to_string(sync) + "_state";
}

std::string SyncStatements::rows_table(int32 sync) {
    return "reverse_etl_internal.sync_" + std::to_string(sync) + "_rows";
}

// The query may end with a comment: hence the line break.
std::string SyncStatements::model() const {
    if (is_shown_)
        return "(SELECT " + names("source.") + ", source.\"#hash\" FROM \"#source\" AS source) AS m";
    return "(SELECT " + joined(model_columns_, ", ", quoted_name) + " FROM (" + sync_.query + "\n) AS model" +
           (only_keys_ ? " WHERE " + among_keys("model.") : "") + ") AS m";
}

std::string SyncStatements::hash() const {
    return is_shown_ ? "m.\"#hash\"" : hash_of_row;
}

std::string SyncStatements::among_keys(const char *prefix) const {
    return "(" + key_forms(prefix) + ") IN (SELECT " + key_forms("\"#keys\".") + " FROM \"#keys\")";
}

std::string SyncStatements::key(const char *prefix) const {
    return joined(sync_.key, ", ", [&](const std::string &name) { return prefix + quoted_name(name); });
}

std::string SyncStatements::same_key(const char *one, const char *other) const {
    std::string all;
    for (std::size_t i = 0; i < sync_.key.size(); i++)
        all += (all.empty() ? "" : " AND ") + key_form(i, one) + " " + sync_.key_equality[i] + " " + key_form(i, other);
    return all;
}

// Where the model has a domain, this is of its base type: there is no operator for a domain over an enum.
std::string SyncStatements::key_value(std::size_t column, const char *prefix) const {
    return "(" + (prefix + quoted_name(sync_.key[column])) + "::" + key_types_[column] + ")";
}

std::string SyncStatements::key_form(std::size_t column, const char *prefix) const {
    return in_sql_form(sync_.key_forms[column], key_value(column, prefix));
}

std::string SyncStatements::typed_key(const char *prefix) const {
    std::string all;
    for (std::size_t i = 0; i < sync_.key.size(); i++)
        all += (all.empty() ? "" : ", ") + key_value(i, prefix);
    return all;
}

std::string SyncStatements::names(const char *prefix) const {
    return joined(model_columns_, ", ", [&](const std::string &name) { return prefix + quoted_name(name); });
}

std::string SyncStatements::key_forms(const char *prefix) const {
    std::string all;
    for (std::size_t i = 0; i < sync_.key.size(); i++)
        all += (all.empty() ? "" : ", ") + key_form(i, prefix);
    return all;
}

std::string SyncStatements::no_key() const {
    return joined(sync_.key, " OR ", [&](const std::string &name) { return "m." + quoted_name(name) + " IS NULL"; });
}

std::string SyncStatements::key_hash() const {
    return "reverse_etl_internal.key_hash(" + key_forms("m.") + ")";
}

std::string SyncStatements::known() const {
    return "SELECT count(*) FROM " + state_;
}

std::string SyncStatements::any_kept() const {
    return "SELECT 1 FROM " + rows_ + " LIMIT 1";
}

// Each row is hashed once, and its fate is asked for once. The planner takes few rows to lie between two numbers, as it
// is.
std::string SyncStatements::seen(const Sightings &sightings) const {
    return "SELECT " + names("m.") + ", m.\"#hash\", m.\"#fate\" = " + std::to_string(Sightings::is_new) +
           " AS \"#new\", " + nothing_kept + ", CASE WHEN m.\"#fate\" <> " + std::to_string(Sightings::is_known) +
           " THEN " + key_hash() + " END AS \"#key\", m.\"#fate\" FROM (SELECT m.*, " +
           sightings.fate("m.\"#hash\"", typed_key("m."), key_forms("m.")) + " AS \"#fate\" FROM (SELECT m.*, " +
           hash_of_row + " AS \"#hash\" FROM " + model() + apart + ") AS m" + apart +
           ") AS m WHERE m.\"#fate\" BETWEEN " + std::to_string(Sightings::is_new) + " AND " +
           std::to_string(Sightings::is_undecided);
}

std::string SyncStatements::decided(const Sightings &sightings) const {
    const std::string is_undecided = "m.\"#fate\" = " + std::to_string(Sightings::is_undecided);
    return "SELECT " + names("m.") + ", m.\"#hash\", CASE WHEN " + is_undecided +
           " THEN s.ctid IS NULL ELSE m.\"#new\" END AS \"#new\", " + nothing_kept + " FROM \"#seen\" AS m LEFT JOIN " +
           state_ + " AS s ON " + is_undecided + " AND " + same_key("m.", "s.") + " WHERE CASE WHEN " + is_undecided +
           " THEN " + sightings.condition("m.\"#hash\"") + " ELSE true END";
}

std::string SyncStatements::all_new() const {
    return "SELECT m.*, " + hash_of_row + " AS \"#hash\", true AS \"#new\", " + nothing_kept + ", " + key_hash() +
           " AS \"#key\" FROM " + model();
}

std::string SyncStatements::seen_but_pending() const {
    const std::string hash = "m.\"#hash\"";
    return "SELECT " + names("m.") + ", " + hash + ", m.\"#new\", " + attempts(hash) + ", " + doubt() +
           " FROM \"#seen\" AS m WHERE " + is_not_pending(hash);
}

/// Of rows m with what the state knows of them, s, and what leaves last of those on their way, p.
std::string SyncStatements::differs_from_last() const {
    const bool sends_all = sends_unchanged(sync_.mode), by_hash = sends_changed(sync_.mode);
    const std::string of_pending = by_hash ? "p.\"#hash\" IS DISTINCT FROM " + hash_of_row : "p.\"#change\" = '-'";
    // The hash is gone where a row is to be sent again.
    const std::string of_state = sends_all || (by_hash && !state_tells_) ? "true"
                                 : by_hash ? "s.ctid IS NULL OR s.\"#hash\" IS DISTINCT FROM " + hash_of_row
                                           : "s.ctid IS NULL OR s.\"#hash\" IS NULL";
    return "CASE WHEN p.\"#change\" IS NULL THEN " + of_state + " ELSE " + of_pending + " END";
}

/// Of each key that is looked at, what leaves last: that is what the destination will have. A removal has no hash.
std::string SyncStatements::last_on_their_way() const {
    return "(SELECT DISTINCT ON (" + key_forms("l.") + ") " + key("l.") + ", l.\"#hash\", l.\"#change\" FROM " + rows_ +
           " AS l WHERE l.\"#row\" IS NOT NULL AND " + among_keys("l.") + " ORDER BY " + key_forms("l.") +
           ", l.\"#row\" DESC)";
}

/// How often the row was refused as it is. A stream and a run may both have failed with it, so it is no join; where
/// nothing has failed, which is found out once, no row is looked for.
std::string SyncStatements::attempts(const std::string &hash) const {
    return "CASE WHEN EXISTS (SELECT FROM " + rows_ +
           " WHERE \"#row\" IS NULL) THEN (SELECT pg_catalog.max(f.\"#attempts\") FROM " + rows_ + " AS f WHERE " +
           failed() + " AND f.\"#hash\" = " + hash + ") END AS \"#attempts\"";
}

std::string SyncStatements::failed() const {
    return "f.\"#row\" IS NULL AND f.\"#change\" NOT IN ('-', '?') AND " + same_key("f.", "m.");
}

/// It was created, and nobody knows whether the destination has it.
std::string SyncStatements::in_doubt() const {
    return "d.\"#change\" = '?' AND " + same_key("d.", "m.");
}

std::string SyncStatements::doubt() const {
    return "EXISTS (SELECT FROM " + rows_ + " AS d WHERE " + in_doubt() + ") AS \"#doubt\"";
}

std::string SyncStatements::is_not_pending(const std::string &hash) const {
    return "NOT EXISTS (SELECT FROM " + rows_ +
           " AS p WHERE p.\"#row\" IS NOT NULL AND p.\"#change\" <> '-' AND p.\"#hash\" = " + hash + " AND " +
           same_key("p.", "m.") + ")";
}

std::string SyncStatements::touched() const {
    return "SELECT m.*, " + hash_of_row +
           " AS \"#hash\", CASE WHEN p.\"#change\" IS NULL THEN s.ctid IS NULL ELSE p.\"#change\" = '-' END AS "
           "\"#new\", " +
           attempts(hash_of_row) + ", " + doubt() + " FROM " + model() + " LEFT JOIN " + state_ + " AS s ON " +
           same_key("m.", "s.") + " LEFT JOIN " + last_on_their_way() + " AS p ON " + same_key("m.", "p.") + " WHERE " +
           differs_from_last();
}

std::string SyncStatements::beyond_cursor() const {
    std::string column = "m." + quoted_name(sync_.cursor_column);
    return sync_.cursor_value ? column + " > " + quoted_text(*sync_.cursor_value) : column + " IS NOT NULL";
}

/// What came after the cursor, and what did not get through before.
std::string SyncStatements::changes_by_cursor() const {
    std::string rows = "SELECT m.*, " + hash_of_row + " AS \"#hash\", true AS \"#new\", " + attempts(hash_of_row);
    std::string doubted = "EXISTS (SELECT FROM " + rows_ + " AS d WHERE " + in_doubt() + ")";
    return rows + ", false AS \"#doubt\" FROM " + model() + " WHERE " + beyond_cursor() + " UNION ALL " + rows + ", " +
           doubted + " AS \"#doubt\" FROM " + model() + " WHERE (" + beyond_cursor() + ") IS NOT TRUE AND (" + doubted +
           " OR EXISTS (SELECT FROM " + rows_ + " AS f WHERE " + failed() + "))";
}

std::string SyncStatements::touched_and_gone() const {
    std::string known = "SELECT " + key("s.") + " FROM " + state_ + " AS s WHERE " + among_keys("s.") +
                        " UNION ALL SELECT " + key("p.") + " FROM " + last_on_their_way() + " AS p";
    if (!state_tells_) {
        std::string all, none;
        for (std::size_t i = 0; i < sync_.key.size(); i++) {
            std::string name = "k." + quoted_name(sync_.key[i]);
            all += (i > 0 ? ", " : "") + name + "::" + key_types_[i];
            none += (i > 0 ? " OR " : "") + name + " IS NULL";
        }
        known += " UNION ALL SELECT " + all + " FROM \"#keys\" AS k WHERE NOT (" + none + ")";
    }
    return "SELECT " + key("s.") + ", " + attempts_to_remove() + ", false AS \"#pending\" FROM (SELECT DISTINCT ON (" +
           key_forms("a.") + ") " + key("a.") + " FROM (" + known + ") AS a) AS s LEFT JOIN " + last_on_their_way() +
           " AS p ON " + same_key("s.", "p.") +
           " WHERE p.\"#change\" IS DISTINCT FROM '-' AND NOT EXISTS (SELECT FROM " + model() + " WHERE " +
           same_key("m.", "s.") + ")";
}

std::string SyncStatements::gone(const Sightings &sightings) const {
    return gone_where(sightings.is_gone());
}

std::string SyncStatements::gone_where(const std::string &condition) const {
    return "SELECT " + key("s.") + ", " + attempts_to_remove() + ", EXISTS (SELECT FROM " + rows_ +
           " AS p WHERE p.\"#row\" IS NOT NULL AND " + same_key("p.", "s.") + ") AS \"#pending\" FROM " + state_ +
           " AS s WHERE " + condition;
}

std::string SyncStatements::attempts_to_remove() const {
    return "(SELECT pg_catalog.max(f.\"#attempts\") FROM " + rows_ +
           " AS f WHERE f.\"#row\" IS NULL AND f.\"#change\" = '-' AND " + same_key("f.", "s.") + ") AS \"#attempts\"";
}

std::string SyncStatements::duplicates() const {
    std::string columns = joined(model_columns_, ", ", quoted_name);
    return "SELECT " + columns + " FROM (SELECT m.*, count(*) OVER (PARTITION BY " + key_forms("m.") +
           ") AS \"#copies\" FROM " + model() + " WHERE NOT (" + no_key() + ")" +
           (sync_.by_cursor() ? " AND " + beyond_cursor() : "") + ") AS m WHERE \"#copies\" > 1";
}

std::string SyncStatements::duplicates_among_changes() const {
    return "SELECT 1 FROM \"#changes\" AS m WHERE NOT (" + no_key() + ") GROUP BY " + key_forms("m.") +
           " HAVING count(*) > 1 LIMIT 1";
}

std::string SyncStatements::changes_but_duplicates() const {
    return "SELECT m.* FROM \"#changes\" AS m WHERE NOT EXISTS (SELECT FROM \"#duplicates\" AS d WHERE " +
           same_key("d.", "m.") + ")";
}

std::string SyncStatements::keep(const char *shown) const {
    std::string respelled = joined(sync_.key, ", ", [](const std::string &name) {
        return quoted_name(name) + " = excluded." + quoted_name(name);
    });
    return "INSERT INTO " + state_ + " (" + key("") + ", \"#hash\") SELECT " + key("k.") + ", k.\"#hash\" FROM " +
           quoted_name(shown) + " AS k ON CONFLICT (" + key_forms("") + ") DO UPDATE SET " + respelled +
           ", \"#hash\" = excluded.\"#hash\"";
}

std::string SyncStatements::renew(const char *shown) const {
    std::string respelled = joined(
        sync_.key, ", ", [](const std::string &name) { return quoted_name(name) + " = k." + quoted_name(name); });
    return "UPDATE " + state_ + " AS s SET " + respelled + ", \"#hash\" = k.\"#hash\" FROM " + quoted_name(shown) +
           " AS k WHERE " + same_key("s.", "k.");
}

std::string SyncStatements::forget(const char *shown) const {
    return "DELETE FROM " + state_ + " AS s USING " + quoted_name(shown) + " AS gone WHERE " + same_key("s.", "gone.");
}

std::string SyncStatements::forget_failures(std::int64_t run, bool of_others) const {
    return "DELETE FROM " + rows_ + " WHERE \"#row\" IS NULL AND \"#run\" IS " + (of_others ? "" : "NOT ") +
           "DISTINCT FROM " + std::to_string(run) + " AND \"#change\" <> '?'";
}

std::string SyncStatements::streams() const {
    return "SELECT 1 FROM reverse_etl_internal.sync_streams WHERE sync_id = " + std::to_string(sync_.id);
}

std::string SyncStatements::streamed() const {
    return "SELECT n.\"#row\" FROM " + rows_ + " AS n WHERE n.\"#run\" IS NULL AND n.\"#row\" IS NOT NULL";
}

std::string SyncStatements::all_but_streamed(const std::string &shown, const std::string &snapshot) const {
    // Whether the transaction that wrote a row was seen: its number, with the epoch that is not kept in the row.
    std::string seen = "pg_catalog.pg_visible_in_snapshot((top.n - top.n % 4294967296 + n.xmin::text::bigint - "
                       "CASE WHEN n.xmin::text::bigint > top.n % 4294967296 THEN 4294967296 ELSE 0 END)::text::xid8, " +
                       quoted_text(snapshot) + "::pg_snapshot)";
    auto sent = [&](const std::string &table, const std::string &later) {
        return " AND NOT EXISTS (SELECT FROM " + table + " AS n WHERE " + later + " AND " + same_key("n.", "m.") + ")";
    };
    return "SELECT m.* FROM " + quoted_name(shown) +
           " AS m, (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint AS n) AS top "
           "WHERE true" +
           sent(rows_, "n.\"#run\" IS NULL AND n.\"#row\" IS NOT NULL AND NOT EXISTS (SELECT FROM \"#streamed\" AS b "
                       "WHERE b.\"#row\" = n.\"#row\")") +
           sent(state_, "NOT " + seen);
}

// Rows that come again were passed by it before.
std::string SyncStatements::cursor_of_changes() const {
    return "SELECT to_jsonb(max(m." + quoted_name(sync_.cursor_column) + ")) #>> '{}' FROM \"#changes\" AS m WHERE " +
           beyond_cursor();
}

} // namespace reverse_etl
