#include "postgres/border/arrays.h"

#include "postgres/border/border.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

struct Elements {
    Datum *values;
    bool *nulls;
    int count;
};

} // namespace

Datum text_array(const std::vector<std::string> &texts) {
    return pg_call([&] {
        auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (texts.size() + 1)));
        for (std::size_t i = 0; i < texts.size(); i++)
            elements[i] = text_datum(texts[i]);
        return PointerGetDatum(
            construct_array(elements, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
    });
}

Datum oid_array(const std::vector<Oid> &oids, Oid type) {
    return pg_call([&] {
        auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (oids.size() + 1)));
        for (std::size_t i = 0; i < oids.size(); i++)
            elements[i] = ObjectIdGetDatum(oids[i]);
        return PointerGetDatum(
            construct_array(elements, static_cast<int>(oids.size()), type, sizeof(Oid), true, TYPALIGN_INT));
    });
}

std::vector<std::string> texts_of(Datum array) {
    Elements elements;
    pg_call([&] {
        deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements.values,
                          &elements.nulls, &elements.count);
    });
    std::vector<std::string> texts;
    for (int i = 0; i < elements.count; i++)
        texts.push_back(elements.nulls[i] ? "" : text_value(elements.values[i]));
    return texts;
}

std::vector<Oid> oids_of(Datum array) {
    Elements elements;
    pg_call([&] {
        deconstruct_array(DatumGetArrayTypeP(array), OIDOID, sizeof(Oid), true, TYPALIGN_INT, &elements.values,
                          &elements.nulls, &elements.count);
    });
    std::vector<Oid> oids;
    for (int i = 0; i < elements.count; i++)
        oids.push_back(DatumGetObjectId(elements.values[i]));
    return oids;
}

} // namespace reverse_etl
