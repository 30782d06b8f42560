#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// What names of files say of their rows, by PathPattern::names(); nothing where that is NULL.
using PathValues = std::vector<std::optional<std::string>>;

/// The names of files: "crm/dt={dt}/*.csv.gz". A * stands for any signs but slashes, and a {name} for one or more of
/// them, which are a value; ** between slashes stands for any folders, or none. A wildcard at the beginning of a name
/// does not stand for "." and "_" there, with which hidden files begin.
class PathPattern {
  public:
    /// Throws SettingError, which says what is wrong.
    explicit PathPattern(std::string_view written);

    const std::string &written() const { return written_; }
    /// Of the values, in their order.
    const std::vector<std::string> &names() const { return names_; }
    /// How many parts it has between slashes.
    std::size_t parts() const { return parts_.size(); }
    /// What the part begins with, up to its first wildcard.
    std::string beginning(std::size_t part) const;
    bool is_literal(std::size_t part) const;
    /// Whether it stands for any folders.
    bool is_any_folders(std::size_t part) const { return parts_[part].is_any_folders; }
    /// Which values the part has.
    std::vector<std::size_t> values_of(std::size_t part) const;

    /// Whether the name is one. The values are then those of the name.
    bool matches(std::string_view name, PathValues &values) const;
    /// Whether what stands between two slashes is such a part, which must not be one for any folders.
    bool matches_part(std::size_t part, std::string_view text, PathValues &values) const;

  private:
    struct Token {
        enum class Kind { literal, any, value } kind = Kind::literal;
        std::string text;      ///< of a literal
        std::size_t value = 0; ///< position among the names
        bool is_hive = false;  ///< behind "NAME=": percent-encoded, and may be NULL
    };
    struct Part {
        bool is_any_folders = false;
        std::vector<Token> tokens;
    };

    Part parsed(std::string_view written);
    Token wildcard(std::string_view written, std::size_t &at, const std::string &before);
    bool matches_from(std::size_t part, const std::vector<std::string_view> &segments, std::size_t segment,
                      PathValues &values) const;

    std::string written_;
    std::vector<Part> parts_;
    std::vector<std::string> names_;
};

} // namespace reverse_etl
