#include "postgres/values/encoder.h"

#include "engine/text/json_text.h"
#include "postgres/border/names.h"
#include "postgres/values/writers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {
namespace {

/// Appends the plain text as a JSON string.
void write_text_quoted(ValueWriter text, const EncodedType &type, Datum value, std::string &out) {
    out += '"';
    const size_t begin = out.size();
    text(type, value, out);
    escape_json_from(out, begin);
    out += '"';
}

void write_quoted(const EncodedType &type, Datum value, std::string &out) {
    write_text_quoted(type.text, type, value, out);
}

void write_semicolon_list(const EncodedType &type, Datum value, std::string &out) {
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(DatumGetArrayTypeP(value), type.element_oid, type.element_length, type.element_by_value,
                      type.element_alignment, &elements, &nulls, &count);

    bool first = true;
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            continue;
        if (!first)
            out += ';';
        first = false;

        size_t start = out.size();
        type.element->text(elements[i], out);
        if (out.find(';', start) != std::string::npos)
            throw ValueRefused("array element contains \";\", which separates the elements of the list");
    }
}

void write_quoted_semicolon_list(const EncodedType &type, Datum value, std::string &out) {
    write_text_quoted(write_semicolon_list, type, value, out);
}

/// What the steps make of the value, behind what stands there.
void write_steps(const EncodedType &type, Datum value, std::string &out) {
    size_t start = out.size();
    type.before_steps(type, value, out);
    type.steps->apply(out, start);
}

void write_quoted_steps(const EncodedType &type, Datum value, std::string &out) {
    write_text_quoted(write_steps, type, value, out);
}

[[noreturn]] void encoding_does_not_fit(const std::string &encoding, const std::string &fitting_types, Oid type) {
    throw Error(ERRCODE_FDW_INVALID_DATA_TYPE, "encoding \"" + encoding + "\" does not fit type " + type_name(type), "",
                "It fits " + fitting_types + ".");
}

ValueWriters native_writers(EncodedType &type, int32 typmod) {
    if (ValueWriters writers = number_writers(type.oid); writers.json)
        return writers;
    if (ValueWriters writers = datetime_writers(type.oid); writers.json)
        return writers;
    if (ValueWriters writers = nested_writers(type, typmod); writers.json)
        return writers;
    return string_writers(type);
}

ValueWriters epoch_writers(ValueWriter writer, const char *encoding, Oid type) {
    if (!writer)
        encoding_does_not_fit(encoding, "date, timestamp and timestamp with time zone", type);
    return {writer, writer};
}

/// Fails where the first step cannot be done with values of the type.
void check_first_step(const EncodedType &type, const TextSteps &steps) {
    if (steps.takes_list() && !type.element && type.oid != JSONOID && type.oid != JSONBOID)
        encoding_does_not_fit("join\" or \"each", "arrays, json and jsonb", type.oid);
    if (steps.takes_moment() && !epoch_s_writer(type.oid))
        encoding_does_not_fit("date\" or \"epoch", "date, timestamp and timestamp with time zone", type.oid);
}

ValueWriters steps_writers(EncodedType &type, ValueWriters native, const TextSteps &steps) {
    check_first_step(type, steps);
    type.steps = &steps;
    type.before_steps = steps.takes_json() ? native.json : native.text;
    return {steps.gives_json() ? write_steps : write_quoted_steps, write_steps};
}

ValueWriters form_writers(const EncodedType &type, ValueWriters native, ValueForm form) {
    switch (form) {
    case ValueForm::native:
        return native;
    case ValueForm::string:
        return {native.json == native.text ? write_quoted : native.json, native.text};
    case ValueForm::epoch_s:
        return epoch_writers(epoch_s_writer(type.oid), "epoch_s", type.oid);
    case ValueForm::epoch_ms:
        return epoch_writers(epoch_ms_writer(type.oid), "epoch_ms", type.oid);
    case ValueForm::semicolon_list:
        if (!type.element)
            encoding_does_not_fit("semicolon_list", "arrays", type.oid);
        return {write_quoted_semicolon_list, write_semicolon_list};
    }
    pg_unreachable();
}

} // namespace

ValueEncoder ValueEncoder::make(Oid type_oid, int32 typmod, const ValueEncoding &encoding) {
    auto *type = static_cast<EncodedType *>(palloc0(sizeof(EncodedType)));
    type->oid = getBaseTypeAndTypmod(type_oid, &typmod);

    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type->oid, &output, &is_varlena);
    fmgr_info(output, &type->output);

    ValueWriters native = native_writers(*type, typmod);
    type->text = native.text;
    ValueWriters writers = encoding.steps != nullptr ? steps_writers(*type, native, *encoding.steps)
                                                     : form_writers(*type, native, encoding.form);

    ValueEncoder encoder;
    encoder.json_ = writers.json;
    encoder.text_ = writers.text;
    encoder.type_ = type;
    return encoder;
}

} // namespace reverse_etl
