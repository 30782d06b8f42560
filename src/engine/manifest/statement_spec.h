#pragma once

#include "engine/manifest/body_format.h"
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
    iso,        ///< ISO 8601: the year 0 is 1 BC, and others have a sign where they do not have four digits
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
    std::string marker = "?";          ///< of a parameter; "{number}" counts them from 1, "{type}" is its type
    std::string value = "{value}";     ///< how the value of a parameter is written
    Escapes escape;                    ///< in it
    /// What is sent where there are parameters: with {statement.sql}, escaped as a value is, and {values}. "": the
    /// text, with the parameters beside it.
    std::string bound;
    std::map<std::string, ParameterType> parameters; ///< by the Postgres type
    std::map<std::string, std::string> select;       ///< by the Postgres type: how a "{column}" is asked for
    /// How a text "{column}" is matched with a "{pattern}", in which only % is special; "": it is not.
    std::string like;
    std::map<std::string, std::string>
        exact;                              ///< by the Postgres type: a "{column}" whose values are told apart as here
    std::map<std::string, std::string> sum; ///< by the Postgres type: the sum of a "{column}", as exact as Postgres's
    std::string minimum = "min({column})", maximum = "max({column})"; ///< NULL where there is no value
    std::optional<RowHashSpec> hash;                                  ///< nothing: rows have to be read to be compared
};

/// How the tables of a schema are found, and their columns: by one statement, whose result has a row for each column:
/// table, column, type, precision, scale, whether it is never NULL, and a description. Later ones may be left out.
struct SourceCatalogSpec {
    std::string sql; ///< "{catalog.relation}" is the name of the table that is asked, "{catalog.schema}" a parameter
    std::vector<std::string> relation;
    SourceTypeRules types; ///< of {"type": ..., "precision": ..., "scale": ...}
};

/// How long is waited between looks at a statement that runs: more each time, up to the second.
struct StatementPause {
    Milliseconds every{100}, up_to{5000};
};

/// Where the rows of a page are that does not hold them itself: at a presigned URL, to which no credentials go.
struct ResultLink {
    Pointers at;                    ///< of the address; where none stands, the page has its rows itself
    Pointers rows = {""};           ///< of the array, there
    Pointers headers;               ///< of an object of headers that have to go there
    std::vector<std::string> hosts; ///< where that may be, "*.example.com" for all within a domain; or the API's own
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
    Pointers next_at; ///< of the array that has an element a page, of the cursor, or of the address
    /// Pages come while the statement runs: one may have neither rows nor columns yet, "failed_when" is asked of each,
    /// and the statement is done with the last. So long is waited behind one without rows; nothing: it is done before.
    std::optional<StatementPause> while_running;
    std::optional<ResultLink> link; ///< a page names the address where its rows are
};

/// How a connector runs SQL at its source, and reads what comes of it: the member "statement" of a manifest.
struct StatementSpec {
    RequestTemplate submit;               ///< has {statement.id}, so that it is run once however often it is sent
    bool answers_when_done = false;       ///< "submit" is answered when the statement has ended
    bool knows_repeated = true;           ///< a "submit" that comes again is the same statement to the source
    std::map<std::string, Pointers> keep; ///< of the answers to submit and poll, by name: {statement.NAME}
    Condition done_when;                  ///< of such an answer; empty: it always is
    Condition failed_when;
    Pointers reason;      ///< of a statement that failed
    RequestTemplate poll; ///< no method: none is needed
    StatementPause pause;
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
