#pragma once

#include "engine/manifest/key_form.h"
#include "engine/text/text_steps.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// How a Postgres value is written, where its type alone does not say it.
enum class ValueForm {
    native,         ///< as the Postgres type suggests: numbers as numbers, json as it is, arrays as arrays
    string,         ///< always a JSON string
    epoch_s,        ///< date and time types: seconds since 1970-01-01 UTC, an integer
    epoch_ms,       ///< date and time types: milliseconds since 1970-01-01 UTC, an integer
    semicolon_list, ///< arrays: their elements joined by ';' in one string
};

/// How a column's values are written: in a form, or natively with steps after it.
struct ValueEncoding {
    ValueForm form = ValueForm::native;
    std::shared_ptr<const TextSteps> steps = nullptr; ///< nullptr: none

    bool is(ValueForm other) const { return form == other && steps == nullptr; }
    bool gives_number() const;
    /// What stands between the elements of a list that is written as one text; "" where none is.
    std::string separator() const;
    /// What differs in the values of two rows and not in what is sent for them, besides what `compare` says.
    KeyForm sends_alike() const;
};

/// What the type alone says.
inline const ValueEncoding native_encoding;

} // namespace reverse_etl
