#include "engine/requests/server_check.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// No vendor has so many; what says more is no list of scopes.
constexpr std::size_t most_scopes = 1000;

class Handler : public JobHandler {
  public:
    Handler(const CheckSpec &check, const CompiledOperation &operation) : check_(check), operation_(operation) {}

    void settled(std::unique_ptr<Job>, const Verdict &verdict, Answer &answer) override {
        if (verdict.action != Action::proceed && verdict.action != Action::accept)
            throw DestinationError(Fault::stopped, operation_.object().base_url + ": " + verdict.reason,
                                   operation_.request_line());
        auto root = answer.at("");
        if (root)
            found.identity = answer.words_at(*root, check_.identity);
        read_scopes(answer);
        if (!found.scopes)
            return;
        for (const std::string &scope : check_.needed)
            if (std::find(found.scopes->begin(), found.scopes->end(), scope) == found.scopes->end())
                found.missing.push_back(scope);
    }

    CheckAnswer found;

  private:
    void read_scopes(Answer &answer) {
        if (!check_.scopes_header.empty()) {
            if (const std::string *header = answer.response().header(check_.scopes_header)) {
                found.scopes.emplace();
                add_scopes(*header, answer.words());
            }
            return;
        }
        auto scopes = check_.scopes.empty() ? std::nullopt : answer.at(check_.scopes);
        simdjson::dom::array several;
        if (!scopes)
            return;
        found.scopes.emplace();
        if (scopes->get(several) != simdjson::SUCCESS)
            add_scopes(text_of(*scopes), answer.words());
        else
            for (const auto scope : several)
                add_scopes(text_of(scope), answer.words());
    }

    /// One, or several with blanks or commas between them.
    void add_scopes(const std::string &text, const Words &words) {
        for (std::size_t begin = 0; (begin = text.find_first_not_of(" ,", begin)) != text.npos;) {
            const std::size_t end = std::min(text.find_first_of(" ,", begin), text.size());
            if (found.scopes->size() < most_scopes)
                found.scopes->push_back(words.of(text.substr(begin, end - begin)));
            begin = end;
        }
    }

    const CheckSpec &check_;
    const CompiledOperation &operation_;
};

} // namespace

CheckAnswer run_check(const CheckSpec &check, const CompiledOperation &operation, Dispatcher &dispatcher) {
    Handler handler(check, operation);
    const BatchFrame body{operation.page_body(""), "", ""};
    dispatcher.submit(std::make_unique<Job>(Batch(body)));
    dispatcher.run(handler);
    return std::move(handler.found);
}

} // namespace reverse_etl
