// Which JSON reader suits an answer that has a result for each row? Reads the id and the number of the row from each of
// HubSpot's 100 results, as src/engine/requests/outcome_reader.cpp does, with simdjson (a tape of the whole answer in
// one buffer that stays), with nlohmann's SAX interface (no tree) and with nlohmann's tree. Prints a Markdown table.

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr int results_per_answer = 100;
constexpr int answers_per_run = 500;
constexpr int runs = 9;

constexpr const char *result_format =
    R"({"id":"%1$d","properties":{"email":"grace.hopper%1$d@globex.example.com","firstname":"Grace",)"
    R"("lastname":"Hopper","phone":"+49 30 1007919","city":"São Paulo","score":"42","amount":"7.13",)"
    R"("subscribed":"true","signed_up":"2015-01-01T00:05:17.123456+00:00","createdate":"2026-11-22T09:45:03.631Z",)"
    R"("hs_object_id":"%1$d","lastmodifieddate":"2026-11-22T09:45:03.631Z"},"createdAt":"2026-11-22T09:45:03.631Z",)"
    R"("updatedAt":"2026-11-22T09:45:03.631Z","archived":false,"new":true,"objectWriteTraceId":"%2$d"})";

std::string make_answer() {
    std::string answer = R"({"status":"COMPLETE","results":[)";
    for (int i = 0; i < results_per_answer; ++i) {
        char result[1000];
        std::snprintf(result, sizeof(result), result_format, 300100501 + i, i + 1);
        answer += i > 0 ? "," : "";
        answer += result;
    }
    answer += R"(],"startedAt":"2026-11-22T09:45:03.631Z","completedAt":"2026-11-22T09:45:03.698Z"})";
    return answer;
}

/// What is read: something of every result, so that no reader can leave it out.
struct Sum {
    std::size_t id_characters = 0;
    long row_numbers = 0;

    void add(std::string_view id, std::string_view number) {
        id_characters += id.size();
        row_numbers += std::strtol(std::string(number).c_str(), nullptr, 10);
    }
    bool operator==(const Sum &) const = default;
};

Sum by_simdjson(const std::string &answer) {
    static simdjson::dom::parser parser;
    Sum sum;
    simdjson::dom::element root = parser.parse(answer);
    for (simdjson::dom::element result : root.at_pointer("/results").get_array())
        sum.add(result.at_pointer("/id").get_string(), result.at_pointer("/objectWriteTraceId").get_string());
    return sum;
}

/// Follows the depth and the name of the member, and takes what stands at /results/*/id and .../objectWriteTraceId.
class Results : public nlohmann::json_sax<nlohmann::json> {
  public:
    Sum sum;

    bool start_object(std::size_t) override { return enter(); }
    bool end_object() override {
        if (in_results_ && depth_ == 3)
            sum.add(id_, number_);
        return leave();
    }
    bool start_array(std::size_t) override {
        if (depth_ == 1 && key_ == "results")
            in_results_ = true;
        return enter();
    }
    bool end_array() override {
        if (depth_ == 2)
            in_results_ = false;
        return leave();
    }
    bool key(string_t &name) override {
        key_.swap(name);
        return true;
    }
    bool string(string_t &text) override {
        if (in_results_ && depth_ == 3) {
            if (key_ == "id")
                id_.swap(text);
            else if (key_ == "objectWriteTraceId")
                number_.swap(text);
        }
        return true;
    }
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t &) override { return true; }
    bool binary(binary_t &) override { return true; }
    bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &) override { return false; }

  private:
    bool enter() {
        ++depth_;
        return true;
    }
    bool leave() {
        --depth_;
        return true;
    }

    int depth_ = 0;
    bool in_results_ = false;
    std::string key_, id_, number_;
};

Sum by_nlohmann_sax(const std::string &answer) {
    Results results;
    nlohmann::json::sax_parse(answer, &results);
    return results.sum;
}

Sum by_nlohmann_tree(const std::string &answer) {
    Sum sum;
    const nlohmann::json root = nlohmann::json::parse(answer);
    for (const nlohmann::json &result : root.at("results"))
        sum.add(result.at("id").get_ref<const std::string &>(),
                result.at("objectWriteTraceId").get_ref<const std::string &>());
    return sum;
}

/// The median time of an answer, in microseconds.
double microseconds(const std::function<Sum(const std::string &)> &read, const std::string &answer) {
    std::vector<double> times;
    for (int run = 0; run < runs; ++run) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < answers_per_run; ++i)
            if (read(answer).row_numbers != results_per_answer * (results_per_answer + 1) / 2)
                std::abort();
        const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
        times.push_back(taken.count() / answers_per_run);
    }
    std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
    return times[runs / 2];
}

} // namespace

int main() {
    const std::string answer = make_answer();
    if (by_simdjson(answer) != by_nlohmann_sax(answer) || by_simdjson(answer) != by_nlohmann_tree(answer)) {
        std::fprintf(stderr, "answers: the readers do not read the same\n");
        return 1;
    }
    std::printf("| an answer of %zu bytes with %d results, read by | microseconds | seconds for 1,000,000 rows |\n"
                "|---|---|---|\n",
                answer.size(), results_per_answer);
    const auto report = [&](const char *name, Sum (*read)(const std::string &)) {
        const double taken = microseconds(read, answer);
        std::printf("| %s | %.0f | %.2f |\n", name, taken, taken * 1e6 / results_per_answer / 1e6);
    };
    report("simdjson", &by_simdjson);
    report("nlohmann, SAX", &by_nlohmann_sax);
    report("nlohmann, tree", &by_nlohmann_tree);
}
