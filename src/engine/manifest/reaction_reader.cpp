#include "engine/manifest/reaction_reader.h"

#include "engine/manifest/by_reader.h"
#include "engine/manifest/error_rule_reader.h"
#include "engine/manifest/operation_merging.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <array>

namespace reverse_etl {

namespace {

bool is_operation(const std::string &name) {
    return std::any_of(std::begin(operation_names), std::end(operation_names),
                       [&](const auto &known) { return known.first == name; });
}

/// Whether columns have a place in the body, or may have one when an option has its value.
bool places_columns(const ManifestNode &manifest, const Json &body) {
    if (body.is_string()) {
        const std::optional<std::string> option = sole_placeholder(body.get_ref<const std::string &>());
        return option && manifest.may_be_set_later(*option);
    }
    if (body.is_object() && body.contains("$columns"))
        return true;
    return body.is_structured() &&
           std::any_of(body.begin(), body.end(), [&](const Json &one) { return places_columns(manifest, one); });
}

std::vector<KeptField> read_kept(const ManifestNode &node) {
    std::vector<KeptField> kept;
    for (const auto &[name, place] : node.members()) {
        KeptField field{place.literal_name(name), {}, "", ""};
        if (field.field.empty())
            place.fail("must be called as a field");
        if (!place.value().is_object()) {
            field.at = place.pointers();
        } else {
            place.only({"at", "after", "before"});
            field.at = place.at("at").pointers();
            field.after = place.literal("after", "");
            field.before = place.literal("before", "");
        }
        kept.push_back(std::move(field));
    }
    if (kept.empty())
        node.fail("must name at least one field");
    return kept;
}

/// Checks the rules of one operation.
class Check {
  public:
    Check(const ManifestNode &manifest, const ManifestNode &object, const std::vector<OperationSpec> &operations,
          const std::vector<std::string> &key, const std::string &id)
        : manifest_(manifest), object_(object), operations_(operations), key_(key), id_(id) {}

    void rules_of(const OperationSpec &operation) {
        operation_ = &operation;
        for (std::size_t i = 0; i < operation.errors.size(); i++)
            if (operation.errors[i].then == Action::react) {
                rule_ = object_.pointer() + "/operations/" + operation_name(operation.kind) + "/errors/" +
                        std::to_string(i) + "/then";
                check(operation.errors[i].reaction);
            }
    }

  private:
    [[noreturn]] void fail(const char *member, const std::string &what) const {
        throw ManifestError(rule_ + "/" + member, what);
    }

    void check(const ReactionSpec &reaction) const {
        if (operation_->has_only_job())
            fail("try", "is tried for a single row, and this operation's rows leave in jobs only");
        check_kept(reaction);
        check_next(reaction);
        if (!is_operation(reaction.name)) {
            if (!member(member(object_.value(), "reactions"), reaction.name.c_str()).is_object())
                fail("try", "names \"" + reaction.name +
                                "\", which is neither an operation of the object nor one of its \"reactions\"");
            return;
        }
        const std::string own = operation_name(operation_->kind);
        if (reaction.name == own)
            fail("try", "is the operation itself: \"retry\" or \"wait\" makes a request once more");
        const std::vector<const OperationSpec *> others = operations_named(reaction.name);
        if (others.empty())
            fail("try", "names the operation \"" + reaction.name + "\", which the object does not have");
        if (reaction.name == "lookup") {
            check_lookup(reaction, others);
            return;
        }
        const OperationSpec &other = *others.front();
        check_write("try", other, reaction);
        if (other.kind == OperationKind::upsert && key_.empty())
            fail("try", "names the operation \"upsert\", and the object has no \"key\"");
    }

    /// `member`: of the reaction, which names the operation.
    void check_write(const char *member, const OperationSpec &other, const ReactionSpec &reaction) const {
        const std::string name = operation_name(other.kind), own = operation_name(operation_->kind);
        if (other.by_lookup || other.has_only_job())
            fail(member, "names the operation \"" + name + "\", which is no single request");
        if (operation_->kind == OperationKind::remove)
            fail(member, "would write a row that is to be deleted");
        const bool names_row = other.kind == OperationKind::update || other.kind == OperationKind::remove;
        const auto is_id = [&](const KeptField &kept) { return kept.field == id_; };
        const bool takes_kept = other.by_id && std::any_of(reaction.keep.begin(), reaction.keep.end(), is_id);
        if (names_row && !takes_kept && !names_same_row(other))
            fail(member, "names the operation \"" + name + "\", which names no row as \"" + own + "\" does");
    }

    void check_next(const ReactionSpec &reaction) const {
        if (reaction.next.empty() || reaction.next == ReactionSpec::again)
            return;
        if (reaction.next == operation_name(operation_->kind))
            fail("and", "is the operation itself, which \"again\" makes once more");
        const std::vector<const OperationSpec *> others = operations_named(reaction.next);
        if (others.empty())
            fail("and", "names the operation \"" + reaction.next + "\", which the object does not have");
        check_write("and", *others.front(), reaction);
    }

    void check_kept(const ReactionSpec &reaction) const {
        for (const KeptField &kept : reaction.keep)
            if (kept.field != id_ && !is_column(kept.field))
                fail("keep", "names the field \"" + kept.field + "\", which is not among the \"columns\"");
    }

    /// Where nobody says what columns there are, any may be.
    bool is_column(const std::string &field) const {
        const Json &shared = member(manifest_.value(), "columns"), &own = member(object_.value(), "columns");
        return (shared.empty() && own.empty()) || has_column(manifest_.value(), object_.value(), field);
    }

    void check_lookup(const ReactionSpec &reaction, const std::vector<const OperationSpec *> &lookups) const {
        if (std::none_of(lookups.begin(), lookups.end(),
                         [&](const OperationSpec *lookup) { return names_same_row(*lookup); }))
            fail("try", "names no row as \"" + std::string(operation_name(operation_->kind)) + "\" does");
        if (!is_column(reaction.with))
            fail("with", "names the field \"" + reaction.with + "\", which is not among the \"columns\"");
        if (operation_->body == nullptr || !places_columns(manifest_, *operation_->body))
            fail("with", "has no place in the operation's \"body\": it goes where \"$columns\" stands");
    }

    /// Whether both may name the same row by the same. What makes rows knows them by their key.
    bool names_same_row(const OperationSpec &other) const {
        const bool makes = operation_->kind == OperationKind::create || operation_->kind == OperationKind::upsert;
        const bool takes_key = other.by_key || are_same_fields(other.by_fields, key_);
        const bool takes_id = other.by_id || other.by_fields == std::vector<std::string>{id_};
        return (!key_.empty() && takes_key && (makes || operation_->by_key)) ||
               (!id_.empty() && takes_id && !makes && operation_->by_id);
    }

    std::vector<const OperationSpec *> operations_named(const std::string &name) const {
        std::vector<const OperationSpec *> found;
        for (const OperationSpec &one : operations_)
            if (name == operation_name(one.kind))
                found.push_back(&one);
        return found;
    }

    const ManifestNode &manifest_, &object_;
    const std::vector<OperationSpec> &operations_;
    const std::vector<std::string> &key_;
    const std::string &id_;
    const OperationSpec *operation_ = nullptr;
    std::string rule_; ///< pointer
};

} // namespace

ReactionSpec read_reaction(const ManifestNode &node) {
    node.only({"try", "and", "with", "keep"});
    ReactionSpec reaction;
    reaction.name = node.at("try").plain_name();
    if (reaction.name == "list")
        node.at("try").fail("cannot be \"list\", which is about no single row");
    static constexpr std::array next = {ReactionSpec::again, "update"};
    if (node.has("and"))
        reaction.next = next[node.at("and").one_of({ReactionSpec::again, "update"})];
    if (node.has("keep"))
        reaction.keep = read_kept(node.at("keep"));
    if (node.has("with")) {
        reaction.with = node.at("with").literal();
        if (reaction.with.empty())
            node.at("with").fail("must name a field");
    }
    const bool looks_up = reaction.name == "lookup";
    if (looks_up && (reaction.next != ReactionSpec::again || reaction.with.empty()))
        node.fail(
            "looks a row up, and so needs \"and\": \"again\" and \"with\", the field that goes with the row then");
    if (!looks_up && !reaction.with.empty())
        node.at("with").fail("names a field of a record that is found, and only \"lookup\" finds one");
    if (looks_up && !reaction.keep.empty())
        node.at("keep").fail("is of the refusal, and \"lookup\" finds what goes with the row");
    return reaction;
}

void for_each_reaction(const ManifestNode &manifest, const ManifestNode &object,
                       const std::function<void(const ManifestNode &, const std::string &)> &take) {
    if (!object.has("reactions"))
        return;
    const std::vector<std::pair<std::string, ManifestNode>> reactions = object.at("reactions").members();
    if (reactions.empty())
        object.at("reactions").fail("must name at least one reaction");
    for (const auto &[name, reaction] : reactions) {
        const Json as_text = name;
        if (is_operation(ManifestNode(as_text, reaction.pointer()).plain_name()))
            reaction.fail("is the name of an operation, which has its place among the \"operations\"");
        reaction.only({"request", "query", "headers", "format", "compress", "omit_null", "body", "bytes", "idempotent",
                       "idempotency_key", "rate_limits", "outcome", "errors"});
        reaction.at("request");
        if (reaction.has("errors"))
            read_error_rules(reaction.at("errors"));
        const Json whole = merged(member(manifest.value(), "defaults"), Json(), reaction.value());
        take(ManifestNode(whole, reaction.pointer(), manifest.unset()), name);
    }
}

OperationSpec read_reaction_operation(const ManifestNode &node) {
    OperationSpec spec = read_operation(node, OperationKind::update);
    // What is tried in a reaction is tried once: it has no reactions of its own.
    std::erase_if(spec.errors, [](const ErrorRule &rule) { return rule.then == Action::react; });
    spec.rows = 1;
    spec.rows_by_table = false;
    spec.job = nullptr;
    return spec;
}

void check_reactions(const ManifestNode &manifest, const ManifestNode &object,
                     const std::vector<OperationSpec> &operations, const std::vector<std::string> &key,
                     const std::string &id) {
    Check check(manifest, object, operations, key, id);
    for (const OperationSpec &operation : operations)
        check.rules_of(operation);
}

} // namespace reverse_etl
