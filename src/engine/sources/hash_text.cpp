#include "engine/sources/hash_text.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Bytes that are left for all but the numbers in a statement.
constexpr std::size_t bytes_of_rest = 4'000;

} // namespace

HashedRows::HashedRows(const DialectSpec &dialect, const SourceQuery &query, const std::vector<HashedColumn> &key,
                       const std::vector<HashedColumn> &columns, std::uint64_t head)
    : dialect_(dialect), query_(query), key_(hash_of("", key)),
      row_(hash_of("'" + std::to_string(head) + "' || ", columns)) {
    query_.columns.clear();
    query_.limit = -1;
}

std::string HashedRows::hash_of(const std::string &head, const std::vector<HashedColumn> &columns) const {
    std::string text = head;
    for (const HashedColumn &column : columns) {
        const std::string value =
            filled(dialect_.hash->texts.at(column.type), "column", quoted(dialect_, column.field));
        text +=
            (text.size() > head.size() ? " || " : "") + ("COALESCE(REPLACE(" + value) + ", '~', '~0') || '~1', '~2')";
    }
    return filled(dialect_.hash->sql, "text", text);
}

SqlText HashedRows::buckets(std::uint64_t buckets, bool of_keys) const {
    const std::string bucket = "MOD(" + key_ + ", " + std::to_string(buckets) + ")";
    SqlText sql{"SELECT " + bucket + ", COUNT(*), " + filled(dialect_.hash->sum, "hash", of_keys ? key_ : row_), {}};
    append_from_where(dialect_, query_, true, sql);
    sql.text += " GROUP BY " + bucket;
    return sql;
}

std::size_t HashedRows::numbers_of_statement(std::uint64_t modulus) const {
    const std::size_t rest = bytes_of_rest + 3 * (key_.size() + row_.size());
    const std::size_t each = std::to_string(modulus).size() + 2;
    return std::max<std::size_t>(dialect_.hash->longest > rest ? (dialect_.hash->longest - rest) / each : 0, 100);
}

std::size_t HashedRows::statements(std::uint64_t modulus, std::size_t numbers) const {
    const std::size_t each = numbers_of_statement(modulus);
    return std::max<std::size_t>((numbers + each - 1) / each, 1);
}

std::vector<SqlText> HashedRows::rows(const std::vector<SelectedColumn> &columns, std::uint64_t modulus,
                                      const std::vector<std::uint64_t> &numbers) const {
    std::string list;
    for (const SelectedColumn &column : columns)
        list += selected(dialect_, column) + ", ";
    SqlText all{"SELECT " + list + key_ + ", " + row_, {}};
    append_from_where(dialect_, query_, true, all);
    if (numbers.empty())
        return {all};
    all.text +=
        (query_.conditions.empty() ? " WHERE MOD(" : " AND MOD(") + key_ + ", " + std::to_string(modulus) + ") IN (";
    std::vector<SqlText> statements;
    const std::size_t each = numbers_of_statement(modulus);
    for (std::size_t begin = 0; begin < numbers.size(); begin += each) {
        SqlText one = all;
        for (std::size_t i = begin; i < std::min(begin + each, numbers.size()); i++)
            one.text += (i == begin ? "" : ", ") + std::to_string(numbers[i]);
        one.text += ")";
        statements.push_back(std::move(one));
    }
    return statements;
}

} // namespace reverse_etl
