#pragma once

#include <cstddef>

namespace reverse_etl {

struct Response;
struct Verdict;

/// Is told of every request for rows; statistics are made of it. Requests for access tokens are not told.
class RequestObserver {
  public:
    virtual ~RequestObserver() = default;
    /// `again`: it repeats one that the destination did not carry out, or whose answer never came.
    virtual void sent(std::size_t rows, bool again) = 0;
    virtual void answered(std::size_t rows, const Response &response, const Verdict &verdict) = 0;
};

} // namespace reverse_etl
