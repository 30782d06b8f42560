// Posts bodies that are there already, one a line of a file, and throws the answers away: the least that any client of
// libcurl needs. Prints the seconds that it took.
//
//   replay URL FILE IN_FLIGHT [HEADER...]

#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::vector<std::string> lines_of(const char *path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(std::move(line));
    return lines;
}

std::size_t discard(char *, std::size_t size, std::size_t count, void *) {
    return size * count;
}

CURL *make_handle(const char *url, curl_slist *headers) {
    CURL *handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &discard);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 64L << 10); // as the extension does: an answer is read in one go
    return handle;
}

void set_body(CURL *handle, const std::string &body) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
}

void check(const CURLMsg &message) {
    long status = 0;
    curl_easy_getinfo(message.easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (message.data.result != CURLE_OK)
        throw std::runtime_error(curl_easy_strerror(message.data.result));
    if (status != 200)
        throw std::runtime_error("HTTP status " + std::to_string(status));
}

void post_all(const char *url, curl_slist *headers, const std::vector<std::string> &bodies, std::size_t in_flight) {
    CURLM *multi = curl_multi_init();
    auto next = bodies.begin();
    for (; in_flight > 0 && next != bodies.end(); --in_flight) {
        CURL *handle = make_handle(url, headers);
        set_body(handle, *next++);
        curl_multi_add_handle(multi, handle);
    }
    for (int running = 1; running > 0;) {
        curl_multi_perform(multi, &running);
        int left = 0;
        while (const CURLMsg *message = curl_multi_info_read(multi, &left)) {
            check(*message);
            CURL *handle = message->easy_handle;
            curl_multi_remove_handle(multi, handle);
            if (next == bodies.end()) {
                curl_easy_cleanup(handle);
                continue;
            }
            set_body(handle, *next++);
            curl_multi_add_handle(multi, handle);
            running = 1;
        }
        if (running > 0)
            curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    curl_multi_cleanup(multi);
}

} // namespace

int main(int count, char **arguments) try {
    if (count < 4) {
        std::fprintf(stderr, "usage: replay URL FILE IN_FLIGHT [HEADER...]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl_slist *headers = curl_slist_append(nullptr, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    for (int i = 4; i < count; ++i)
        headers = curl_slist_append(headers, arguments[i]);
    const std::vector<std::string> bodies = lines_of(arguments[2]);

    const auto begin = std::chrono::steady_clock::now();
    post_all(arguments[1], headers, bodies, std::strtoul(arguments[3], nullptr, 10));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    std::printf("%.4f\n", taken.count());
    curl_slist_free_all(headers);
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "replay: %s\n", error.what());
    return 1;
}
