#include "engine/requests/discovery.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

/// No account has so many: what says more is no list of them.
constexpr std::size_t most_fields = 20'000, most_objects = 10'000;
/// More than a comment or a check is good for.
constexpr std::size_t most_choices = 500;
constexpr std::size_t most_name_bytes = 1000, most_choice_bytes = 1000;

/// Whether it can be a name in SQL and in a request.
bool is_name(const std::string &text) {
    return !text.empty() && text.size() <= most_name_bytes && text.find('\0') == text.npos;
}

bool applies(const Condition &condition, simdjson::dom::element element) {
    return !condition.empty() && holds(condition, element);
}

void read_choices(const ChoicesSpec &spec, simdjson::dom::element record, FoundField &field) {
    simdjson::dom::array choices;
    bool are_all = true;
    for (const std::string &pointer : spec.at)
        if (auto found = at(record, pointer); found && found->get(choices) == simdjson::SUCCESS)
            for (simdjson::dom::element choice : choices) {
                std::string value = first_text(choice, {spec.value});
                if (value.empty() || !holds(spec.only_when, choice))
                    continue;
                if (value.size() > most_choice_bytes || value.find('\0') != value.npos ||
                    field.choices.size() >= most_choices)
                    are_all = false;
                else
                    field.choices.push_back(std::move(value));
            }
    field.choices_are_closed = are_all && !field.choices.empty() && applies(spec.closed_when, record);
}

void read_writers(const FieldDiscovery &spec, simdjson::dom::element record, FoundField &field) {
    if (spec.write.empty())
        return;
    for (const auto &[operation, condition] : spec.write)
        if (holds(condition, record))
            field.written_by.push_back(operation);
    field.writable = !field.written_by.empty();
    // An upsert may do either.
    if (field.written_by.size() == spec.write.size())
        field.written_by.clear();
}

[[noreturn]] void fail(const CompiledOperation &operation, std::size_t most, const char *what) {
    throw DestinationError(Fault::unintelligible,
                           operation.object().base_url + ": the answer tells of more than " + std::to_string(most) +
                               " " + what,
                           operation.request_line());
}

/// What belongs to others goes back to the transport, whatever happens here.
struct OthersExchanges {
    explicit OthersExchanges(Transport &transport) : transport(transport) {}
    ~OthersExchanges() { transport.give_back(std::move(finished)); }
    Transport &transport;
    std::vector<Finished> finished;
};

/// Collects the objects that count.
class ObjectSink : public RecordSink {
  public:
    ObjectSink(const ObjectDiscovery &spec, const CompiledOperation &operation) : spec_(spec), operation_(operation) {}

    void record(simdjson::dom::element record) override {
        if (!holds(spec_.only_when, record))
            return;
        FoundObject object{first_text(record, {spec_.object}), first_text(record, {spec_.table})};
        if (!is_name(object.name) || !is_name(object.table))
            return;
        if (found.size() >= most_objects)
            fail(operation_, most_objects, "objects");
        found.push_back(std::move(object));
    }

    std::vector<FoundObject> found;

  private:
    const ObjectDiscovery &spec_;
    const CompiledOperation &operation_;
};

} // namespace

bool read_found_field(const FieldDiscovery &spec, simdjson::dom::element record, const Words &words,
                      FoundField &field) {
    field.field = first_text(record, {spec.field});
    if (!is_name(field.field) || !holds(spec.only_when, record))
        return false;
    const auto type = spec.types.find(first_text(record, spec.type_at));
    field.type = type == spec.types.end() ? spec.otherwise : type->second;
    read_writers(spec, record, field);
    field.required = applies(spec.required, record);
    read_choices(spec.choices, record, field);
    field.description = words.of(first_text(record, spec.description));
    return true;
}

FieldSearch::FieldSearch(const Object &object, Authenticator &authenticator, const AccountLine &line)
    : object_(object), spec_(*object.discovery), words_(authenticator.words()),
      operation_(object, spec_.operation, {}, -1, {}),
      dispatcher_(operation_, line.transport, line.waiter, line.limiter, authenticator, line.policy),
      fetch_(operation_, dispatcher_, *this) {}

void FieldSearch::record(simdjson::dom::element record) {
    FoundField field;
    if (!read_found_field(spec_, record, words_, field))
        return;
    if (found_.size() >= most_fields)
        fail(operation_, most_fields, "fields");
    found_.push_back(std::move(field));
}

void find_fields(const std::vector<std::unique_ptr<FieldSearch>> &searches, const AccountLine &line) {
    std::vector<FieldSearch *> busy;
    for (const auto &search : searches)
        if (search->fetch_.submit_page())
            busy.push_back(search.get());
    OthersExchanges others(line.transport);
    while (!busy.empty()) {
        Clock::time_point next = Clock::now() + std::chrono::seconds(1);
        for (FieldSearch *search : busy)
            next = std::min(next, search->dispatcher_.start_ready(search->fetch_.handler()));
        OthersExchanges ended(line.transport); // settling one may throw, and the rest must not be lost by it
        line.transport.run(line.waiter, next, ended.finished);
        while (!ended.finished.empty()) {
            Finished one = std::move(ended.finished.back());
            ended.finished.pop_back();
            const bool is_taken = std::any_of(busy.begin(), busy.end(), [&](FieldSearch *search) {
                return search->dispatcher_.take(one, search->fetch_.handler());
            });
            if (!is_taken)
                others.finished.push_back(std::move(one));
        }
        std::erase_if(
            busy, [](FieldSearch *search) { return search->dispatcher_.jobs() == 0 && !search->fetch_.submit_page(); });
    }
}

std::vector<FoundObject> find_objects(const AccountObjects &objects, Authenticator &authenticator,
                                      const AccountLine &line) {
    const CompiledOperation operation(objects.object, objects.spec.operation, {}, -1, {});
    Dispatcher dispatcher(operation, line.transport, line.waiter, line.limiter, authenticator, line.policy);
    ObjectSink sink(objects.spec, operation);
    Fetch fetch(operation, dispatcher, sink);
    while (fetch.next_page())
        ;
    return std::move(sink.found);
}

} // namespace reverse_etl
