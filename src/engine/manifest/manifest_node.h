#pragma once

#include "engine/manifest/condition.h"
#include "engine/text/errors.h"
#include "engine/text/json.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A place in a manifest: a value and its JSON pointer, so that every complaint can name where it belongs.
class ManifestNode {
  public:
    ManifestNode(const Json &value, std::string pointer)
        : value_(value), place_(std::make_shared<const Place>(Place{nullptr, std::move(pointer)})) {}

    const Json &value() const { return value_; }
    std::string pointer() const;
    [[noreturn]] void fail(const std::string &message) const { throw ManifestError(pointer(), message); }

    bool has(const std::string &member) const { return value_.is_object() && value_.contains(member); }
    ManifestNode at(const std::string &member) const; ///< fails if it is missing
    std::vector<std::pair<std::string, ManifestNode>> members() const;
    std::vector<ManifestNode> elements() const;
    std::vector<ManifestNode> one_or_many() const; ///< the elements of an array, or the value itself

    /// Fails unless this is an object whose members all have one of these names.
    void only(std::initializer_list<const char *> names) const;

    std::string text() const;
    std::string text(const std::string &member, const std::string &fallback) const;
    bool flag(const std::string &member, bool fallback) const;
    int positive_integer() const;
    int integer_from(int lowest) const;
    std::string json_pointer() const;
    Pointers pointers() const; ///< one, or several of which the first that is there counts
    Scalar scalar() const;
    Condition condition() const;
    std::vector<std::pair<std::string, std::string>> texts() const; ///< an object of strings

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
        : value_(value), place_(std::make_shared<const Place>(Place{within.place_, std::move(token)})) {}

    const Json &value_;
    std::shared_ptr<const Place> place_;
};

} // namespace reverse_etl
