#include "postgres/destinations/key_forms.h"

#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"

#include <algorithm>
#include <string_view>

extern "C" {
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

constexpr const char *as_it_is = "%s";
constexpr const char *as_text = "(%s::pg_catalog.text) COLLATE pg_catalog.\"C\"";

bool is_string(Oid type) {
    return pg_call([&] {
        char category;
        bool is_preferred;
        get_type_category_preferred(type, &category, &is_preferred);
        return category == TYPCATEGORY_STRING;
    });
}

} // namespace

std::string key_form_in_sql(Oid type, Oid collation, const DestinationColumn *column) {
    if (column == nullptr)
        return as_it_is;
    type = pg_call([&] { return getBaseType(type); });
    KeyForm form = column->compare, alike = column->encoding.sends_alike();
    form.case_insensitive |= alike.case_insensitive;
    form.trimmed |= alike.trimmed;
    if (is_string(type)) {
        if (!form.is_exact())
            return std::string("(reverse_etl_internal.key_form(%s::pg_catalog.text, ") +
                   (form.trimmed ? "true" : "false") + ", " + (form.case_insensitive ? "true" : "false") +
                   ")) COLLATE pg_catalog.\"C\"";
        bool is_plain = type == TEXTOID || type == VARCHAROID;
        bool tells_all_apart =
            is_plain && pg_call([&] { return !OidIsValid(collation) || get_collation_isdeterministic(collation); });
        return tells_all_apart ? as_it_is : as_text;
    }
    bool has_spellings = type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
    bool is_sent_as_text = column->encoding.is(ValueForm::string) || is_string(column->type);
    return has_spellings && is_sent_as_text ? as_text : as_it_is;
}

std::vector<std::string> key_forms_in_sql(const std::vector<std::string> &key, const std::vector<Oid> &types,
                                          const std::vector<Oid> &collations, const Destination &destination) {
    std::vector<std::string> forms;
    for (std::size_t i = 0; i < key.size(); i++) {
        auto column = std::find_if(destination.columns.begin(), destination.columns.end(),
                                   [&](const DestinationColumn &candidate) { return candidate.name == key[i]; });
        forms.push_back(
            key_form_in_sql(types[i], collations[i], column == destination.columns.end() ? nullptr : &*column));
    }
    return forms;
}

std::string in_sql_form(const std::string &form, const std::string &value) {
    std::size_t place = form.find("%s");
    return form.substr(0, place) + value + form.substr(place + 2);
}

namespace {

/// Whether it stays as it is in any form, whatever the encoding: plain letters, digits and signs, none of them large,
/// and no blank at either end.
bool is_in_every_form(std::string_view text) {
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && !(c >= 'A' && c <= 'Z'); };
    return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), is_plain);
}

} // namespace

/// reverse_etl_internal.key_form(value text, trimmed boolean, case_insensitive boolean)
SQL_FUNCTION(reverse_etl_key_form) {
    // Statements of syncs ask for every row, and most keys are as they are to be.
    const auto *value = reinterpret_cast<const varlena *>(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
    if (is_in_every_form({VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))}))
        PG_RETURN_POINTER(value);
    return guard([&] {
        KeyForm form{PG_GETARG_BOOL(2), PG_GETARG_BOOL(1)};
        std::string formed = in_form(form, text_argument(fcinfo, 0));
        return pg_call([&] { return text_datum(formed); });
    });
}

/// reverse_etl_internal.key_forms(destination oid, key text[], types oid[], collations oid[])
SQL_FUNCTION(reverse_etl_key_forms) {
    return guard([&] {
        check_is_destination(PG_GETARG_OID(0));
        const std::vector<std::string> key = texts_of(PG_GETARG_DATUM(1));
        const std::vector<Oid> types = oids_of(PG_GETARG_DATUM(2)), collations = oids_of(PG_GETARG_DATUM(3));
        if (types.size() != key.size() || collations.size() != key.size())
            throw Error(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "the arrays must be of one length");
        return text_array(key_forms_in_sql(key, types, collations, Destination(PG_GETARG_OID(0))));
    });
}

} // namespace reverse_etl
