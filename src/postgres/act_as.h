#pragma once

#include <string>

#include "postgres/postgres.h"

namespace reverse_etl {

/// While one lives, code runs as another role, with a search path that whoever runs the statement cannot choose. An
/// invalid role stands for the current one, with its own search path.
class ActAs {
  public:
    ActAs(Oid role, const std::string &search_path);
    ~ActAs();
    ActAs(const ActAs &) = delete;
    ActAs &operator=(const ActAs &) = delete;

  private:
    Oid user_ = InvalidOid;
    int security_context_ = 0;
    int guc_level_ = 0; ///< 0: the search path is as it was
};

} // namespace reverse_etl
