#pragma once

#include <stdexcept>

namespace reverse_etl {

/// A value that cannot be sent (infinity, NaN, text that is not UTF-8): the row is rejected with this reason.
class ValueRefused : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace reverse_etl
