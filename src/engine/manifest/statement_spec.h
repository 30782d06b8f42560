#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/request_template.h"
#include "engine/world/clock.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// How a cell of a result is written. Whatever it is, it becomes a text that the input functions of Postgres take.
enum class CellForm {
    text,       ///< as Postgres writes it, or near enough
    days,       ///< days since 1970-01-01
    seconds,    ///< seconds since 1970, with a fraction: a moment of no time zone
    moment,     ///< the same of a moment in UTC
    moment_at,  ///< the same, a blank, and minutes that count its zone from 1440
    micros,     ///< microseconds since 1970 in UTC
    day_second, ///< seconds since midnight, with a fraction
    hex,        ///< bytes in hexadecimal digits
    base64,     ///< bytes in base64
    json        ///< any JSON, as it stands there
};

/// What a column of the source is in Postgres. The first rule that holds of what the source says of the column counts.
struct SourceTypeRule {
    Condition when;
    std::string type = "text"; ///< a Postgres type
    CellForm cell = CellForm::text;
};
using SourceTypeRules = std::vector<SourceTypeRule>;

/// A type of which the source takes parameters.
struct ParameterType {
    std::string type; ///< the source's name of it
    std::string sql;  ///< the expression that stands for one: "{parameter}" is its marker
    std::shared_ptr<const TextPattern> only = nullptr; ///< how the values look that it takes; nullptr: all
};

/// How the source tells rows apart without sending them.
struct RowHashSpec {
    std::string sql;         ///< of a "{text}": the last 15 hexadecimal digits of the MD5 of its UTF-8, as a number
    std::string sum;         ///< of a "{hash}" that is such a number, over any number of rows, exactly
    std::size_t longest = 0; ///< bytes that a statement's text may have
    std::map<std::string, std::string>
        texts; ///< by the Postgres type: a text of a "{column}", other where its value is
};

/// What SQL is to the source.
struct DialectSpec {
    std::string quote = "\"";          ///< around names; within one it is written twice
    bool folds_to_upper = false;       ///< unquoted names are in upper case
    std::vector<std::string> relation; ///< templates of {object} and {statement.schema}: the parts of a table's name
    std::string schema;                ///< where a table is that does not say
    std::string marker = "?";          ///< of a parameter; "{number}" counts them from 1
    std::map<std::string, ParameterType> parameters; ///< by the Postgres type
    std::map<std::string, std::string> select;       ///< by the Postgres type: how a "{column}" is asked for
    std::optional<RowHashSpec> hash;                 ///< nothing: rows have to be read to be compared
};

/// How the tables of a schema are found, and their columns: by one statement, whose result has a row for each column:
/// table, column, type, precision, scale, whether it is never NULL, and a description. Later ones may be left out.
struct SourceCatalogSpec {
    std::string sql; ///< "{catalog.relation}" is the name of the table that is asked, "{catalog.schema}" a parameter
    std::vector<std::string> relation;
    SourceTypeRules types; ///< of {"type": ..., "precision": ..., "scale": ...}
};

/// How a result is read.
struct StatementResultSpec {
    RequestTemplate request; ///< of a page; no method where the answer that says that it is done holds all
    bool is_inline = false;  ///< the answer that says that it is done holds the first page
    Pointers columns;        ///< of the array that describes them
    std::string name;        ///< pointer within a description
    SourceTypeRules types;   ///< of a description
    Pointers rows;           ///< of the array
    std::string cells;       ///< pointer within a row, to the array of its cells
    Pointers cell = {""};    ///< within a cell, to its value
    std::size_t skip = 0;    ///< rows of the first page that are none
    enum class Next { nothing, number, cursor, url } next = Next::nothing;
    std::string next_at; ///< pointer: to the array that has an element a page, to the cursor, or to the address
};

/// How a connector runs SQL at its source, and reads what comes of it: the member "statement" of a manifest.
struct StatementSpec {
    RequestTemplate submit;               ///< has {statement.id}, so that it is run once however often it is sent
    std::map<std::string, Pointers> keep; ///< of the answers to submit and poll, by name: {statement.NAME}
    Condition done_when;                  ///< of such an answer; empty: it always is
    Condition failed_when;
    Pointers reason;      ///< of a statement that failed
    RequestTemplate poll; ///< no method: none is needed
    Milliseconds every{100}, up_to{5000};
    RequestTemplate cancel;   ///< no method: it cannot be
    RequestTemplate describe; ///< asks for a result's columns without running it; no method: a LIMIT 0 does
    Pointers described;       ///< of the array that describes them there
    StatementResultSpec result;
    std::map<std::string, Pointers> facts; ///< "bytes": of what it read, where the source says
    DialectSpec dialect;
    std::optional<SourceCatalogSpec> catalog;
};

/// What every request may name besides what "keep" says: {statement.NAME}.
inline constexpr const char *statement_names[] = {"id",  "sql",   "seconds", "milliseconds",
                                                  "tag", "label", "schema",  "page"};
inline constexpr const char *of_statement = "statement.";

} // namespace reverse_etl
