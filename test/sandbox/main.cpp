#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "server.h"

namespace {

int usage() {
    std::cerr << "usage: sandbox [--port N] [--port-file PATH] [--threads N]\n"
                 "Listens on 127.0.0.1; port 0, the default, takes a free one.\n";
    return 2;
}

} // namespace

int main(int count, char **arguments) {
    std::uint16_t port = 0;
    std::string port_file;
    int threads = 1;
    for (int at = 1; at < count; at += 2) {
        std::string name = arguments[at];
        if (at + 1 == count)
            return usage();
        if (name == "--port")
            port = static_cast<std::uint16_t>(std::atoi(arguments[at + 1]));
        else if (name == "--port-file")
            port_file = arguments[at + 1];
        else if (name == "--threads")
            threads = std::max(1, std::atoi(arguments[at + 1]));
        else
            return usage();
    }
    try {
        reverse_etl::sandbox::Service service;
        reverse_etl::sandbox::run_server(service, port, port_file, threads);
    } catch (const std::exception &error) {
        std::cerr << "sandbox: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
