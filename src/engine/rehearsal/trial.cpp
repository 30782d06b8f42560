#include "engine/rehearsal/trial.h"

#include "engine/rehearsal/given_row.h"
#include "engine/rehearsal/no_network.h"
#include "engine/requests/fetch.h"
#include "engine/requests/looked_up_delivery.h"
#include "engine/requests/outcome_unknown.h"
#include "engine/requests/reacting_delivery.h"
#include "engine/text/value_refused.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// As many attempts as it takes to see that there would be another.
constexpr int attempts = 100;

class Sink : public OutcomeSink, public RecordSink {
  public:
    Sink(const Object &object, const std::vector<std::string> &asks, std::size_t rows) : object_(object), asks_(asks) {
        result.rows.resize(rows);
    }

    void accepted(std::uint64_t row, const std::string &id) override { at(row) = {Kind::accepted, id}; }
    void rejected(std::uint64_t row, const std::string &reason, long) override {
        at(row) = {reason.starts_with(outcome_unknown) ? Kind::unknown : Kind::rejected, reason};
    }
    void absent(std::uint64_t row) override { at(row) = {Kind::absent, ""}; }
    void unknown(const Batch &batch, const std::string &reason, long) override {
        for (const BatchRow &row : batch.rows())
            at(row.number) = {Kind::unknown, reason};
    }
    void put_off(const Batch &batch) override {
        for (const BatchRow &row : batch.rows())
            at(row.number) = {Kind::again, ""};
    }

    void record(simdjson::dom::element record) override {
        Json fields = Json::object();
        for (const std::string &field : asks_)
            if (auto value = reverse_etl::at(record, object_.pointer_to(field)))
                fields[field] = Json::parse(json_of(*value));
        result.records.push_back(std::move(fields));
    }

    /// The statement would end here.
    void fail(const char *why) {
        result.failure = why;
        for (TrialOutcome &outcome : result.rows)
            if (outcome.kind == Kind::unasked || outcome.kind == Kind::again)
                outcome = {Kind::failed, why};
    }

    TrialResult result;

  private:
    using Kind = TrialOutcome::Kind;
    TrialOutcome &at(std::uint64_t row) { return result.rows.at(row - 1); }

    const Object &object_;
    const std::vector<std::string> &asks_;
};

/// Rows that are under way, to be written once more.
class RowsUnderWay : public RowSource {
  public:
    RowsUnderWay(const std::vector<Json> &rows, const CompiledOperation &first) : rows_(rows), first_(first) {}

    void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) override {
        const GivenRow row(rows_.at(number - 1), first_.columns());
        writer.write(RowWithMore(row, static_cast<int>(first_.columns().size()), behind), number, batch, out);
    }

  private:
    const std::vector<Json> &rows_;
    const CompiledOperation &first_;
};

Settings stars(const Object &object) {
    Settings credentials;
    for (const std::string &name : object.credentials)
        credentials[name] = "***";
    return credentials;
}

/// The fields of all rows, in the order in which they come.
std::vector<std::string> fields_of(const std::vector<Json> &rows) {
    std::vector<std::string> fields;
    for (const Json &row : rows)
        for (const auto &[field, value] : row.items())
            if (std::find(fields.begin(), fields.end(), field) == fields.end())
                fields.push_back(field);
    return fields;
}

bool holds(const std::vector<std::string> &fields, const std::string &field) {
    return !field.empty() && std::find(fields.begin(), fields.end(), field) != fields.end();
}

/// The fields that name the rows, as the operation's "by" says: the destination's id where the rows have it or nothing
/// else may name them, a look-up's own fields, or the key.
std::vector<std::string> naming(const Trial &trial, const Object &object, const OperationSpec &spec,
                                const std::vector<std::string> &fields) {
    if (!trial.by.empty())
        return {trial.by};
    const bool inserts = spec.kind == OperationKind::create || spec.kind == OperationKind::upsert;
    if (!spec.by_fields.empty())
        return spec.by_fields;
    if (!inserts && spec.by_id && (holds(fields, object.id) || !spec.by_key))
        return {object.id};
    return object.key;
}

/// Of several look-ups the one that takes what "by" names, and else the first.
const OperationSpec *operation_of(const Trial &trial, const Object &object) {
    if (trial.operation == OperationKind::lookup && !trial.by.empty())
        for (const OperationSpec *lookup : object.lookups()) {
            const bool takes = !lookup->by_fields.empty() ? lookup->by_fields == std::vector<std::string>{trial.by}
                                                          : (trial.by == object.id ? lookup->by_id : lookup->by_key);
            if (takes)
                return lookup;
        }
    return object.operation(trial.operation);
}

CompiledOperation compile(const Trial &trial, const Object &object, const OperationSpec &spec,
                          const std::vector<std::string> &fields, const std::vector<std::string> &asks) {
    const std::vector<std::string> names = naming(trial, object, spec, fields);
    const bool inserts = spec.kind == OperationKind::create || spec.kind == OperationKind::upsert;
    std::vector<StatementColumn> columns;
    int key = -1;
    for (const std::string &field : fields) {
        const bool is_name = holds(names, field);
        if (is_name && names.size() == 1)
            key = static_cast<int>(columns.size());
        columns.push_back({field, (inserts || !is_name) && !is_read_only(spec.kind), object.form_of(field)});
    }
    if (spec.kind != OperationKind::create && spec.kind != OperationKind::list)
        for (const std::string &name : names)
            if (!holds(fields, name))
                throw SettingError("the rows lack the field \"" + name + "\", which names them");
    if (spec.by_lookup)
        return compile_lookup(object, std::move(columns), names);
    return CompiledOperation(object, spec, std::move(columns), key, asks);
}

/// As a table does whose option "null_as" says nothing else.
NullAs null_as_of(const CompiledOperation &operation) {
    return operation.spec().kind == OperationKind::update ? NullAs::clear : NullAs::omit;
}

std::vector<Batch> batches_of(const CompiledOperation &operation, const std::vector<Json> &rows, Sink &sink) {
    RowWriter writer(operation, null_as_of(operation));
    std::vector<Batch> batches;
    std::uint64_t number = 0;
    for (const Json &row : rows) {
        if (batches.empty() || batches.back().rows().size() >= operation.rows_per_batch())
            batches.emplace_back(operation.frame());
        Batch &batch = batches.back();
        number++;
        try {
            writer.write(GivenRow(row, operation.columns()), number, batch, batch.begin_row());
            batch.end_row(number);
        } catch (const ValueRefused &refusal) {
            batch.drop_row();
            sink.rejected(number, refusal.what(), 0);
        }
    }
    return batches;
}

} // namespace

const char *outcome_name(TrialOutcome::Kind kind) {
    static constexpr const char *names[] = {"unasked", "accepted", "rejected", "absent", "unknown", "again", "failed"};
    return names[static_cast<int>(kind)];
}

TrialResult run_trial(const Connector &connector, const Trial &trial, Rehearsal &rehearsal) {
    return run_trial(connector.object(trial.object, trial.options), trial, rehearsal);
}

TrialResult run_trial(const Object &object, const Trial &trial, Rehearsal &rehearsal) {
    const OperationSpec *spec = operation_of(trial, object);
    if (spec == nullptr)
        throw SettingError("object \"" + object.name + "\" has no operation \"" + operation_name(trial.operation) +
                           "\"");
    if (spec->has_only_job())
        throw SettingError("operation \"" + std::string(operation_name(trial.operation)) + "\" of \"" + object.name +
                           "\" is a job, of which no single request can be shown");
    std::vector<std::string> asks = trial.asks;
    if (asks.empty())
        for (const ColumnSpec &column : object.columns)
            asks.push_back(column.field);
    const CompiledOperation operation = compile(trial, object, *spec, fields_of(trial.rows), asks);
    Authenticator authenticator(object.auth, trial.credentials ? *trial.credentials : stars(object));
    Policy policy;
    policy.rehearsal = &rehearsal;
    policy.max_attempts = attempts;
    NoTransport transport;
    NoWaiter waiter;
    RateLimiter limiter;
    Dispatcher dispatcher(operation, transport, waiter, limiter, authenticator, policy);
    Sink sink(object, asks, trial.rows.size());
    RowsUnderWay rows(trial.rows, operation);
    const DeliveryContext context{{transport, waiter, limiter}, authenticator, policy};
    try {
        if (spec->by_lookup) {
            std::vector<StatementColumn> columns = operation.columns();
            for (StatementColumn &column : columns)
                column.written = true;
            const AfterLookup after = update_or_create(object, columns, NullAs::omit, NullAs::omit);
            LookedUpDelivery delivery(operation, dispatcher, after, context, rows, sink);
            delivery.want_ids();
            delivery.deliver(batches_of(operation, trial.rows, sink));
        } else if (!is_read_only(spec->kind)) {
            const NullAs null_as = null_as_of(operation);
            const Reactions reactions = compile_reactions(operation, {null_as, NullAs::omit});
            ReactingDelivery delivery(operation, dispatcher, reactions, context, rows, sink);
            delivery.want_ids();
            delivery.deliver(batches_of(operation, trial.rows, sink));
        } else {
            Fetch fetch(operation, dispatcher, sink);
            if (spec->kind == OperationKind::lookup)
                fetch.lookup(batches_of(operation, trial.rows, sink));
            else
                while (fetch.next_page()) {
                }
        }
    } catch (const NoMoreAnswers &) {
        // It shows in the outcomes.
    } catch (const DestinationError &error) {
        sink.fail(error.what());
    } catch (const ValueRefused &refusal) { // of a look-up: the statement ends
        sink.fail(refusal.what());
    }
    return std::move(sink.result);
}

} // namespace reverse_etl
