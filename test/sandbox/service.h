#pragma once

#include <mutex>

#include "http.h"
#include "world.h"

namespace reverse_etl::sandbox {

// From a request to its answer: route, draw a fault, check credentials, handle, record.
class Service {
  public:
    void set_base_url(std::string url) { world_.base_url = std::move(url); }

    // True when the request is a vendor's and so counts; `first` on its connection.
    bool begin(std::string_view target, bool first);
    Delivery serve(Request &request, Answer &answer);
    void end();
    void closed();

  private:
    Delivery answer_as_vendor(Request &request, Answer &answer);

    std::mutex lock_;
    World world_;
};

} // namespace reverse_etl::sandbox
