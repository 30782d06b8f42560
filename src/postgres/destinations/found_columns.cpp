#include "postgres/destinations/found_columns.h"

#include "engine/requests/words.h"
#include "postgres/border/border.h"
#include "postgres/border/server_text.h"
#include "postgres/border/sql_text.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Of choices in a comment, which is for people.
constexpr std::size_t most_comment_bytes = 4000;

/// Whether the database's encoding has all its characters.
bool can_be_stored(const std::string &text) {
    return storable(text) == text;
}

/// The type as a statement means it, whatever its search path is. The others are keywords.
std::string sql_type(const std::string &type) {
    return type == "integer" || type == "bigint" || type == "boolean" || type == "double precision"
               ? type
               : "pg_catalog." + type;
}

std::string options_of(const FoundField &found, const std::string &name) {
    std::vector<std::string> options;
    if (found.field != name)
        options.push_back("field " + quoted_text(found.field));
    if (!found.type.encode.empty())
        options.push_back("encode " + quoted_text(found.type.encode));
    if (!found.writable)
        options.push_back("write 'none'");
    else if (!found.written_by.empty())
        options.push_back(
            "write '" +
            joined(found.written_by, ",", [](OperationKind kind) { return std::string(operation_name(kind)); }) + "'");
    return options.empty() ? ""
                           : " OPTIONS (" + joined(options, ", ", [](const std::string &one) { return one; }) + ")";
}

/// Whether the choices can be a CHECK. Postgres asks foreign tables for none, but takes what is declared as true.
bool has_check(const FoundField &found) {
    return found.choices_are_closed && found.type.type == "text" &&
           std::all_of(found.choices.begin(), found.choices.end(), can_be_stored);
}

std::string constraints_of(const FoundField &found, const std::string &name) {
    std::string constraints = found.required ? " NOT NULL" : "";
    if (has_check(found))
        constraints += " CHECK (" + quoted_name(name) + " OPERATOR(pg_catalog.=) ANY (ARRAY[" +
                       joined(found.choices, ", ", quoted_text) + "]::pg_catalog.text[]))";
    return constraints;
}

std::string comment_of(const FoundField &found) {
    std::string comment = storable(found.description);
    if (!found.choices.empty() && !has_check(found))
        comment += (comment.empty() ? "" : "; ") + std::string("one of: ") +
                   storable(joined(found.choices, ", ", [](const std::string &choice) { return choice; }));
    return beginning(std::move(comment), most_comment_bytes);
}

TableColumn column_of(const FoundField &found, const std::string &name) {
    return {name, found.field, found.type.type,
            quoted_name(name) + " " + sql_type(found.type.type) + options_of(found, name) + constraints_of(found, name),
            comment_of(found)};
}

} // namespace

TableColumn listed_column(const ColumnSpec &spec) {
    TableColumn column{spec.column, spec.field, spec.type, quoted_name(spec.column) + " " + sql_type(spec.type), ""};
    if (spec.field != spec.column)
        column.definition += " OPTIONS (field " + quoted_text(spec.field) + ")";
    return column;
}

FoundColumns found_columns(const Object &object, std::vector<FoundField> &found, std::set<std::string> fields,
                           FreeNames names, std::size_t room) {
    FoundColumns columns;
    const FreeNames of_table = names;
    for (const ColumnSpec &spec : object.columns)
        names.take(spec.column); // which stands for the field of that column, whether the table has it or not
    for (FoundField &one : found) {
        if (!fields.insert(one.field).second)
            continue;
        if (!can_be_stored(one.field) || one.field.find_first_of("\r\n") != one.field.npos) {
            columns.nameless.push_back(std::move(one.field));
            continue;
        }
        if (columns.columns.size() >= room) {
            columns.too_many.push_back(std::move(one.field));
            continue;
        }
        const ColumnSpec *listed = object.column_of_field(one.field);
        const bool is_as_listed = listed != nullptr && of_table.has(listed->column);
        columns.columns.push_back(is_as_listed ? listed_column(*listed) : column_of(one, names.name_for(one.field)));
    }
    return columns;
}

void warn_of_left_out(const std::string &name, const FoundColumns &found) {
    if (!found.nameless.empty()) {
        const std::string first = Words(storable).of(found.nameless.front());
        const auto count = found.nameless.size();
        pg_call([&] {
            ereport(WARNING, (errmsg_plural("%zu field of \"%s\" has no column", "%zu fields of \"%s\" have no column",
                                            count, count, name),
                              errdetail("The first is \"%s\".", first),
                              errhint("Names have the characters of the database's encoding, and no line breaks.")));
        });
    }
    if (!found.too_many.empty()) {
        const std::string first = Words(storable).of(found.too_many.front());
        const auto count = found.too_many.size();
        pg_call([&] {
            ereport(WARNING,
                    (errmsg_plural("%zu field of \"%s\" has no column, since a table has 1600 at most",
                                   "%zu fields of \"%s\" have no column, since a table has 1600 at most", count, count,
                                   name),
                     errdetail("The first is \"%s\". Columns that were dropped count, too.", first),
                     errhint("Create a foreign table with the columns that you need: the option \"field\" of a column "
                             "names its field, and the table's option \"object\" its object.")));
        });
    }
}

} // namespace reverse_etl
