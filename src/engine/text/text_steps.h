#pragma once

#include "engine/text/text_pattern.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

struct DiallingPlan;

/// One thing that is done with a value's text before it is sent.
struct TextStep {
    enum class Word {
        trim,
        lower,
        upper,
        digits,   ///< all but digits are left out
        e164,     ///< a telephone number, with its country's code
        unless,   ///< the steps behind it are for texts that do not match the pattern
        date,     ///< a date or a moment in another format
        epoch_s,  ///< seconds since 1970
        epoch_ms, ///< milliseconds since 1970
        sha256,   ///< the digest's bytes
        sha1,
        md5,
        base64,
        hex,
        json,  ///< the value as JSON, in a text
        join,  ///< a list becomes a text
        split, ///< a text becomes a list
        each,  ///< steps for each element of a list
        odata, ///< as it stands between the quotes of a string in OData
        soql,  ///< the same in SOQL
    } word;
    std::string argument = {};               ///< separator, format
    const DiallingPlan *plan = nullptr;      ///< of e164
    std::optional<TextPattern> pattern = {}; ///< of unless
    std::vector<TextStep> of_each = {};
};

/// Steps in their order. They are about text in UTF-8 and know no database: whether a row leaves at once or from the
/// outbox, its bytes are the same.
class TextSteps {
  public:
    /// The steps must fit each other, as their reader sees to.
    explicit TextSteps(std::vector<TextStep> steps) : steps_(std::move(steps)) {}

    const std::vector<TextStep> &steps() const { return steps_; }
    /// Whether the first step is about the value as JSON, and not about its text.
    bool takes_json() const;
    /// Whether the first step is about a list.
    bool takes_list() const;
    /// Whether the first step is about a date or a moment.
    bool takes_moment() const;
    /// Whether what comes out is JSON as it is: a number, or a list. Else it is a text.
    bool gives_json() const { return gives_number() || gives_list(); }
    bool gives_number() const;
    bool gives_list() const;

    /// Does them with what stands in `out` from `begin` on. Throws ValueRefused.
    void apply(std::string &out, std::size_t begin) const;

  private:
    std::vector<TextStep> steps_;
};

} // namespace reverse_etl
