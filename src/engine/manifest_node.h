#pragma once

#include "engine/connector.h"
#include "engine/json.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A place in a manifest: a value and its JSON pointer, so that every complaint can name where it belongs.
class ManifestNode {
  public:
    ManifestNode(const Json &value, std::string pointer) : value_(value), pointer_(std::move(pointer)) {}

    const Json &value() const { return value_; }
    const std::string &pointer() const { return pointer_; }
    [[noreturn]] void fail(const std::string &message) const { throw ManifestError(pointer_, message); }

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
    std::string json_pointer() const;
    Pointers pointers() const; ///< one, or several of which the first that is there counts
    Scalar scalar() const;
    Condition condition() const;
    std::vector<std::pair<std::string, std::string>> texts() const; ///< an object of strings

    /// The position of the text among the names; fails with the list of them.
    std::size_t one_of(std::initializer_list<const char *> names) const;

  private:
    const Json &value_;
    std::string pointer_;
};

} // namespace reverse_etl
