#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/option_spec.h"
#include "engine/text/errors.h"
#include "engine/text/json.h"

#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// The options of a connector that have no value yet: their placeholders may still stand where a text may.
struct UnsetOptions {
    std::map<std::string, OptionSpec::Type> types; ///< by name
    std::set<std::string> met;                     ///< those that were met in a text which has to be known
};

/// The names of placeholders that may stand somewhere, as "{key}"; "{row.FIELD}" for each of that kind.
using PlaceholderNames = std::initializer_list<const char *>;

/// A place in a manifest: a value and its JSON pointer, so that every complaint can name where it belongs.
class ManifestNode {
  public:
    /// `unset` must live as long as the nodes do.
    ManifestNode(const Json &value, std::string pointer, UnsetOptions *unset = nullptr)
        : value_(value), unset_(unset), place_(std::make_shared<const Place>(Place{nullptr, std::move(pointer)})) {}

    const Json &value() const { return value_; }
    std::string pointer() const;
    [[noreturn]] void fail(const std::string &message) const { throw ManifestError(pointer(), message); }

    bool has(const std::string &member) const { return value_.is_object() && value_.contains(member); }
    ManifestNode at(const std::string &member) const; ///< fails if it is missing
    std::vector<std::pair<std::string, ManifestNode>> members() const;
    std::vector<ManifestNode> elements() const;
    std::vector<ManifestNode> one_or_many() const; ///< the elements of an array, or the value itself

    /// Fails unless this is an object whose members all have one of these names; or "note", which means nothing.
    void only(std::initializer_list<const char *> names) const;

    std::string text() const;              ///< as it is written
    std::string text_of_something() const; ///< not empty
    std::string plain_name() const;        ///< lower-case letters, digits and "_", a letter first
    std::string text(const std::string &member, const std::string &fallback) const;
    /// What the text says where nothing is left to fill in: braces once. Fails at a placeholder of something else than
    /// an option that has no value yet.
    std::string literal() const;
    std::string literal(const std::string &member, const std::string &fallback) const;
    /// The same of a member's name, in which no placeholder may stand.
    std::string literal_name(const std::string &name) const;
    /// A text in which these placeholders may stand, as it is written.
    std::string template_text(PlaceholderNames names) const;
    UnsetOptions *unset() const { return unset_; }
    /// Whether this is an option of the connector that has no value yet.
    bool may_be_set_later(const std::string &name) const;
    /// The same, where it has one of these types.
    bool may_be_set_later(const std::string &name, std::initializer_list<OptionSpec::Type> types) const;
    bool flag(const std::string &member, bool fallback) const;
    int positive_integer() const;
    int integer_from(int lowest) const;
    std::string json_pointer() const;
    std::string json_pointer(PlaceholderNames names) const; ///< a template of one
    Pointers pointers() const;                              ///< one, or several of which the first that is there counts
    Scalar scalar() const;
    Condition condition() const;

    /// The position of the text among the names; fails with the list of them.
    std::size_t one_of(std::initializer_list<const char *> names) const;

  private:
    /// Put together only where something is wrong: written out, the pointers of all values can be larger than the
    /// manifest by far.
    struct Place {
        std::shared_ptr<const Place> within;
        std::string token;
    };
    ManifestNode(const Json &value, const ManifestNode &within, std::string token)
        : value_(value), unset_(within.unset_),
          place_(std::make_shared<const Place>(Place{within.place_, std::move(token)})) {}

    void check_pointer(const std::string &pointer) const;

    const Json &value_;
    UnsetOptions *unset_;
    std::shared_ptr<const Place> place_;
};

} // namespace reverse_etl
