#include "engine/requests/reacting_delivery.h"

#include "engine/requests/kept_fields.h"
#include "engine/requests/outcome_unknown.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace reverse_etl {

namespace {

const Reactions no_more_reactions;

std::string listed(const std::vector<KeptField> &fields) {
    std::string list;
    for (const KeptField &kept : fields)
        list += (list.empty() ? "\"" : ", \"") + kept.field + "\"";
    return list;
}

/// The same request made once more is another one to the destination, which may answer the same key by what it said
/// before. So is what is tried, which may differ in its body alone.
Policy of_another_request(Policy policy, const std::string &name) {
    if (!policy.idempotency_scope.empty())
        policy.idempotency_scope += "/" + name;
    return policy;
}

} // namespace

/// One way to react: a request, or a look-up, and perhaps the operation once more.
class ReactingDelivery::Reaction final : private PassingSink {
  public:
    Reaction(const CompiledReaction &compiled, const DeliveryContext &context, RowSource &rows, OutcomeSink &sink)
        : PassingSink(sink), compiled_(compiled), rows_(rows),
          policy_of_tried_(of_another_request(context.policy, "try/" + compiled.spec().name)),
          policy_of_next_(of_another_request(context.policy, compiled.spec().next)) {
        if (!compiled.tried)
            return;
        if (compiled.next)
            next_ = std::make_unique<FollowUp>(*compiled.next, no_more_reactions, compiled.null_as_next, 1, context,
                                               policy_of_next_, rows, sink);
        // What is tried in place of the operation says what became of the row.
        OutcomeSink &of_tried = compiled.next ? static_cast<OutcomeSink &>(*this) : sink;
        if (is_read_only(compiled.tried->spec().kind))
            lookup_ = std::make_unique<LookUp>(*this, context);
        else
            tried_ = std::make_unique<FollowUp>(*compiled.tried, no_more_reactions, compiled.null_as, 1, context,
                                                policy_of_tried_, rows, of_tried);
    }

    const CompiledReaction &compiled() const { return compiled_; }

    /// `kept`: what the refusal told.
    void begin(std::uint64_t row, const std::vector<std::string> &kept) {
        if (lookup_ != nullptr) {
            lookup_->add(row, rows_, *this);
            return;
        }
        const std::vector<std::string_view> behind(kept.begin(), kept.end());
        if (next_ != nullptr && !kept.empty())
            kept_[row] = kept;
        tried_->add(row, behind);
    }

    void want_ids() {
        if (FollowUp *last = next_ != nullptr ? next_.get() : tried_.get(); last != nullptr)
            last->delivery().want_ids();
    }

    void run() {
        if (lookup_ != nullptr) {
            lookup_->flush();
            lookup_->lookup.run();
        }
        for (FollowUp *one : requests())
            one->delivery().deliver({});
    }

    Clock::time_point start_ready() {
        Clock::time_point next = Clock::time_point::max();
        if (lookup_ != nullptr) {
            lookup_->flush();
            next = lookup_->lookup.start_ready();
        }
        for (FollowUp *one : requests())
            next = std::min(next, one->delivery().start_ready());
        return next;
    }

    bool take(const Finished &finished) {
        const auto takes = [&](FollowUp *one) { return one->delivery().take(finished); };
        return (lookup_ != nullptr && lookup_->lookup.take(finished)) || std::ranges::any_of(requests(), takes);
    }

    void withdraw(std::deque<std::unique_ptr<Job>> &jobs) {
        if (lookup_ != nullptr) {
            std::ranges::move(lookup_->dispatcher->withdraw(), std::back_inserter(jobs));
            if (lookup_->filling.rows() > 0)
                jobs.push_back(std::make_unique<Job>(lookup_->filling.take()));
        }
        for (FollowUp *one : requests())
            for (std::unique_ptr<Job> &job : one->withdraw()) {
                forget(job->batch);
                jobs.push_back(std::move(job));
            }
    }

    void add_held(std::vector<const StartableJob *> &held) const {
        for (const FollowUp *one : requests())
            std::ranges::copy(one->delivery().held(), std::back_inserter(held));
    }

    void start_held() {
        for (FollowUp *one : requests())
            one->delivery().start_held();
    }

    Counts counts() const {
        Counts counts = lookup_ != nullptr ? counts_of(*lookup_->dispatcher) : Counts();
        counts.jobs += lookup_ != nullptr && lookup_->filling.rows() > 0 ? 1 : 0;
        for (const FollowUp *one : requests())
            counts = counts + one->counts();
        return counts;
    }

  private:
    /// Finds the value that goes with the row then.
    struct LookUp {
        LookUp(Reaction &owner, const DeliveryContext &context)
            : operation(*owner.compiled_.tried), dispatcher(follow_up_dispatcher(operation, context, context.policy)),
              lookup(
                  operation, *dispatcher, owner,
                  [&owner](std::uint64_t row, const std::string &value) {
                      const std::string_view behind[] = {value};
                      owner.next_->add(row, behind);
                  },
                  owner.compiled_.spec().with),
              filling(operation, NullAs::null) {}

        /// Rows that come together are looked up together, as far as the look-up takes several.
        void add(std::uint64_t row, RowSource &rows, OutcomeSink &sink) {
            if (!filling.add(row, {}, rows, sink))
                return;
            if (std::optional<Batch> full = filling.cut(sink))
                submit(std::move(*full));
            if (filling.rows() >= operation.rows_per_batch())
                flush();
        }
        void flush() {
            if (filling.rows() > 0)
                submit(filling.take());
        }
        void submit(Batch one) {
            std::vector<Batch> batches;
            batches.push_back(std::move(one));
            lookup.submit(std::move(batches));
        }

        const CompiledOperation &operation;
        std::unique_ptr<Dispatcher> dispatcher;
        KeyLookup lookup;
        RowBatch filling;
    };

    // What becomes of what is tried, where something is to be made then.
    void accepted(std::uint64_t row, const std::string &) override {
        const auto kept = kept_.extract(row);
        if (kept.empty()) {
            next_->add(row, {});
            return;
        }
        const std::vector<std::string_view> behind(kept.mapped().begin(), kept.mapped().end());
        next_->add(row, behind);
    }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        kept_.erase(row);
        const std::string name = "\"" + compiled_.spec().name + "\", tried in reaction";
        // What begins so is read so: the row may be there.
        sink_.rejected(row,
                       reason.starts_with(outcome_unknown) ? reason + " (" + name + ")" : name + ", failed: " + reason,
                       status);
    }
    void absent(std::uint64_t row) override {
        kept_.erase(row);
        sink_.rejected(row, "\"" + compiled_.spec().name + "\", tried in reaction, finds no such row", 0);
    }

    void unknown(const Batch &batch, const std::string &reason, long status) override {
        forget(batch);
        sink_.unknown(batch, reason, status);
    }
    void failed(const Batch &batch, const DestinationError &error) override {
        forget(batch);
        sink_.failed(batch, error);
    }
    void forget(const Batch &batch) {
        for (const BatchRow &row : batch.rows())
            kept_.erase(row.number);
    }

    std::vector<FollowUp *> requests() const {
        std::vector<FollowUp *> all;
        for (const auto &one : {tried_.get(), next_.get()})
            if (one != nullptr)
                all.push_back(one);
        return all;
    }

    const CompiledReaction &compiled_;
    RowSource &rows_;
    const Policy policy_of_tried_, policy_of_next_;
    std::unique_ptr<LookUp> lookup_;
    std::unique_ptr<FollowUp> tried_, next_;
    std::unordered_map<std::uint64_t, std::vector<std::string>> kept_; ///< of rows that something is tried for
};

ReactingDelivery::ReactingDelivery(const CompiledOperation &operation, Dispatcher &first, const Reactions &reactions,
                                   const DeliveryContext &context, RowSource &rows, OutcomeSink &sink)
    : of_first_(*this, sink), first_(operation, first, of_first_, false, context.policy.max_attempts) {
    for (const CompiledReaction &compiled : reactions)
        reactions_.push_back(std::make_unique<Reaction>(compiled, context, rows, sink));
}

ReactingDelivery::~ReactingDelivery() = default;

void ReactingDelivery::OutcomesOfFirst::reacts(const Batch &batch, const ErrorRule &rule, const std::string &reason,
                                               Answer &answer) {
    const std::uint64_t row = batch.rows().front().number;
    const long status = answer.response().status;
    const auto reaction =
        std::ranges::find_if(owner_.reactions_, [&](const auto &one) { return one->compiled().rule == &rule; });
    if (const std::string &obstacle = (*reaction)->compiled().obstacle; !obstacle.empty()) {
        sink_.rejected(row, reason + " (\"" + rule.reaction.name + "\" is not tried: " + obstacle + ")", status);
        return;
    }
    const auto kept = kept_fields(rule.reaction, answer);
    if (!kept) {
        sink_.rejected(row,
                       reason + " (\"" + rule.reaction.name + "\" is not tried: the answer does not tell " +
                           listed(rule.reaction.keep) + ")",
                       status);
        return;
    }
    sink_.put_off(batch);
    (*reaction)->begin(row, *kept);
}

void ReactingDelivery::want_ids() {
    first_.want_ids();
    for (const auto &reaction : reactions_)
        reaction->want_ids();
}

void ReactingDelivery::deliver(std::vector<Batch> batches) {
    first_.deliver(std::move(batches));
    for (const auto &reaction : reactions_)
        reaction->run();
}

Clock::time_point ReactingDelivery::start_ready() {
    Clock::time_point next = first_.start_ready();
    for (const auto &reaction : reactions_)
        next = std::min(next, reaction->start_ready());
    return next;
}

bool ReactingDelivery::take(const Finished &finished) {
    return first_.take(finished) ||
           std::ranges::any_of(reactions_, [&](const auto &reaction) { return reaction->take(finished); });
}

std::deque<std::unique_ptr<Job>> ReactingDelivery::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = first_.withdraw();
    for (const auto &reaction : reactions_)
        reaction->withdraw(jobs);
    return jobs;
}

std::vector<const StartableJob *> ReactingDelivery::held() const {
    std::vector<const StartableJob *> held = first_.held();
    for (const auto &reaction : reactions_)
        reaction->add_held(held);
    return held;
}

void ReactingDelivery::start_held() {
    first_.start_held();
    for (const auto &reaction : reactions_)
        reaction->start_held();
}

RowDelivery::Counts ReactingDelivery::counts() const {
    Counts counts = first_.counts();
    for (const auto &reaction : reactions_)
        counts = counts + reaction->counts();
    return counts;
}

std::unique_ptr<RowDelivery> delivery_of(const CompiledOperation &operation, Dispatcher &first,
                                         const Reactions &reactions, const DeliveryContext &context, RowSource &rows,
                                         OutcomeSink &sink) {
    if (reactions.empty())
        return std::make_unique<Delivery>(operation, first, sink, false, context.policy.max_attempts);
    return std::make_unique<ReactingDelivery>(operation, first, reactions, context, rows, sink);
}

} // namespace reverse_etl
