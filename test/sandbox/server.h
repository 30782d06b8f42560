#pragma once

#include <cstdint>
#include <string>

#include "service.h"

namespace reverse_etl::sandbox {

// Serves on 127.0.0.1 (port 0: any free one) until SIGTERM or SIGINT.
// The port is written to port_file, unless that is empty, once connections are accepted.
void run_server(Service &service, std::uint16_t port, const std::string &port_file, int threads);

} // namespace reverse_etl::sandbox
