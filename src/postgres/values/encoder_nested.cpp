#include "engine/text/json_text.h"
#include "postgres/values/writers.h"

#include "postgres/border/server_text.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace reverse_etl {
namespace {

struct ArrayElements {
    Datum *values;
    bool *nulls;
    int next;
};

/// One dimension of an array, and within it the next ones.
void write_dimension(const ValueEncoder &element, const int *sizes, int dimensions, ArrayElements &elements,
                     std::string &out) {
    out += '[';
    for (int i = 0; i < sizes[0]; i++) {
        if (i > 0)
            out += ',';
        if (dimensions > 1) {
            write_dimension(element, sizes + 1, dimensions - 1, elements, out);
            continue;
        }
        if (elements.nulls[elements.next])
            out += "null";
        else
            element.json(elements.values[elements.next], out);
        elements.next++;
    }
    out += ']';
}

void write_array(const EncodedType &type, Datum value, std::string &out) {
    ArrayType *array = DatumGetArrayTypeP(value);
    ArrayElements elements{};
    int count;
    deconstruct_array(array, type.element_oid, type.element_length, type.element_by_value, type.element_alignment,
                      &elements.values, &elements.nulls, &count);
    if (count == 0)
        out += "[]";
    else
        write_dimension(*type.element, ARR_DIMS(array), ARR_NDIM(array), elements, out);
}

const ValueEncoder *field_encoders(TupleDesc attributes) {
    auto *fields = static_cast<ValueEncoder *>(palloc0(attributes->natts * sizeof(ValueEncoder)));
    for (int i = 0; i < attributes->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(attributes, i);
        if (!attribute->attisdropped)
            fields[i] = ValueEncoder::make(attribute->atttypid, attribute->atttypmod, native_encoding);
    }
    return fields;
}

void write_fields(TupleDesc attributes, const ValueEncoder *fields, HeapTupleHeader row, std::string &out) {
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    tuple.t_data = row;
    auto *values = static_cast<Datum *>(palloc(attributes->natts * sizeof(Datum)));
    auto *nulls = static_cast<bool *>(palloc(attributes->natts * sizeof(bool)));
    heap_deform_tuple(&tuple, attributes, values, nulls);

    char separator = '{';
    for (int i = 0; i < attributes->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(attributes, i);
        if (attribute->attisdropped)
            continue;
        out += separator;
        separator = ',';
        append_json_string(out, to_utf8(ServerText(attribute->attname).bytes()));
        out += ':';
        if (nulls[i])
            out += "null";
        else
            fields[i].json(values[i], out);
    }
    out += separator == '{' ? "{}" : "}";
}

void write_composite(const EncodedType &type, Datum value, std::string &out) {
    write_fields(type.attributes, type.fields, DatumGetHeapTupleHeader(value), out);
}

/// An anonymous record says only in each value what its fields are. No column can have the type, so it need not be
/// fast.
void write_record(const EncodedType &, Datum value, std::string &out) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(value);
    TupleDesc attributes = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    write_fields(attributes, field_encoders(attributes), row, out);
}

const ValueEncoder *element_encoder(Oid type, int32 typmod) {
    auto *encoder = static_cast<ValueEncoder *>(palloc(sizeof(ValueEncoder)));
    *encoder = ValueEncoder::make(type, typmod, native_encoding);
    return encoder;
}

} // namespace

ValueWriters nested_writers(EncodedType &type, int32 typmod) {
    if (type.oid == RECORDOID)
        return {write_record, write_record};

    if (Oid element = get_element_type(type.oid); OidIsValid(element)) {
        type.element_oid = element;
        get_typlenbyvalalign(element, &type.element_length, &type.element_by_value, &type.element_alignment);
        type.element = element_encoder(element, typmod);
        return {write_array, write_array};
    }

    if (type_is_rowtype(type.oid)) {
        // A copy: the cached one would have to be given back, also after an error.
        type.attributes = lookup_rowtype_tupdesc_copy(type.oid, typmod);
        type.fields = field_encoders(type.attributes);
        return {write_composite, write_composite};
    }
    return {};
}

} // namespace reverse_etl
