#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace reverse_etl {

constexpr std::size_t most_columns = 1600; ///< of a table of Postgres

/// As Postgres cuts a name that is too long: no letter is cut in two.
std::string as_name(const std::string &text);

/// Names of SQL for what others have named: in lower case, so that they need not be quoted, as long as a name may be,
/// and none of them twice. Where one is taken, a number tells them apart, so the same texts in the same order get the
/// same names.
class FreeNames {
  public:
    void take(const std::string &name) { taken_.insert(name); }
    bool has(const std::string &name) const { return !taken_.contains(name); }
    std::string name_for(const std::string &text);

  private:
    std::set<std::string> taken_;
    std::map<std::string, int> numbers_; ///< the last one behind a name that several would have
};

/// Free names of columns: those that every table has are taken.
FreeNames names_of_columns();

} // namespace reverse_etl
