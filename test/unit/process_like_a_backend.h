#pragma once

#include <csignal>
#include <cstdlib>

namespace reverse_etl {

/// The process ignores SIGPIPE, as a Postgres backend does, and goes to no proxy.
struct ProcessLikeABackend {
    ProcessLikeABackend() {
        std::signal(SIGPIPE, SIG_IGN);
        for (const char *name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
            unsetenv(name);
    }
};

} // namespace reverse_etl
