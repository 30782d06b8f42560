#include "engine/text/one_query.h"

#include "engine/text/errors.h"

namespace reverse_etl {

std::string one_query(const std::string &sql) {
    std::string query = sql;
    const auto trim = [&] { query.erase(query.find_last_not_of(" \t\r\n") + 1); };
    trim();
    if (query.ends_with(';'))
        query.pop_back();
    trim();
    if (query.find(';') != query.npos)
        throw SettingError("a query must be one statement, without \";\" in it",
                           "Where a literal holds one, write it by its number, as in chr(59).");
    if (query.empty())
        throw SettingError("a query must not be empty");
    return query;
}

} // namespace reverse_etl
