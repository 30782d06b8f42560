#include "postgres/hashes/value_hashers.h"

#include "postgres/border/server_text.h"

extern "C" {
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/uuid.h"
}

namespace reverse_etl {
namespace {

template <HashKind kind>
void add_content(Datum value, HashStream &stream) {
    with_content(value, [&](std::string_view content) { add_sized(kind, content, stream); });
}

void add_name(Datum value, HashStream &stream) {
    add_sized(HashKind::text, ServerText(*DatumGetName(value)).bytes(), stream);
}

void add_uuid(Datum value, HashStream &stream) {
    add_kind(HashKind::uuid, stream);
    stream.add(DatumGetUUIDP(value)->data, UUID_LEN);
}

void add_jsonb(Datum value, HashStream &stream) {
    Jsonb *jsonb = DatumGetJsonbP(value);
    char *text = JsonbToCString(nullptr, &jsonb->root, VARSIZE(jsonb));
    add_sized(HashKind::text, text, stream);
    pfree(text);
}

/// By label: the numbers of labels are different in every database. A few labels are kept; who keeps a hasher makes it
/// anew when labels change.
class EnumHasher : public ValueHasher {
  public:
    void add(Datum value, HashStream &stream) override {
        Oid number = DatumGetObjectId(value);
        Label &label = labels_[number % std::size(labels_)];
        if (label.number != number)
            look_up(number, label);
        add_sized(HashKind::text, ServerText(label.text).bytes(), stream);
    }

  private:
    struct Label {
        Oid number = InvalidOid;
        NameData text;
    };

    static void look_up(Oid number, Label &label) {
        HeapTuple found = SearchSysCache1(ENUMOID, ObjectIdGetDatum(number));
        if (!HeapTupleIsValid(found))
            ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                            errmsg("invalid internal value for enum: %u", number)));
        label.text = reinterpret_cast<Form_pg_enum>(GETSTRUCT(found))->enumlabel;
        label.number = number;
        ReleaseSysCache(found);
    }

    Label labels_[31]; // numbers of labels that were made together are often even: an odd size spreads them
};

/// By function and not by type, so that citext is among them.
bool prints_as_text(Oid type) {
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    FmgrInfo function;
    fmgr_info(output, &function);
    return function.fn_addr == textout || function.fn_addr == varcharout || function.fn_addr == bpcharout;
}

} // namespace

ValueHasher *string_hasher(Oid type) {
    switch (type) {
    case JSONOID:
    case XMLOID:
        return hasher_of<add_content<HashKind::text>>();
    case JSONBOID:
        return hasher_of<add_jsonb>();
    case NAMEOID:
        return hasher_of<add_name>();
    case BYTEAOID:
        return hasher_of<add_content<HashKind::bytes>>();
    case UUIDOID:
        return hasher_of<add_uuid>();
    }
    if (get_typtype(type) == TYPTYPE_ENUM)
        return make_hasher<EnumHasher>();
    return prints_as_text(type) ? hasher_of<add_content<HashKind::text>>() : nullptr;
}

} // namespace reverse_etl
