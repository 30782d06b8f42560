#include "postgres/hashes/value_hashers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace reverse_etl {
namespace {

/// The binary form that clients get, which depends on no setting but one: text in it is in their encoding.
class BinaryHasher : public ValueHasher {
  public:
    explicit BinaryHasher(Oid send) { fmgr_info(send, &send_); }

    void add(Datum value, HashStream &stream) override {
        bytea *sent = send(value);
        add_sized(HashKind::binary, {VARDATA_ANY(sent), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(sent))}, stream);
        pfree(sent);
    }

  private:
    bytea *send(Datum value) {
        int client = pg_get_client_encoding();
        if (client == GetDatabaseEncoding())
            return SendFunctionCall(&send_, value);
        bytea *volatile sent = nullptr;
        SetClientEncoding(GetDatabaseEncoding());
        PG_TRY();
        { sent = SendFunctionCall(&send_, value); }
        PG_FINALLY();
        { SetClientEncoding(client); }
        PG_END_TRY();
        return sent;
    }

    FmgrInfo send_;
};

/// The text form, under settings of its own.
class PrintedHasher : public ValueHasher {
  public:
    explicit PrintedHasher(Oid output) { fmgr_info(output, &output_); }

    void add(Datum value, HashStream &stream) override {
        static constexpr struct {
            const char *name, *value;
        } settings[] = {{"search_path", "pg_catalog"}, {"TimeZone", "UTC"},
                        {"DateStyle", "ISO, YMD"},     {"IntervalStyle", "postgres"},
                        {"bytea_output", "hex"},       {"extra_float_digits", "1"},
                        {"lc_monetary", "C"},          {"quote_all_identifiers", "off"}};
        int level = NewGUCNestLevel(); // an error ends it, too
        for (const auto &setting : settings)
            set_config_option(setting.name, setting.value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        ServerText text = output_value(output_, value);
        AtEOXact_GUC(false, level);
        add_sized(HashKind::text, text.bytes(), stream);
        pfree(const_cast<char *>(text.c_str()));
    }

  private:
    FmgrInfo output_;
};

/// regclass and its like are sent as the number of what they name, which is another one in every database. They are
/// printed by name, with its schema if that is not pg_catalog.
bool names_an_object(Oid type) {
    return IsBinaryCoercible(type, OIDOID);
}

Oid send_function(Oid type) {
    HeapTuple found = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(found))
        elog(ERROR, "cache lookup failed for type %u", type);
    Oid send = reinterpret_cast<Form_pg_type>(GETSTRUCT(found))->typsend;
    ReleaseSysCache(found);
    return send;
}

} // namespace

ValueHasher *other_hasher(Oid type) {
    Oid send = send_function(type);
    if (OidIsValid(send) && !names_an_object(type))
        return make_hasher<BinaryHasher>(send);
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    return make_hasher<PrintedHasher>(output);
}

} // namespace reverse_etl
