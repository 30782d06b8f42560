#include "postgres/border/condition.h"

#include "postgres/border/border.h"

extern "C" {
#include "nodes/parsenodes.h"
#include "parser/parser.h"
}

namespace reverse_etl {

namespace {

/// A syntax error is in the condition, not in the statement that gave it.
void locate_in_condition(void *text) {
    if (int position = geterrposition(); position > 0) {
        errposition(0);
        internalerrposition(position);
        internalerrquery(static_cast<const char *>(text));
    }
}

/// What plpgsql takes as an expression may have a FROM and what follows it: it is what stands behind SELECT.
bool is_one_expression(const char *text) {
    ErrorContextCallback context{error_context_stack, locate_in_condition, const_cast<char *>(text)};
    error_context_stack = &context;
    List *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
    error_context_stack = context.previous;
    if (list_length(statements) != 1)
        return false;
    auto *select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
    if (list_length(select->targetList) != 1 || select->distinctClause != NIL || select->fromClause != NIL ||
        select->whereClause != nullptr || select->groupClause != NIL || select->havingClause != nullptr ||
        select->windowClause != NIL || select->sortClause != NIL || select->limitOffset != nullptr ||
        select->limitCount != nullptr || select->lockingClause != NIL)
        return false;
    auto *target = linitial_node(ResTarget, select->targetList);
    return target->name == nullptr;
}

} // namespace

std::string one_condition(const std::string &condition) {
    if (!pg_call([&] { return is_one_expression(condition.c_str()); }))
        throw Error(ERRCODE_SYNTAX_ERROR, "the condition must be one expression", "",
                    "Write it like status = 'open' AND created_at > now() - interval '1 day'.");
    // It may end with a comment: hence the line break.
    return "(" + condition + "\n)";
}

} // namespace reverse_etl
