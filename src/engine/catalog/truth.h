#pragma once

#include <map>
#include <string>

namespace reverse_etl {

/// What the requests of an operation were judged by, besides what we have read; "" where that was nobody.
struct OperationTruth {
    std::string file;   ///< the vendor's published description
    std::string client; ///< the vendor's own client, which proved the stand-in that took them

    bool is_documentation_alone() const { return file.empty() && client.empty(); }
};

/// What the operations of a connector have passed: by object, by operation. Tests write it, see test/truth.
class Truth {
  public:
    Truth() = default; ///< of a connector of which no test tells
    /// Throws ManifestError.
    explicit Truth(const std::string &json);

    OperationTruth of(const std::string &object, const std::string &operation) const;

  private:
    std::map<std::string, std::map<std::string, OperationTruth>> objects_;
};

} // namespace reverse_etl
